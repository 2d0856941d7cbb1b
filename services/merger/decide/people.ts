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

/** From a person to who they are today. */
export interface Way {
  /** Who the way ends at. */
  readonly personId: PersonId;
  readonly merges: number;
  /** When the partition learned of the last merge on the way; undefined without one. */
  readonly since: number | undefined;
  /** What was learned below this about anybody on the way no longer counts. */
  readonly staleBelow: number;
  readonly isGone: boolean;
  /** Identifiers that the first merge of the way left to nobody, and the way behind it. */
  readonly freed: readonly Identifier[];
  readonly next: Way | undefined;
}

export type People = (personId: PersonId) => Way;

/** Merges that are followed from one person to the survivor of today. */
export const chainMax = 1_000;

export interface Survivor {
  readonly personId: PersonId;
  readonly since: number | undefined;
  /** Identifiers that name nobody any more since merges on the way. */
  readonly freed: readonly Identifier[];
  readonly staleBelow: number;
}

/** Who this person is today; undefined when gone, or when what was learned at `learnedAt` no longer counts. */
export function survivorOf(people: People, personId: PersonId, learnedAt: number): Survivor | undefined {
  const way = people(personId);
  const { since, staleBelow } = way;
  // Identity refuses cycles, and few chains are as long; asking again is safe all the same.
  if (way.isGone || staleBelow > learnedAt || way.merges >= chainMax) return undefined;
  return { personId: way.personId, since, freed: freedOn(way), staleBelow };
}

function freedOn(way: Way): readonly Identifier[] {
  if (way.merges <= 1) return way.freed;
  const freed: Identifier[] = [];
  for (let step: Way | undefined = way; step !== undefined; step = step.next) freed.push(...step.freed);
  return freed;
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
