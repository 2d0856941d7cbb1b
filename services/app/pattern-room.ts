/** Whether a definition or settings, and their patterns, find room in their workspace; what a GET says of patterns that do not. */
import { workspaceDefinitionBytesMax, workspacePatternInstructionsMax } from '../../schemas/http/limits.ts';
import type { Fault } from '../../schemas/http/app.ts';
import { definitionBytes } from '../runtime/definition-bytes.ts';
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

/** A body that needs no more than what it replaces is always taken: it is how a workspace gets back below a bound. */
export function roomFault(definitions: Stored, written: Written): Fault | undefined {
  return bytesFault(definitions, written) ?? patternsFault(definitions, written);
}

function bytesFault(definitions: Stored, { kind, workspace, id, body }: Written): Fault | undefined {
  const before = definitionBytes(definitions.get(kind, workspace, id)?.body);
  const bytes = definitionBytes(body);
  if (bytes <= before) return undefined;
  const stored = patternOwners(definitions, workspace);
  const sum = stored.reduce((all, owner) => all + definitionBytes(owner.body), bytes - before);
  if (sum <= workspaceDefinitionBytesMax) return undefined;
  const message =
    `the definitions and settings of a workspace have at most ${String(workspaceDefinitionBytesMax)} bytes together, ` +
    `with this it would be ${String(sum)}: delete some, or make them shorter`;
  return { pointer: '', code: 'limit_exceeded', message };
}

function patternsFault(definitions: Stored, { kind, workspace, id, body }: Written): Fault | undefined {
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
