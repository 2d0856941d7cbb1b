/** Whether the patterns of a definition or of settings find room in their workspace; what a GET says of those that do not. */
import { workspacePatternInstructionsMax } from '../../schemas/http/limits.ts';
import type { Fault } from '../../schemas/http/app.ts';
import type { StoredDefinition } from '../runtime/definitions.ts';
import {
  measuredPatterns,
  patternOwners,
  withRoomForPatterns,
  workspaceFault,
} from '../runtime/stored-patterns.ts';
import type { DefinitionKind, DefinitionsStore } from './ports.ts';

type Stored = Pick<DefinitionsStore, 'get' | 'list'>;

export interface Written {
  readonly kind: DefinitionKind;
  readonly workspace: string;
  readonly id: string;
  readonly body: unknown;
}

/** A body that needs no more than what it replaces is always taken: it is how a workspace gets back below the bound. */
export function roomFault(definitions: Stored, { kind, workspace, id, body }: Written): Fault | undefined {
  const { instructions } = measuredPatterns(body);
  const before = definitions.get(kind, workspace, id);
  if (before !== undefined && instructions <= measuredPatterns(before.body).instructions) return undefined;
  let sum = instructions;
  for (const owner of patternOwners(definitions, workspace)) {
    if (owner !== before) sum += measuredPatterns(owner.body).instructions;
  }
  return instructions > 0 && sum > workspacePatternInstructionsMax ? workspaceFault(sum) : undefined;
}

/** Patterns that are found nowhere, because they were stored before the bound that they are over. */
export function storedFaults(definitions: Stored, stored: StoredDefinition): readonly Fault[] {
  const { instructions, faults } = measuredPatterns(stored.body);
  if (instructions === 0 || faults.some(({ pointer }) => pointer === '')) return faults;
  const owners = patternOwners(definitions, stored.workspace);
  if (withRoomForPatterns(owners).has(stored)) return faults;
  const sum = owners.reduce((total, owner) => total + measuredPatterns(owner.body).instructions, 0);
  return [...faults, workspaceFault(sum)];
}
