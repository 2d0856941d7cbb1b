/**
 * Visitors of a shop under a seed, as calls with the time at which ingest takes them, and what must become of each.
 * Kept inside what is certain whatever the interleaving: an anonymous id is claimed for one person only, a person who
 * was merged away is named no more, and everything happens within the five minutes after a claim.
 */
import { collectedEvent } from '../collected-event.ts';
import type { CollectedEvent } from '../../../schemas/records.ts';
import type { Random } from '../random.ts';

export const workspace = 'shop';
export const orderName = 'Order Completed';
export const checkoutName = 'Checkout Started';
/** Older than a trigger may be. */
const OLD_MS = 80 * 3_600_000;

export interface EventCall {
  readonly type: 'event';
  readonly atMs: number;
  readonly lane: string;
  readonly event: CollectedEvent;
  /** A client that sends again what it has sent. */
  readonly repeat: boolean;
}
export interface MergeCall {
  readonly type: 'merge';
  readonly atMs: number;
  readonly primary: string;
  readonly secondary: string;
}
export type Call = EventCall | MergeCall;

export interface Workload {
  /** In the order of their times. */
  readonly calls: readonly Call[];
  /** Of every message that must reach events.merged: the identifier of its person when it was sent. */
  readonly owners: ReadonlyMap<string, string>;
  /** Messages of each lane from its claim's history on, in the order in which they must come out. */
  readonly orders: readonly (readonly string[])[];
  readonly repeats: number;
}

export interface WorkloadSize {
  readonly visitors: number;
  readonly people: number;
  readonly spanMs: number;
}

interface Draft {
  readonly calls: Call[];
  readonly owners: Map<string, string>;
  readonly orders: string[][];
  messages: number;
}

export function makeWorkload(random: Random, size: WorkloadSize, startMs: number): Workload {
  const draft: Draft = { calls: [], owners: new Map(), orders: [], messages: 0 };
  // The last third of the people are merged away; they are named in the first half of the time only.
  const merged = Math.floor(size.people / 3);
  for (let visitor = 0; visitor < size.visitors; visitor += 1) {
    const person = random.below(size.people);
    const span = person >= size.people - merged ? size.spanMs / 2 - 1 : size.spanMs;
    visit(draft, random, { visitor, person: `u${String(person)}`, spanMs: span, startMs });
  }
  for (let person = 0; person < size.people; person += 1) {
    if (random.chance(0.7))
      callWithoutVisit(draft, random, `u${String(person)}`, {
        atMs: (size.spanMs / 2) * random.next(),
        startMs,
      });
  }
  const named = new Set(draft.owners.values());
  for (let secondary = size.people - merged; secondary < size.people; secondary += 1) {
    const primary = `u${String(random.below(size.people - merged))}`;
    const atMs = size.spanMs / 2 + random.next() * (size.spanMs / 2);
    const known = (id: string): boolean => isNamedBefore(draft.calls, id, atMs);
    if (named.has(`u${String(secondary)}`) && known(primary)) {
      draft.calls.push({ type: 'merge', atMs, primary, secondary: `u${String(secondary)}` });
    }
  }
  const repeats = repeatSome(draft, random, size.spanMs);
  draft.calls.sort((a, b) => a.atMs - b.atMs);
  return { calls: draft.calls, owners: draft.owners, orders: draft.orders, repeats };
}

interface Visit {
  readonly visitor: number;
  readonly person: string;
  readonly spanMs: number;
  readonly startMs: number;
}

function visit(draft: Draft, random: Random, { visitor, person, spanMs, startMs }: Visit): void {
  const anonymousId = `a${String(visitor)}`;
  const lane = `${workspace}:a:${anonymousId}`;
  const count = 2 + random.below(10);
  const times = Array.from({ length: count }, () => Math.floor(random.next() * spanMs)).sort((a, b) => a - b);
  const identifyAt = random.chance(0.75) ? random.below(count) : count;
  const order: string[] = [];
  for (const [index, atMs] of times.entries()) {
    const identify = index === identifyAt;
    // A device that names its person in a plain event does not claim its past by that.
    const names = identify || (index > identifyAt && random.chance(0.3));
    const messageId = messageOf(draft);
    push(draft, lane, atMs, {
      type: identify ? 'identify' : 'event',
      name: identify ? null : nameOf(random),
      anonymous_id: anonymousId,
      identifier_kind: names ? 'id' : 'none',
      identifier: names ? person : null,
      id: identify ? person : null,
      message_id: messageId,
      received_at: startMs + atMs,
      // What waits is released oldest first, so only what follows the identify may be old.
      timestamp: startMs + atMs - (index > identifyAt ? ageOf(random) : 0),
      properties: identify ? JSON.stringify({ plan: random.chance(0.5) ? 'pro' : 'basic' }) : null,
    });
    if (identifyAt === count) continue; // waits for ever
    draft.owners.set(messageId, person);
    order.push(messageId);
  }
  draft.orders.push(order);
}

function callWithoutVisit(
  draft: Draft,
  random: Random,
  person: string,
  times: { readonly atMs: number; readonly startMs: number },
): void {
  const { atMs, startMs } = times;
  const messageId = messageOf(draft);
  push(draft, `${workspace}:i:${person}`, Math.floor(atMs), {
    type: 'event',
    name: nameOf(random),
    anonymous_id: null,
    identifier_kind: 'id',
    identifier: person,
    message_id: messageId,
    received_at: startMs + Math.floor(atMs),
    timestamp: startMs + Math.floor(atMs) - ageOf(random),
  });
  draft.owners.set(messageId, person);
}

function push(draft: Draft, lane: string, atMs: number, fields: Partial<CollectedEvent>): void {
  const event = collectedEvent({ workspace, source: 'simulator', ...fields });
  draft.calls.push({ type: 'event', atMs, lane, event, repeat: false });
}

function repeatSome(draft: Draft, random: Random, spanMs: number): number {
  const repeated = draft.calls.filter((call) => call.type === 'event' && random.chance(0.1));
  for (const call of repeated) {
    if (call.type !== 'event') continue;
    const atMs = call.atMs + Math.floor(random.next() * (spanMs - call.atMs));
    draft.calls.push({ ...call, atMs: Math.max(atMs, call.atMs + 1), repeat: true });
  }
  return repeated.length;
}

function isNamedBefore(calls: readonly Call[], person: string, atMs: number): boolean {
  return calls.some((call) => call.type === 'event' && call.event.identifier === person && call.atMs < atMs);
}

function messageOf(draft: Draft): string {
  draft.messages += 1;
  return `m${String(draft.messages)}`;
}

function nameOf(random: Random): string {
  if (random.chance(0.15)) return orderName;
  return random.chance(0.2) ? checkoutName : 'Product Viewed';
}

/** ms between an event and its receipt. */
function ageOf(random: Random): number {
  return random.chance(0.1) ? OLD_MS : 0;
}
