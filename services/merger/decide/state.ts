/** What a lane remembers between its events. Kept as JSON in the keyed store under the lane's hash. */
import type { PersonId } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import { assert } from '../../runtime/errors.ts';
import type { KnownIdentifiers } from './known-identifiers.ts';

/** The anonymous id is bound, for ever (spec C.1 row 8). */
export interface Link {
  readonly personId: PersonId;
  readonly claimedAt: number;
  readonly asOf: number;
}
/**
 * Whose an identifier is, as identity said at `at` (offset on identity.decisions in this partition), and, here as in the
 * others, `asOf`: the last fact about the person then. Events carry it on, so that a later split knows them apart.
 */
export interface Known {
  /** Canonical. */
  readonly identifier: Identifier;
  readonly personId: PersonId;
  readonly at: number;
  readonly asOf: number;
}
/** The last identify that identity decided for good: one that reads the same needs no second answer. */
export interface Decided {
  readonly fingerprint: string;
  readonly personId: PersonId;
  readonly at: number;
  readonly asOf: number;
}
/** Until the lane has been quiet, what is `to`'s goes by way of the absorbed `via`, so that nothing overtakes. */
export interface Detour {
  readonly to: PersonId;
  readonly via: PersonId;
  readonly lastAt: number;
}

/** A barrier asks nothing but to be answered behind the control calls before it. */
export type LaneRequest = 'claim' | 'resolve' | 'barrier';

/** What waited for the claim goes out. */
export interface Releasing {
  readonly type: 'releasing';
  readonly personId: PersonId;
  readonly via: PersonId;
  readonly claimedAt: number;
  readonly asOf: number;
  /** Goes out with the identify. */
  readonly known?: KnownIdentifiers | undefined;
  /** How many of the events that waited were read by former batches; absent: none, or all. */
  readonly read?: number | undefined;
  /** How many of the events that waited, in (timestamp, arrival) order, have had their turn. */
  readonly cursor: number;
  /** How many of these went out: one received too long after the claim stays anonymous. */
  readonly count: number;
  /** Lowest timestamp of those that went out. */
  readonly oldest: number;
}

/** What the lane has in hand: the moves are told in decide.ts. */
export type Work =
  | { readonly type: 'idle' }
  | { readonly type: 'asking'; readonly request: LaneRequest; readonly number: number }
  | Releasing
  | { readonly type: 'draining' };

export interface LaneState {
  readonly work: Work;
  /** Number of the last request. */
  readonly requests: number;
  /** How many events of the queue are done; the next is the one in hand. */
  readonly queueCursor: number;
  /** Offset on identity.decisions of the answer that the lane works on: lanes take turns in this order. */
  readonly readyAt: number;
  /** The lane had its short turn and was not done. */
  readonly long: boolean;
  readonly link: Link | null;
  /** Oldest first. */
  readonly known: readonly Known[];
  readonly decided: Decided | null;
  readonly detours: readonly Detour[];
  /** The visitor has withdrawn their consent: nothing that names nobody is kept or goes on. */
  readonly withdrawn: boolean;
}

export const idle: Work = { type: 'idle' };
export const newLane: LaneState = {
  work: idle,
  requests: 0,
  queueCursor: 0,
  readyAt: -1,
  long: false,
  link: null,
  known: [],
  decided: null,
  detours: [],
  withdrawn: false,
};

/** A lane while it is changed. */
export type LaneDraft = { -readonly [Name in keyof LaneState]: LaneState[Name] };

/**
 * A copy to change, all of it written out: V8 gives what a spread makes at each place a hidden class of its own, so that
 * a few spreads one after another cost thirty times as much, and reading what comes of them five times.
 */
export function copyOf(lane: LaneState): LaneDraft {
  const { work, requests, queueCursor, readyAt, long, link, known, decided, detours, withdrawn } = lane;
  return { work, requests, queueCursor, readyAt, long, link, known, decided, detours, withdrawn };
}

/** Bits in the event store's index, so that most events need no look at the lane's state. */
export const LINKED = 1;
export const BUSY = 2;
/** Its waiting events are counted by the hour (full-lanes.ts). */
export const COUNTED = 4;
export const WITHDRAWN = 8;

export function flagsOf(lane: LaneState): number {
  const { link, work, withdrawn } = lane;
  return (link === null ? 0 : LINKED) | (work.type === 'idle' ? 0 : BUSY) | (withdrawn ? WITHDRAWN : 0);
}

/** Stands first, so that what another version wrote is refused and not misread. */
const FORMAT = 4;

/**
 * Arrays in this order, which are quicker to write and read than named fields and half their size. A person, most often
 * one for all of it, stands once near the front, and then by place.
 */
export function encodeLane(lane: LaneState): Buffer {
  const people: PersonId[] = [];
  const place = (personId: PersonId): Place => {
    const found = people.indexOf(personId);
    return found >= 0 ? found : people.push(personId) - 1;
  };
  const { work, requests, queueCursor, readyAt, long, link, known, decided, detours } = lane;
  const encoded: Encoded = [
    FORMAT,
    people,
    work.type === 'idle' ? 0 : work,
    requests,
    queueCursor,
    readyAt,
    long ? 1 : 0,
    link && [place(link.personId), link.claimedAt, link.asOf],
    known.map(({ identifier, personId, at, asOf }) => [
      identifier.kind,
      identifier.value,
      place(personId),
      at,
      asOf,
    ]),
    decided && [decided.fingerprint, place(decided.personId), decided.at, decided.asOf],
    detours.map(({ to, via, lastAt }) => [place(to), place(via), lastAt]),
  ];
  return Buffer.from(JSON.stringify(lane.withdrawn ? [...encoded, 1] : encoded));
}

/** Of a person: where in the list. */
type Place = number;
type Encoded = readonly [
  format: unknown,
  people: readonly PersonId[],
  work: 0 | Work,
  requests: number,
  queueCursor: number,
  readyAt: number,
  long: 0 | 1,
  link: readonly [Place, claimedAt: number, asOf: number] | null,
  known: readonly (readonly [Identifier['kind'], value: string, Place, at: number, asOf: number])[],
  decided: readonly [fingerprint: string, Place, at: number, asOf: number] | null,
  detours: readonly (readonly [to: Place, via: Place, lastAt: number])[],
  /** Written where it is so, which is seldom, and after this format was made. */
  withdrawn?: 1,
];

export function decodeLane(bytes: Buffer): LaneState {
  const encoded = JSON.parse(bytes.toString()) as Encoded; // written by encodeLane
  const [
    format,
    people,
    work,
    requests,
    queueCursor,
    readyAt,
    long,
    link,
    known,
    decided,
    detours,
    withdrawn,
  ] = encoded;
  assert(format === FORMAT, `a lane is kept in format ${String(FORMAT)}, not in ${JSON.stringify(format)}`);
  const person = (place: Place): PersonId => people[place] as PersonId; // by encodeLane
  return {
    work: work === 0 ? idle : work,
    requests,
    queueCursor,
    readyAt,
    long: long === 1,
    link: link && { personId: person(link[0]), claimedAt: link[1], asOf: link[2] },
    known: known.map(([kind, value, place, at, asOf]) => ({
      identifier: { kind, value },
      personId: person(place),
      at,
      asOf,
    })),
    decided: decided && {
      fingerprint: decided[0],
      personId: person(decided[1]),
      at: decided[2],
      asOf: decided[3],
    },
    detours: detours.map(([to, via, lastAt]) => ({ to: person(to), via: person(via), lastAt })),
    withdrawn: withdrawn === 1,
  };
}
