/** What a lane can come to: outputs that the shell carries out, and facts that its state is a fold of. */
import type { PersonId } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import { assert, unreachable } from '../../runtime/errors.ts';
import type { KnownIdentifiers } from './known-identifiers.ts';
import { detoursMax, knownIdentifiersMax } from './limits.ts';
import {
  copyOf,
  idle,
  type LaneDraft,
  type LaneRequest,
  type LaneState,
  type Link,
  type Releasing,
} from './state.ts';

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
  /** What waits is erased, and nothing of the visitor is kept until they consent again. */
  | { readonly type: 'withdrawn' }
  | { readonly type: 'consented' }
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
      readonly readyAt: number;
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
  switch (effect.type) {
    case 'kept':
    case 'left_anonymous':
    case 'dropped':
    case 'merged':
    case 'merge_logged':
      return lane;
    case 'queued':
      if (effect.ahead === null) return lane;
      break;
    default:
  }
  const next = copyOf(lane);
  change(next, effect);
  return next;
}

function change(lane: LaneDraft, effect: Exclude<Effect, Kept>): void {
  switch (effect.type) {
    case 'learned':
      lane.known = learn(lane, effect);
      break;
    case 'decided': {
      const { fingerprint, personId, at, asOf } = effect;
      lane.decided = { fingerprint, personId, at, asOf };
      break;
    }
    case 'linked':
      assert(lane.link === null, 'an anonymous id is claimed once');
      lane.link = effect.link;
      break;
    case 'withdrawn':
    case 'consented':
      lane.withdrawn = effect.type === 'withdrawn';
      break;
    case 'relinked':
      assert(lane.link !== null, 'only a claimed anonymous id can be split off');
      lane.link = { personId: effect.personId, claimedAt: lane.link.claimedAt, asOf: effect.asOf };
      break;
    case 'moved':
      move(lane, effect);
      break;
    case 'detoured':
      lane.detours = lane.detours.map((d) => (d.to === effect.to ? { ...d, lastAt: effect.at } : d));
      break;
    case 'detour_ended':
      lane.detours = lane.detours.filter((d) => d.to !== effect.to);
      break;
    default:
      changeWork(lane, effect);
  }
}

type OfMemory =
  | 'withdrawn'
  | 'consented'
  | 'learned'
  | 'decided'
  | 'linked'
  | 'relinked'
  | 'moved'
  | 'detoured'
  | 'detour_ended';

function changeWork(lane: LaneDraft, effect: Exclude<Effect, Kept | { readonly type: OfMemory }>): void {
  const { work } = lane;
  switch (effect.type) {
    case 'queued':
      lane.requests = effect.ahead?.number ?? lane.requests;
      break;
    case 'asked_ahead':
      lane.requests = effect.number;
      break;
    case 'asked':
    case 'awaited':
      assert(work.type === 'idle' || work.type === 'draining', `a lane that is ${work.type} does not ask`);
      lane.work = { type: 'asking', request: effect.request, number: effect.number };
      lane.requests = Math.max(lane.requests, effect.number);
      break;
    case 'barrier_passed':
      assert(work.type === 'asking' && work.request === 'barrier', 'the lane asked for a barrier');
      lane.work = draining;
      lane.readyAt = effect.readyAt;
      break;
    case 'release_began':
      assert(work.type === 'asking', `a lane that is ${work.type} does not begin a release`);
      lane.work = begun(effect);
      lane.readyAt = effect.readyAt;
      break;
    case 'read_ahead':
      assert(work.type === 'releasing' && work.cursor === 0, 'what waits is read before its release');
      lane.work = goneOn(work, effect.read, work);
      break;
    case 'released':
      assert(work.type === 'releasing' && effect.cursor > work.cursor, 'a release goes forward');
      lane.work = goneOn(work, work.read, effect);
      break;
    default:
      changeQueue(lane, effect);
  }
}

type OfQueue = 'advanced' | 'turn_ended' | 'queue_shortened' | 'queue_emptied';

function changeQueue(lane: LaneDraft, effect: Effect & { readonly type: OfQueue }): void {
  switch (effect.type) {
    case 'advanced':
      assert(lane.work.type !== 'idle', 'an idle lane has no queue');
      lane.work = draining;
      lane.queueCursor += 1;
      lane.readyAt = effect.readyAt;
      break;
    case 'turn_ended':
      lane.long = true;
      break;
    case 'queue_shortened':
      lane.queueCursor = 0;
      break;
    case 'queue_emptied':
      assert(lane.work.type === 'draining', `a lane that is ${lane.work.type} still needs its queue`);
      lane.work = idle;
      lane.queueCursor = 0;
      lane.readyAt = -1;
      lane.long = false;
      break;
    default:
      unreachable(effect);
  }
}

/** Outcomes that the lane's state does not tell. */
interface Kept {
  readonly type: 'kept' | 'left_anonymous' | 'dropped' | 'merged' | 'merge_logged';
}

const draining: LaneState['work'] = { type: 'draining' };

function begun({ personId, via, claimedAt, asOf, known }: Fact & { type: 'release_began' }): Releasing {
  const read = undefined;
  return { type: 'releasing', personId, via, claimedAt, asOf, known, read, cursor: 0, count: 0, oldest: 0 };
}

function goneOn(
  { personId, via, claimedAt, asOf, known }: Releasing,
  read: number | undefined,
  { cursor, count, oldest }: Pick<Releasing, 'cursor' | 'count' | 'oldest'>,
): Releasing {
  return { type: 'releasing', personId, via, claimedAt, asOf, known, read, cursor, count, oldest };
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
function move(lane: LaneDraft, moved: Fact & { type: 'moved' }): void {
  const { from, to, since, freed, staleBelow } = moved;
  const renamed = <T extends { readonly personId: PersonId }>(entry: T): T =>
    entry.personId === from ? { ...entry, personId: to } : entry;
  const onward = lane.detours.map((detour) => (detour.to === from ? { ...detour, to } : detour));
  const first = onward.filter((detour, index) => onward.findIndex((d) => d.to === detour.to) === index);
  const detours = first.some((detour) => detour.to === to)
    ? first
    : [...first, { to, via: from, lastAt: since }];
  lane.link = lane.link && renamed(lane.link);
  lane.known = lane.known
    .filter(({ identifier, personId, at }) => {
      return personId !== from || (at >= staleBelow && !namesNobody(identifier, freed));
    })
    .map(renamed);
  // Identity may decide otherwise for the survivor, who may have other identifiers.
  if (lane.decided?.personId === from) lane.decided = null;
  lane.detours = detours.slice(-detoursMax);
}

/** The cio_id of an absorbed person goes with them; of their other identifiers, what the survivor had already. */
function namesNobody(identifier: Identifier, freed: readonly Identifier[]): boolean {
  return identifier.kind === 'cio_id' || freed.some((each) => sameIdentifier(each, identifier));
}

export function sameIdentifier(a: Identifier, b: Identifier): boolean {
  return a.kind === b.kind && a.value === b.value;
}
