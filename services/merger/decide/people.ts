/**
 * What partition-wide decisions said about people, kept a partition: who was absorbed into whom, who is gone, and since
 * when links from identifiers are stale (a split). People who had no such thing happen to them have no mark.
 */
import type { PersonId, Workspace } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';

export interface PersonMark {
  /** The survivor. */
  readonly into?: PersonId;
  /** Batch time at which this partition learned it. */
  readonly intoAt?: number;
  /** Identifiers that the merge left to nobody: the survivor has its own of that kind. */
  readonly freed?: readonly Identifier[];
  readonly gone?: boolean;
  /** What lanes learned about this person's identifiers below this offset of identity.decisions must be asked again. */
  readonly staleBelow?: number;
}

export type People = (personId: PersonId) => PersonMark | undefined;

/** Merges that are followed from one person to the survivor of today. */
const chainMax = 1_000;

export interface Survivor {
  readonly personId: PersonId;
  /** When the partition learned of the last merge on the way; undefined without one. */
  readonly since: number | undefined;
  /** Identifiers that name nobody any more since merges on the way. */
  readonly freed: readonly Identifier[];
  /** What was learned below this about anybody on the way no longer counts. */
  readonly staleBelow: number;
}

/** Who this person is today; undefined when gone, or when what was learned at `learnedAt` no longer counts. */
export function survivorOf(people: People, personId: PersonId, learnedAt: number): Survivor | undefined {
  let current = personId;
  let since: number | undefined;
  let freed: readonly Identifier[] = [];
  let staleBelow = -1;
  for (let step = 0; step < chainMax; step += 1) {
    const mark = people(current);
    if (mark === undefined) return { personId: current, since, freed, staleBelow };
    staleBelow = Math.max(staleBelow, mark.staleBelow ?? -1);
    if (mark.gone === true || staleBelow > learnedAt) return undefined;
    if (mark.into === undefined) return { personId: current, since, freed, staleBelow };
    current = mark.into;
    since = mark.intoAt;
    if (mark.freed !== undefined) freed = [...freed, ...mark.freed];
  }
  return undefined; // identity refuses cycles; asking again is safe all the same
}

export const peopleFrom = 'x/';
export const peopleTo = 'x0';
export function personMarkKey(workspace: Workspace, personId: PersonId): string {
  return `${peopleFrom}${workspace}:${personId}`;
}
export function encodeMark(mark: PersonMark): Buffer {
  return Buffer.from(JSON.stringify(mark));
}
export function decodeMark(bytes: Buffer): PersonMark {
  return JSON.parse(bytes.toString()) as PersonMark; // written by encodeMark
}
