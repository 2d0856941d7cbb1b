/**
 * The patterns that a stored definition has, found and measured without compiling any. A PUT is held to the bounds; what
 * was stored before a bound was made is not, and must stop nobody: a pattern over its bound is found nowhere, and so are
 * all patterns of a definition that has too many, or that the workspace has no room for.
 */
import {
  definitionPatternInstructionsMax,
  workspacePatternInstructionsMax,
} from '../../schemas/http/limits.ts';
import type { DefinitionsView, StoredDefinition } from './definitions.ts';
import { measurePattern, type PatternFault } from './pattern.ts';

export interface PatternsFault {
  /** RFC 6901, into the body. */
  readonly pointer: string;
  readonly code: PatternFault | 'patterns_too_large';
  readonly message: string;
}

export interface Measured {
  /** Of the patterns that are within their own bound. */
  readonly instructions: number;
  readonly faults: readonly PatternsFault[];
}

export const patternFaultsMax = 100;

const remembered = new WeakMap<object, Measured>();

/** Remembered by the body, which a change replaces. */
export function measuredPatterns(body: unknown): Measured {
  if (typeof body !== 'object' || body === null) return { instructions: 0, faults: [] };
  let measured = remembered.get(body);
  if (measured === undefined) {
    measured = measure(body);
    remembered.set(body, measured);
  }
  return measured;
}

/** Settings, segments, journeys and messages of a workspace, in the order in which they take their share of its room. */
export function patternOwners(
  definitions: Pick<DefinitionsView, 'get' | 'list'>,
  workspace: string,
): readonly StoredDefinition[] {
  const settings = definitions.get('workspace', workspace, workspace);
  return [
    ...(settings === undefined ? [] : [settings]),
    ...definitions.list('segment', workspace),
    ...definitions.list('journey', workspace),
    ...definitions.list('message', workspace),
  ];
}

/** Those whose patterns are in force. */
export function withRoomForPatterns(owners: readonly StoredDefinition[]): ReadonlySet<StoredDefinition> {
  let left = workspacePatternInstructionsMax;
  const found = new Set<StoredDefinition>();
  for (const owner of owners) {
    const { instructions } = measuredPatterns(owner.body);
    if (instructions > Math.min(left, definitionPatternInstructionsMax)) continue;
    left -= instructions;
    found.add(owner);
  }
  return found;
}

export function definitionFault(instructions: number): PatternsFault {
  const most = String(definitionPatternInstructionsMax);
  const message =
    `the patterns of a definition have at most ${most} instructions together, these ${String(instructions)}: ` +
    'use fewer or smaller patterns, or contains, starts_with, ends_with and in, which cost nothing of it';
  return { pointer: '', code: 'patterns_too_large', message };
}

export function workspaceFault(instructions: number): PatternsFault {
  const most = String(workspacePatternInstructionsMax);
  const message =
    `the patterns of a workspace have at most ${most} instructions together, with these it would be ` +
    `${String(instructions)}: make patterns of this or of other definitions smaller, or delete definitions`;
  return { pointer: '', code: 'patterns_too_large', message };
}

function measure(body: object): Measured {
  const faults: PatternsFault[] = [];
  let instructions = 0;
  for (const { pointer, source } of patternsIn(body)) {
    const measured = measurePattern(source);
    if (typeof measured === 'number') instructions += measured;
    else if (faults.length < patternFaultsMax)
      faults.push({ pointer, code: measured.code, message: measured.message });
  }
  if (instructions > definitionPatternInstructionsMax) faults.push(definitionFault(instructions));
  return { instructions, faults };
}

interface Found {
  readonly pointer: string;
  readonly source: string;
}

/** Values of `matches`, and the patterns of a workspace's guards. Bodies nest no deeper than conditions may. */
function* patternsIn(value: unknown, pointer = ''): Generator<Found> {
  if (typeof value !== 'object' || value === null) return;
  const { operator, value: source } = value as { readonly operator?: unknown; readonly value?: unknown }; // any JSON
  if (operator === 'matches' && typeof source === 'string') yield { pointer: `${pointer}/value`, source };
  for (const [key, inner] of Object.entries(value)) {
    const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if ((key === 'illegal_patterns' || key === 'flagged_patterns') && Array.isArray(inner))
      yield* textsIn(inner, at);
    else yield* patternsIn(inner, at);
  }
}

function* textsIn(list: readonly unknown[], pointer: string): Generator<Found> {
  for (const [index, source] of list.entries()) {
    if (typeof source === 'string') yield { pointer: `${pointer}/${String(index)}`, source };
  }
}
