/**
 * What the merger must come to, told as naively as it can be: every call takes its whole effect before the next, a lane
 * is a list, and a split goes through all that was ever merged. Nothing here is bounded, cached, asked or released.
 * For the model test only.
 */
import type { Identifier } from '../../../schemas/lanes.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import { isLaneCall, keyOf, type Call, type ControlCall, type LaneCall } from './calls.ts';
import {
  attribute,
  identifiersOf,
  OraclePeople,
  personToday,
  survivor,
  type Person,
} from './oracle-people.ts';

export interface MergedCall {
  /** Whose it became; who they are today is personToday's to say. */
  person: Person;
  readonly named: Identifier | null;
  readonly messageId: string;
  readonly type: 'event' | 'identify';
  readonly once: boolean;
  readonly mergedAt: number;
}
interface Lane {
  claim: { person: Person; readonly at: number } | null;
  waiting: LaneCall[];
  readonly seen: Map<string, number>;
  /** People whom identify calls of the visitor have named. */
  readonly named: Set<Person>;
}

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;

export class Oracle {
  readonly people = new OraclePeople();
  readonly merged = new Map<string, MergedCall[]>();
  readonly dropped: string[] = [];
  readonly #lanes = new Map<string, Lane>();
  readonly #workspace: string;
  readonly #repeatMs: number;

  constructor(workspace: string, repeatMs: number) {
    this.#workspace = workspace;
    this.#repeatMs = repeatMs;
  }

  get settings(): WorkspaceSettings {
    return this.people.settings;
  }

  take(call: Call): void {
    if (isLaneCall(call)) this.#takeInLane(call);
    else if (call.type === 'settings') this.people.settings = call.settings;
    else if (call.type !== 'lost') {
      const reason = call.type === 'split' ? this.#split(call) : this.people.control(call);
      if (reason !== null) this.dropped.push(`${this.#workspace} ${reason} ${call.type}`);
    }
  }

  /** Whose the anonymous id is today: null for a deleted person's, undefined for nobody's. */
  claimant(visitor: string): Person | null | undefined {
    const claim = this.#lanes.get(this.#laneOf(visitor))?.claim ?? undefined;
    return claim && personToday(claim.person);
  }

  #takeInLane(call: LaneCall): void {
    const lane = this.#lane(call.lane);
    const message = `${call.named === null ? '' : keyOf(call.named)} ${call.messageId}`;
    const before = lane.seen.get(message);
    if (before !== undefined && this.#isRepeat(call.receivedAt, before)) {
      this.#drop(call, 'duplicate_message');
      return;
    }
    lane.seen.set(message, call.receivedAt);
    if (call.named === null) this.#takeNameless(lane, call);
    else this.#takeNamed(lane, call, call.named);
  }

  /** Times are remembered as whole hours: a repeat is one for the window, and for less than an hour more. */
  #isRepeat(receivedAt: number, before: number): boolean {
    const hours = Math.abs(Math.floor(receivedAt / HOUR) - Math.floor(before / HOUR));
    return hours <= Math.ceil(this.#repeatMs / HOUR);
  }

  #takeNameless(lane: Lane, call: LaneCall): void {
    const { claim } = lane;
    if (claim === null) {
      if (call.visitor !== null) lane.waiting.push(call);
    } else if (isClaimable(call, claim.at)) {
      this.#emit(call, claim.person, Math.max(call.receivedAt, claim.at), true);
    }
  }

  #takeNamed(lane: Lane, call: LaneCall, named: Identifier): void {
    const claims = call.type === 'identify' && call.visitor !== null;
    if (claims && this.#namesTooMany(lane, call, named)) {
      this.#drop(call, 'too_many_people');
      return;
    }
    const person = this.people.resolve(call);
    if (typeof person === 'string') {
      this.#drop(call, person);
      return;
    }
    if (claims) {
      lane.named.add(person);
      if (lane.claim === null && this.#mayClaim(person, call)) this.#claim(lane, person, call.receivedAt);
    }
    this.#emit(call, person, call.receivedAt, false);
  }

  #claim(lane: Lane, person: Person, at: number): void {
    lane.claim = { person, at };
    person.claims.push(at);
    const claimed = lane.waiting.filter((each) => isClaimable(each, at));
    claimed.sort((a, b) => a.timestamp - b.timestamp);
    for (const each of claimed) this.#emit(each, person, at, true);
    lane.waiting = [];
  }

  #mayClaim(person: Person, { visitor, named, also, receivedAt }: LaneCall): boolean {
    const { anonymous_event_merge: mergesEvents, guards } = this.settings;
    if (!mergesEvents || (guards.illegal_identifiers && visitor === 'null')) return false;
    const itself = [named, ...also].some((each) => each?.value === visitor);
    if (guards.illegal_identifiers && itself) return false;
    const limit = guards.anonymous_ids_per_person;
    if (limit === null) return true;
    return (person.claims.at(-limit.at_most) ?? -Infinity) <= receivedAt - limit.within_ms;
  }

  /** Histories use a window without an end: a repeated identify is not sent to identity, so it makes no name newer. */
  #namesTooMany(lane: Lane, call: LaneCall, named: Identifier): boolean {
    const limit = this.settings.guards.people_per_anonymous_id;
    if (limit === null) return false;
    const others = new Set([...lane.named].map(survivor));
    const person = this.people.located(named, call.also);
    return others.size >= limit.at_most && (person === undefined || !others.has(person));
  }

  #emit({ lane, named, messageId, type }: LaneCall, person: Person, mergedAt: number, once: boolean): void {
    const list = this.merged.get(lane) ?? [];
    list.push({ person, named, messageId, type, once, mergedAt });
    this.merged.set(lane, list);
  }

  #drop({ lane, messageId }: LaneCall, reason: string): void {
    this.dropped.push(`${lane} ${reason} ${messageId}`);
  }

  #split(call: ControlCall & { type: 'split' }): string | null {
    const { people } = this;
    const from = people.owner(call.from);
    if (from === undefined) return 'person_unknown';
    const said = new Set(call.identifiers.map(keyOf));
    const theirs = identifiersOf(from).filter((each) => said.has(keyOf(each)));
    const visitors = call.anonymousIds.filter((each) => this.claimant(each) === from);
    if (theirs.length + visitors.length === 0) return 'person_unknown';
    const known = call.into === null ? undefined : people.owner(call.into);
    const isOwn = theirs.some((each) => call.into !== null && keyOf(each) === keyOf(call.into));
    if (known === from && !isOwn) return 'merge_same_person';
    const into = isOwn ? null : call.into;
    if (known === undefined && into !== null) {
      const cannotBe = into.kind === 'cio_id' || people.isSuppressed(into) || people.isIllegal(into);
      if (cannotBe) return 'identifier_illegal';
    }
    const has = (kind: Identifier['kind']): boolean =>
      known === undefined || isOwn ? into?.kind === kind : attribute(known, kind) !== null;
    const movable = theirs.filter(({ kind }) => !has(kind));
    if (movable.length + visitors.length === 0) return 'identifier_conflict';
    const to = known === undefined || isOwn ? people.create(into) : known;
    for (const each of movable) people.move(each, from, to);
    this.#rewrite(from, to, { visitors, names: movable.map(keyOf) });
    return null;
  }

  /** What was merged under these names goes with them. */
  #rewrite(from: Person, to: Person, moved: { visitors: readonly string[]; names: readonly string[] }): void {
    const lanes = moved.visitors.map((each) => this.#laneOf(each));
    for (const key of lanes) {
      const { claim } = this.#lane(key);
      if (claim !== null) claim.person = to;
    }
    for (const [lane, calls] of this.merged) {
      for (const call of calls) {
        const goes = call.named === null ? lanes.includes(lane) : moved.names.includes(keyOf(call.named));
        if (goes && personToday(call.person) === from) call.person = to;
      }
    }
  }

  #laneOf(visitor: string): string {
    return `${this.#workspace}:a:${visitor}`;
  }
  #lane(key: string): Lane {
    const known = this.#lanes.get(key);
    const lane = known ?? { claim: null, waiting: [], seen: new Map(), named: new Set() };
    if (known === undefined) this.#lanes.set(key, lane);
    return lane;
  }
}

function isClaimable({ receivedAt }: LaneCall, at: number): boolean {
  return receivedAt >= at - 30 * DAY && receivedAt <= at + 5 * MINUTE;
}
