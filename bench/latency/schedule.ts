/**
 * What is sent, and when: visitors whose lane is linked go on; ten others a second look at 20 pages in a second and then
 * identify; people are deleted, so many a second. All by the clock of the run, whatever was answered meanwhile, but that a visitor's identify waits for the
 * answers to their history, as wire order is not call order.
 */

/** What is measured of a call: from its answer until it can be read in `events.merged`. */
export type CallKind =
  /** Anonymous id only, in a lane that claimed less than five minutes before. */
  | 'linked'
  /** Anonymous id and user id, as browsers send it after an identify. */
  | 'named'
  /** Waits until its visitor identifies. */
  | 'history'
  | 'identify'
  /** Of somebody of whom nobody else speaks: what is measured is what others wait for it. */
  | 'deletion';

export interface Call {
  readonly kind: CallKind;
  readonly dueMs: number;
  /** Names the kind, so that a reader of the topic can say what it is: `linked/17`. */
  readonly messageId: string;
  readonly anonymousId: string | undefined;
  readonly userId: string | undefined;
  /** Of history and identify: the visitor's number. */
  readonly visitor: number | undefined;
}

export const linkedVisitors = 100;
export const historyEvents = 20;
const NEWCOMERS_PER_SECOND = 10;
const HISTORY_MS = 1_000;
/** After the last event of the history. */
const PAUSE_MS = 500;
export const callsPerSecondMin = NEWCOMERS_PER_SECOND * (historyEvents + 1);

/** The calls before the run: those whose lanes are to be linked identify, and those who are to be deleted. */
export function firstCalls(deletions = 0): readonly Call[] {
  const linked = Array.from({ length: linkedVisitors }, (_, number) => linkedVisitor(number));
  const doomed = Array.from({ length: deletions }, (_, number) => doomedPerson(number));
  return [...linked, ...doomed].map((who, number) => ({
    ...who,
    kind: 'identify' as const,
    dueMs: number,
    messageId: `first/${String(number)}`,
    visitor: undefined,
  }));
}

/** In the order of dueMs. */
export function schedule(callsPerSecond: number, seconds: number, deletions = 0): readonly Call[] {
  const calls: Call[] = [];
  const newcomers = Math.max(
    0,
    Math.floor((seconds - (HISTORY_MS + PAUSE_MS) / 1_000) * NEWCOMERS_PER_SECOND),
  );
  for (let visitor = 0; visitor < newcomers; visitor += 1) calls.push(...newcomer(visitor));
  const others = (callsPerSecond - callsPerSecondMin) * seconds;
  for (let number = 0; number < others; number += 1) {
    const kind = number % 2 === 0 ? 'linked' : 'named';
    const who = linkedVisitor(Math.floor(number / 2) % linkedVisitors);
    calls.push({
      kind,
      dueMs: (number / others) * seconds * 1_000,
      messageId: `${kind}/${String(number)}`,
      anonymousId: who.anonymousId,
      userId: kind === 'named' ? who.userId : undefined,
      visitor: undefined,
    });
  }
  for (let number = 0; number < deletions; number += 1) {
    calls.push({
      ...doomedPerson(number),
      kind: 'deletion',
      dueMs: (number / deletions) * seconds * 1_000,
      messageId: `deletion/${String(number)}`,
      visitor: undefined,
    });
  }
  return calls.sort((a, b) => a.dueMs - b.dueMs);
}

function newcomer(visitor: number): Call[] {
  const fromMs = (visitor / NEWCOMERS_PER_SECOND) * 1_000;
  const anonymousId = `newcomer-${String(visitor)}`;
  const history = Array.from({ length: historyEvents }, (_, number) => ({
    kind: 'history' as const,
    dueMs: fromMs + (number / historyEvents) * HISTORY_MS,
    messageId: historyId(visitor, number),
    anonymousId,
    userId: undefined,
    visitor,
  }));
  const identify = {
    kind: 'identify' as const,
    dueMs: fromMs + HISTORY_MS + PAUSE_MS,
    messageId: identifyId(visitor),
    anonymousId,
    userId: `person-${String(visitor)}`,
    visitor,
  };
  return [...history, identify];
}

export function historyId(visitor: number, number: number): string {
  return `history/${String(visitor)}/${String(number)}`;
}
export function identifyId(visitor: number): string {
  return `identify/${String(visitor)}`;
}

function doomedPerson(number: number): { readonly anonymousId: undefined; readonly userId: string } {
  return { anonymousId: undefined, userId: `doomed-${String(number)}` };
}

function linkedVisitor(number: number): { readonly anonymousId: string; readonly userId: string } {
  return { anonymousId: `linked-${String(number)}`, userId: `linked-person-${String(number)}` };
}
