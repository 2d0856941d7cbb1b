/** What a lane can come to: outputs that the shell carries out, and facts that its state is a fold of. */
import type { PersonId } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import { assert, unreachable } from '../../runtime/errors.ts';
import type { KnownIdentifiers } from './known-identifiers.ts';
import { detoursMax, knownIdentifiersMax } from './limits.ts';
import type { LaneRequest, LaneState, Link, Releasing } from './state.ts';

/** About the event in hand. A reason is a code of schemas/reasons.ts, often identity's. */
export type Outcome =
  | { readonly type: 'kept' }
  | {
      readonly type: 'queued';
      readonly ahead: { readonly request: LaneRequest; readonly number: number } | null;
    }
  | { readonly type: 'left_anonymous' }
  | { readonly type: 'dropped'; readonly reason: string }
  | {
      readonly type: 'merged';
      readonly personId: PersonId;
      readonly mergedAt: number;
      readonly previouslyAnonymous: boolean;
      /** What identity had decided when it said whose the name is. */
      readonly asOf: number;
      /** Said by the answer behind it; absent where identity was not asked. */
      readonly known?: KnownIdentifiers | undefined;
    };

/** About the lane. */
export type Fact =
  | { readonly type: 'asked'; readonly request: LaneRequest; readonly number: number }
  /** An event of the queue, before its turn. */
  | { readonly type: 'asked_ahead'; readonly request: LaneRequest; readonly number: number }
  /** The event in hand has asked already. */
  | { readonly type: 'awaited'; readonly request: LaneRequest; readonly number: number }
  /** What the lane remembers counts for the event in hand, which takes its turn. */
  | { readonly type: 'barrier_passed'; readonly readyAt: number }
  | {
      readonly type: 'learned';
      readonly identifier: Identifier;
      readonly personId: PersonId;
      readonly at: number;
      readonly asOf: number;
    }
  | {
      readonly type: 'decided';
      readonly fingerprint: string;
      readonly personId: PersonId;
      readonly at: number;
      readonly asOf: number;
    }
  | { readonly type: 'linked'; readonly link: Link }
  | { readonly type: 'relinked'; readonly personId: PersonId; readonly asOf: number }
  | {
      readonly type: 'release_began';
      readonly personId: PersonId;
      readonly via: PersonId;
      readonly claimedAt: number;
      readonly asOf: number;
      readonly known?: KnownIdentifiers | undefined;
    }
  /** Of what waits so many are read; the release begins when all are. */
  | { readonly type: 'read_ahead'; readonly read: number }
  | { readonly type: 'released'; readonly cursor: number; readonly count: number; readonly oldest: number }
  | {
      readonly type: 'merge_logged';
      readonly personId: PersonId;
      readonly count: number;
      readonly oldest: number;
      readonly at: number;
    }
  /** The event in hand is done; the next of the queue is in hand. */
  | { readonly type: 'advanced'; readonly readyAt: number }
  | { readonly type: 'turn_ended' }
  /** Events that were done are gone from the queue's storage. */
  | { readonly type: 'queue_shortened' }
  | { readonly type: 'queue_emptied' }
  | {
      readonly type: 'moved';
      readonly from: PersonId;
      readonly to: PersonId;
      readonly since: number;
      readonly freed: readonly Identifier[];
      readonly staleBelow: number;
    }
  | { readonly type: 'detoured'; readonly to: PersonId; readonly at: number }
  | { readonly type: 'detour_ended'; readonly to: PersonId };

export type Effect = Outcome | Fact;

export function evolveLane(lane: LaneState, effect: Effect): LaneState {
  const { work } = lane;
  switch (effect.type) {
    case 'queued':
      return effect.ahead === null ? lane : { ...lane, requests: effect.ahead.number };
    case 'kept':
    case 'left_anonymous':
    case 'dropped':
    case 'merged':
    case 'merge_logged':
      return lane;
    case 'asked':
    case 'awaited':
      assert(work.type === 'idle' || work.type === 'draining', `a lane that is ${work.type} does not ask`);
      return { ...lane, work: asking(effect), requests: Math.max(lane.requests, effect.number) };
    case 'asked_ahead':
      return { ...lane, requests: effect.number };
    case 'barrier_passed':
      assert(work.type === 'asking' && work.request === 'barrier', 'the lane asked for a barrier');
      return { ...lane, work: { type: 'draining' }, readyAt: effect.readyAt };
    case 'learned':
      return { ...lane, known: learn(lane, effect) };
    case 'decided': {
      const { fingerprint, personId, at, asOf } = effect;
      return { ...lane, decided: { fingerprint, personId, at, asOf } };
    }
    case 'linked':
      assert(lane.link === null, 'an anonymous id is claimed once');
      return { ...lane, link: effect.link };
    case 'relinked':
      assert(lane.link !== null, 'only a claimed anonymous id can be split off');
      return { ...lane, link: { ...lane.link, personId: effect.personId, asOf: effect.asOf } };
    case 'release_began':
      assert(work.type === 'asking', `a lane that is ${work.type} does not begin a release`);
      return { ...lane, work: begun(effect) };
    case 'read_ahead':
      assert(work.type === 'releasing' && work.cursor === 0, 'what waits is read before its release');
      return { ...lane, work: { ...work, read: effect.read } };
    case 'released':
      assert(work.type === 'releasing' && effect.cursor > work.cursor, 'a release goes forward');
      return {
        ...lane,
        work: { ...work, cursor: effect.cursor, count: effect.count, oldest: effect.oldest },
      };
    case 'advanced':
      return advance(lane, effect.readyAt);
    case 'turn_ended':
      return { ...lane, long: true };
    case 'queue_shortened':
      return { ...lane, queueCursor: 0 };
    case 'queue_emptied':
      assert(work.type === 'draining', `a lane that is ${work.type} still needs its queue`);
      return { ...lane, work: { type: 'idle' }, queueCursor: 0, readyAt: -1, long: false };
    case 'moved':
      return move(lane, effect);
    case 'detoured':
      return {
        ...lane,
        detours: lane.detours.map((d) => (d.to === effect.to ? { ...d, lastAt: effect.at } : d)),
      };
    case 'detour_ended':
      return { ...lane, detours: lane.detours.filter((d) => d.to !== effect.to) };
    default:
      return unreachable(effect);
  }
}

function begun({ personId, via, claimedAt, asOf, known }: Fact & { type: 'release_began' }): Releasing {
  return { type: 'releasing', personId, via, claimedAt, asOf, known, cursor: 0, count: 0, oldest: 0 };
}

function advance(lane: LaneState, readyAt: number): LaneState {
  assert(lane.work.type !== 'idle', 'an idle lane has no queue');
  return { ...lane, work: { type: 'draining' }, queueCursor: lane.queueCursor + 1, readyAt };
}

function asking({ request, number }: Fact & { type: 'asked' | 'awaited' }): LaneState['work'] {
  return { type: 'asking', request, number };
}

function learn(
  lane: LaneState,
  { identifier, personId, at, asOf }: Fact & { type: 'learned' },
): LaneState['known'] {
  const others = lane.known.filter((known) => !sameIdentifier(known.identifier, identifier));
  return [
    ...others.slice(Math.max(0, others.length + 1 - knownIdentifiersMax)),
    { identifier, personId, at, asOf },
  ];
}

/** Everything that was `from`'s is `to`'s; the way there stays as it was until the lane has been quiet. */
function move(lane: LaneState, moved: Fact & { type: 'moved' }): LaneState {
  const { from, to, since, freed, staleBelow } = moved;
  const renamed = <T extends { readonly personId: PersonId }>(entry: T): T =>
    entry.personId === from ? { ...entry, personId: to } : entry;
  const onward = lane.detours.map((detour) => (detour.to === from ? { ...detour, to } : detour));
  const first = onward.filter((detour, index) => onward.findIndex((d) => d.to === detour.to) === index);
  const detours = first.some((detour) => detour.to === to)
    ? first
    : [...first, { to, via: from, lastAt: since }];
  return {
    ...lane,
    link: lane.link && renamed(lane.link),
    known: lane.known
      .filter(({ identifier, personId, at }) => {
        return personId !== from || (at >= staleBelow && !namesNobody(identifier, freed));
      })
      .map(renamed),
    // Identity may decide otherwise for the survivor, who may have other identifiers.
    decided: lane.decided?.personId === from ? null : lane.decided,
    detours: detours.slice(-detoursMax),
  };
}

/** The cio_id of an absorbed person goes with them; of their other identifiers, what the survivor had already. */
function namesNobody(identifier: Identifier, freed: readonly Identifier[]): boolean {
  return identifier.kind === 'cio_id' || freed.some((each) => sameIdentifier(each, identifier));
}

export function sameIdentifier(a: Identifier, b: Identifier): boolean {
  return a.kind === b.kind && a.value === b.value;
}
