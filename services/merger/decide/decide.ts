/**
 * Decides what becomes of a lane's events. Pure: told the lane's state, the event in hand and what is known of people.
 *
 * States of a lane, and what moves it:
 *   idle       nothing in hand                          an event whose person is not known asks: asking
 *   asking     the head of the queue waits for identity  granted: releasing; resolved, refused: draining
 *   releasing  what waited goes out by a cursor          done: the identify itself, then draining
 *   draining   the queue takes its turns                 an event that must ask: asking; the queue is empty: idle
 * Whatever arrives while the lane is not idle joins the queue's end, so nothing overtakes. If it must ask whatever the
 * lane comes to before it (a control call stands before it), it asks at once, ahead of its turn, unless something before
 * it in the lane has yet to ask.
 */
import type { PersonId } from '../../../schemas/ids.ts';
import { canonicalIdentifier, type Identifier, type IdentifierKind } from '../../../schemas/lanes.ts';
import { assert, unreachable } from '../../runtime/errors.ts';
import { evolveLane, sameIdentifier, type Effect } from './effects.ts';
import type { KnownIdentifiers } from './known-identifiers.ts';
import { graceMs, quietMs, waitingMs } from './limits.ts';
import { survivorOf, type People } from './people.ts';
import type { Decided, Known, LaneRequest, LaneState } from './state.ts';

export interface LaneEvent {
  readonly receivedAt: number;
  readonly timestamp: number;
  /** The lane is an anonymous id's. */
  readonly anonymous: boolean;
  /** It says something of somebody (an object, a trait), which is no event that is counted. */
  readonly uncounted?: boolean;
  /** False: it is to wait for nobody, as the workspace wants it of bots. */
  readonly waits?: boolean;
  /** What the call names; null for nobody. */
  readonly identifier: Identifier | null;
  /** An identify: its canonical identifiers and anonymous id as one text. Null for any other event. */
  readonly fingerprint: string | null;
  /**
   * A control call that identity has not decided stands before it: what the lane remembers may not be so any more. So
   * one that names somebody asks as if the lane remembered nothing; one that does not asks for a barrier.
   */
  readonly behindMarker: boolean;
  /** What the visitor says of their consent; null or absent for any other record. */
  readonly consent?: 'withdrawn' | 'given' | null;
}

export interface Answer {
  readonly kind: 'granted' | 'resolved' | 'refused' | 'passed';
  readonly number: number;
  readonly personId: PersonId | null;
  readonly claimedAt: number | null;
  readonly reason: string | null;
  /** Kinds of the call's identifiers that stayed somebody else's. */
  readonly conflicts: readonly IdentifierKind[];
  /** Its offset on identity.decisions. */
  readonly at: number;
  /** The last fact about the person when it was given; 0 when it names nobody. */
  readonly asOf: number;
  /** The person's identifiers, for whoever reads the event. */
  readonly known?: KnownIdentifiers | undefined;
}

export type LaneInput =
  /** All asked: nothing in the lane has yet to ask identity. */
  | { readonly type: 'arrived'; readonly event: LaneEvent; readonly allAsked?: boolean }
  /** The head of a draining lane's queue. */
  | { readonly type: 'turn'; readonly event: LaneEvent; readonly ahead?: Ahead | undefined }
  /** `event` is the one that asked. */
  | { readonly type: 'answered'; readonly answer: Answer; readonly event: LaneEvent }
  /** All that waited has gone out; `event` is the identify that claimed it. */
  | { readonly type: 'all_released'; readonly event: LaneEvent }
  /** The event in hand could not be handled and lies in dead.letters: the queue goes on behind it. */
  | { readonly type: 'put_aside'; readonly readyAt?: number }
  /** The lane's anonymous id was taken from one person and given to another. */
  | {
      readonly type: 'split';
      readonly from: PersonId;
      readonly to: PersonId;
      /** Number of the fact. */
      readonly asOf: number;
    };

/** What the event asked ahead of its turn, and the answer, if it is there. */
export interface Ahead {
  readonly number: number;
  readonly answer: Answer | undefined;
}

export interface Decision {
  readonly lane: LaneState;
  readonly effects: readonly Effect[];
}

export function decideLane(lane: LaneState, input: LaneInput, people: People): Decision {
  const draft = new Draft(lane, people);
  switch (input.type) {
    case 'arrived':
      if (lane.work.type !== 'idle') draft.queue(input.event, input.allAsked === true);
      else takeTurn(draft, input.event, true);
      break;
    case 'turn':
      assert(lane.work.type === 'draining', `a lane that is ${lane.work.type} gives its queue no turns`);
      if (input.ahead !== undefined) takeAhead(draft, input.ahead, input.event);
      else {
        takeTurn(draft, input.event, false);
        if (draft.lane.work.type === 'draining') draft.advance();
      }
      break;
    case 'answered':
      takeAnswer(draft, input.answer, input.event);
      break;
    case 'all_released':
      endRelease(draft, input.event);
      break;
    case 'put_aside':
      draft.advance(input.readyAt);
      break;
    case 'split':
      relink(draft, input);
      break;
    default:
      unreachable(input);
  }
  return draft;
}

/** A lane and what became of it so far. */
class Draft implements Decision {
  lane: LaneState;
  readonly effects: Effect[] = [];
  readonly people: People;

  constructor(lane: LaneState, people: People) {
    this.lane = lane;
    this.people = people;
  }

  push(effect: Effect): void {
    this.effects.push(effect);
    this.lane = evolveLane(this.lane, effect);
  }
  queue(event: LaneEvent, allAsked: boolean): void {
    const request = event.behindMarker && allAsked ? requestOf(this.lane, event) : null;
    this.push({ type: 'queued', ahead: request && { request, number: this.lane.requests + 1 } });
  }
  advance(readyAt = this.lane.readyAt): void {
    this.push({ type: 'advanced', readyAt });
  }

  /** Who stands behind an entry of the lane today, noticing merges; undefined when the entry is dead. */
  survivor(personId: PersonId, learnedAt: number): PersonId | undefined {
    const survivor = survivorOf(this.people, personId, learnedAt);
    if (survivor === undefined) return undefined;
    const { personId: to, since, freed, staleBelow } = survivor;
    if (since !== undefined) this.push({ type: 'moved', from: personId, to, since, freed, staleBelow });
    return to;
  }
  /** Before the lane sends to somebody new: they may be who took in somebody that it sent to. */
  noticeMerges(): void {
    const { link, known } = this.lane;
    if (link !== null) this.survivor(link.personId, Infinity);
    for (const { personId, at } of known) this.survivor(personId, at);
  }
  knownPerson(identifier: Identifier): Known | undefined {
    const find = (): Known | undefined =>
      this.lane.known.find((entry) => sameIdentifier(entry.identifier, identifier));
    const known = find();
    if (known === undefined || this.survivor(known.personId, known.at) === undefined) return undefined;
    return find(); // a merge that was noticed may have left the identifier to nobody
  }
  decidedPerson(fingerprint: string): Decided | undefined {
    const { decided } = this.lane;
    if (decided?.fingerprint !== fingerprint) return undefined;
    const survivor = this.survivor(decided.personId, decided.at);
    return survivor === decided.personId ? decided : undefined;
  }

  /** By whose stream the person is reached: an absorbed one's until the lane has been quiet for long enough. */
  route(personId: PersonId, receivedAt: number): PersonId {
    const detour = this.lane.detours.find(({ to }) => to === personId);
    if (detour === undefined) return personId;
    if (receivedAt - detour.lastAt > quietMs) {
      this.push({ type: 'detour_ended', to: personId });
      return personId;
    }
    if (receivedAt > detour.lastAt) this.push({ type: 'detoured', to: personId, at: receivedAt });
    return detour.via;
  }

  merge(
    { personId, asOf }: Pick<Known, 'personId' | 'asOf'>,
    event: LaneEvent,
    known?: KnownIdentifiers,
  ): void {
    const via = this.route(personId, event.receivedAt);
    const mergedAt = event.receivedAt;
    this.push({ type: 'merged', personId: via, mergedAt, previouslyAnonymous: false, asOf, known });
  }

  ask(request: LaneRequest, arrived: boolean): void {
    if (arrived) this.push({ type: 'queued', ahead: null });
    this.push({ type: 'asked', request, number: this.lane.requests + 1 });
  }
}

/** What the event asks when nothing that the lane remembers counts. */
export function requestOf(
  { link }: LaneState,
  { receivedAt, identifier, fingerprint, consent = null }: LaneEvent,
): LaneRequest | null {
  if (consent !== null) return null;
  if (identifier !== null) return fingerprint === null ? 'resolve' : 'claim';
  const mayMerge = fingerprint === null && link !== null && isClaimable(receivedAt, link.claimedAt);
  return mayMerge ? 'barrier' : null;
}

function takeAhead(draft: Draft, { number, answer }: Ahead, event: LaneEvent): void {
  const request = requestOf(draft.lane, event);
  draft.push({ type: 'awaited', request: request ?? 'barrier', number });
  if (answer !== undefined) takeAnswer(draft, answer, event);
}

function takeTurn(draft: Draft, event: LaneEvent, arrived: boolean): void {
  if (event.consent === 'withdrawn') draft.push({ type: 'withdrawn' });
  else if (event.consent === 'given') draft.push({ type: 'consented' });
  else if (event.fingerprint !== null) takeIdentify(draft, event, event.fingerprint, arrived);
  else if (event.identifier !== null) takeNamed(draft, event, event.identifier, arrived);
  else takeNameless(draft, event, arrived);
}

/** A browser identifies on every page: only an identify that says something new goes to identity. */
function takeIdentify(draft: Draft, event: LaneEvent, fingerprint: string, arrived: boolean): void {
  if (event.identifier === null) {
    draft.push({ type: 'dropped', reason: 'identify_without_identifier' });
    return;
  }
  const same = draft.decidedPerson(fingerprint);
  if (same === undefined || event.behindMarker) draft.ask('claim', arrived);
  else draft.merge(same, event);
}

/** Belongs to whom it names, whatever the lane is linked to (spec C.1 rows 17 and 27). */
function takeNamed(draft: Draft, event: LaneEvent, named: Identifier, arrived: boolean): void {
  const known = draft.knownPerson(canonicalIdentifier(named));
  if (known === undefined || event.behindMarker) draft.ask('resolve', arrived);
  else draft.merge(known, event);
}

/** Belongs to whoever claims the anonymous id, or claimed it no longer ago than five minutes (spec C.1 rows 5 to 8). */
function takeNameless(draft: Draft, event: LaneEvent, arrived: boolean): void {
  const { link, withdrawn } = draft.lane;
  if (withdrawn) {
    draft.push({ type: 'dropped', reason: 'consent_withdrawn' });
    return;
  }
  if (link === null) {
    // Without an anonymous id nobody can ever claim it (spec C.1 row 22).
    if (!event.anonymous) draft.push({ type: 'left_anonymous' });
    else if (event.waits === false) draft.push({ type: 'dropped', reason: 'bot_not_awaited' });
    else draft.push({ type: 'kept' });
    return;
  }
  const personId = isClaimable(event.receivedAt, link.claimedAt)
    ? draft.survivor(link.personId, Infinity) // a split moves links by name, so a link is never stale
    : undefined;
  if (personId === undefined) {
    draft.push({ type: 'left_anonymous' });
    return;
  }
  if (event.behindMarker) {
    draft.ask('barrier', arrived);
    return;
  }
  const at = Math.max(event.receivedAt, link.claimedAt);
  const via = draft.route(personId, event.receivedAt);
  draft.push({ type: 'merged', personId: via, mergedAt: at, previouslyAnonymous: true, asOf: link.asOf });
  if (event.uncounted !== true)
    draft.push({ type: 'merge_logged', personId, count: 1, oldest: event.timestamp, at });
}

/**
 * What takeNameless comes to for an event that an idle lane gets too long after its claim, or too long before: nothing.
 * Asked first, since in most lanes such events are most of what comes after a claim.
 */
export function staysAnonymous({ link, work, withdrawn }: LaneState, receivedAt: number): boolean {
  return !withdrawn && work.type === 'idle' && link !== null && !isClaimable(receivedAt, link.claimedAt);
}

/** Exactly 30 days before and exactly five minutes after count as within. */
export function isClaimable(receivedAt: number, claimedAt: number): boolean {
  return receivedAt >= claimedAt - waitingMs && receivedAt <= claimedAt + graceMs;
}

function takeAnswer(draft: Draft, answer: Answer, event: LaneEvent): void {
  const { work } = draft.lane;
  assert(work.type === 'asking', `a lane that is ${work.type} was given an answer`);
  assert(answer.number === work.number, 'the answer is to what the event in hand asked');
  if (work.request === 'barrier') {
    passBarrier(draft, answer.at, event);
    return;
  }
  if (answer.kind === 'refused') {
    draft.push({ type: 'dropped', reason: answer.reason ?? 'refused' });
    draft.advance(answer.at);
    return;
  }
  assert(answer.personId !== null, 'an answer that grants or resolves names a person');
  draft.noticeMerges();
  const { personId, asOf, known, at: readyAt } = answer;
  remember(draft, answer, personId, event);
  if (answer.kind === 'resolved') {
    draft.merge({ personId, asOf }, event, known);
    draft.advance(answer.at);
    return;
  }
  assert(work.request === 'claim', 'only a claim is granted');
  const claimedAt = answer.claimedAt ?? event.receivedAt;
  draft.push({ type: 'linked', link: { personId, claimedAt, asOf } });
  const via = draft.route(personId, claimedAt);
  draft.push({ type: 'release_began', personId, via, claimedAt, asOf, known, readyAt });
}

/**
 * Every control call before the event that identity knows of is decided, and what came of them was told before this
 * answer. So the event takes its turn by whom the lane is linked to.
 */
function passBarrier(draft: Draft, at: number, event: LaneEvent): void {
  draft.push({ type: 'barrier_passed', readyAt: at });
  takeTurn(draft, { ...event, behindMarker: false }, false);
  if (draft.lane.work.type === 'draining') draft.advance();
}

/** Reasons beside an answer that do not change its being so the next time. */
const settled: ReadonlySet<string | null> = new Set([null, 'anonymous_id_taken']);

function remember(draft: Draft, answer: Answer, personId: PersonId, event: LaneEvent): void {
  const { at, asOf, conflicts } = answer;
  if (event.identifier !== null && !conflicts.includes(event.identifier.kind)) {
    draft.push({ type: 'learned', identifier: canonicalIdentifier(event.identifier), personId, at, asOf });
  }
  if (event.fingerprint !== null && conflicts.length === 0 && settled.has(answer.reason)) {
    draft.push({ type: 'decided', fingerprint: event.fingerprint, personId, at, asOf });
  }
}

function endRelease(draft: Draft, event: LaneEvent): void {
  const { work, readyAt } = draft.lane;
  assert(work.type === 'releasing', `a lane that is ${work.type} has nothing to end`);
  if (work.count > 0) {
    const { personId, count, oldest, claimedAt } = work;
    draft.push({ type: 'merge_logged', personId, count, oldest, at: claimedAt });
  }
  draft.push({
    type: 'merged',
    personId: draft.route(work.personId, event.receivedAt),
    mergedAt: event.receivedAt,
    previouslyAnonymous: false,
    asOf: work.asOf,
    known: work.known,
  });
  draft.advance(readyAt);
}

function relink(draft: Draft, { from, to, asOf }: LaneInput & { type: 'split' }): void {
  const { link } = draft.lane;
  if (link === null) return;
  const owner = survivorOf(draft.people, link.personId, Infinity)?.personId ?? link.personId;
  if (owner === from) draft.push({ type: 'relinked', personId: to, asOf });
}
