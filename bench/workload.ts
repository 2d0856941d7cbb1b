/**
 * The event stream of the merger's race, from a seed: 20,000 visitors active at any time, lives of 12 events on average
 * (geometric), 8 % of visitors identify at a random point. Gaps: 85 % within a visit (exponential, 40 s), 14.5 % between
 * visits (exponential, 1.6 days), 0.5 % around 30 days. 5 % of the claims are a second device of a known user; 20 % of
 * identified visitors identify once more (three quarters the same user). 10 % of the events carry a timestamp up to a
 * minute earlier than their arrival order, 2 % repeat the previous timestamp. The same events, in the same order and
 * with the same times, as those that the Kafka Streams application was given.
 */
import type { CollectedEvent } from '../schemas/records.ts';
import { product, SplittableRandom } from './splittable-random.ts';

export const workloadStart = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const ACTIVE = 20_000;
const NAMES = ['page_viewed', 'product_viewed', 'add_to_cart', 'checkout_started'] as const;

interface Visitor {
  readonly id: number;
  readonly anonymousId: string;
  left: number;
  identifyIn: number;
  againIn: number;
  next: number;
  lastTimestamp: number;
  user: string | null;
}

/** The event just made; one object, reused. */
export interface WorkloadEvent {
  sequence: number;
  visitor: number;
  anonymousId: string;
  receivedAt: number;
  timestamp: number;
  /** Of an identify; null for any other event. */
  userId: string | null;
  name: string;
  product: number;
}

export class Workload {
  readonly #random: SplittableRandom;
  readonly #queue: Visitor[] = [];
  visitors = 0;
  #users = 0;
  readonly event: WorkloadEvent = {
    sequence: -1,
    visitor: 0,
    anonymousId: '',
    receivedAt: 0,
    timestamp: 0,
    userId: null,
    name: '',
    product: 0,
  };

  /** @param active visitors at any time; with another number than the usual one these are other events */
  constructor(seed: number, active: number = ACTIVE) {
    this.#random = new SplittableRandom(seed);
    for (let i = 0; i < active; i += 1) {
      const visitor = this.#arrive();
      visitor.next = workloadStart + this.#random.long(DAY_MS / 24);
      this.#push(visitor);
    }
  }

  next(): WorkloadEvent {
    const random = this.#random;
    const { event } = this;
    const visitor = this.#pop();
    event.sequence += 1;
    event.visitor = visitor.id;
    event.anonymousId = visitor.anonymousId;
    event.receivedAt = visitor.next;
    event.timestamp = this.#timestamp(visitor);
    const p = random.double();
    event.name = NAMES[p < 0.45 ? 0 : p < 0.8 ? 1 : p < 0.92 ? 2 : 3];
    event.product = random.int(50_000);
    event.userId = this.#identify(visitor);
    if (event.userId !== null) event.name = 'identify';
    this.#goOn(visitor);
    return event;
  }

  #timestamp(visitor: Visitor): number {
    const p = this.#random.double();
    if (p >= 0.02 || visitor.lastTimestamp === 0) {
      visitor.lastTimestamp = visitor.next - (p < 0.12 ? this.#random.int(60_000) : this.#random.int(200));
    }
    return visitor.lastTimestamp;
  }

  #identify(visitor: Visitor): string | null {
    const random = this.#random;
    let userId: string | null = null;
    if (visitor.identifyIn === 0) {
      const number = this.#users > 0 && random.double() < 0.05 ? random.int(this.#users) : this.#users++;
      visitor.user = userId = `user-${String(number)}`;
      if (visitor.left > 1 && random.double() < 0.2) visitor.againIn = 1 + random.int(visitor.left - 1);
    } else if (visitor.againIn === 0) {
      userId = random.double() < 0.75 ? visitor.user : `user-${String(random.int(this.#users))}`;
    }
    visitor.identifyIn -= 1;
    visitor.againIn -= 1;
    return userId;
  }

  #goOn(visitor: Visitor): void {
    const receivedAt = visitor.next;
    visitor.left -= 1;
    if (visitor.left > 0) {
      visitor.next = receivedAt + this.#gap();
      this.#push(visitor);
      return;
    }
    const next = receivedAt + this.#gap();
    const another = this.#arrive();
    another.next = next;
    this.#push(another);
  }

  #arrive(): Visitor {
    const random = this.#random;
    const id = this.visitors;
    this.visitors += 1;
    const left = 1 + Math.trunc(Math.log(1 - random.double()) / Math.log(1 - 1 / 12));
    const visitor: Visitor = {
      id,
      anonymousId: uuidOf(id),
      left,
      identifyIn: -1,
      againIn: -1,
      next: 0,
      lastTimestamp: 0,
      user: null,
    };
    if (random.double() < 0.08) {
      visitor.identifyIn = random.int(left + 1);
      visitor.left += 1;
    }
    return visitor;
  }

  #gap(): number {
    const random = this.#random;
    const p = random.double();
    if (p < 0.85) return Math.trunc(-40_000 * Math.log(1 - random.double()));
    if (p < 0.995) return Math.trunc(-1.6 * DAY_MS * Math.log(1 - random.double()));
    return Math.trunc((29.5 + random.double()) * DAY_MS);
  }

  /** A heap by (next, id). */
  #push(visitor: Visitor): void {
    const queue = this.#queue;
    let at = queue.length;
    queue.push(visitor);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = queue[parent] as Visitor; // parent < at < length
      if (!isBefore(visitor, above)) break;
      queue[at] = above;
      at = parent;
    }
    queue[at] = visitor;
  }

  #pop(): Visitor {
    const queue = this.#queue;
    const first = queue[0];
    const last = queue.pop();
    if (first === undefined || last === undefined) throw new RangeError('there is always somebody active');
    if (queue.length === 0) return first;
    let at = 0;
    for (let child = 1; child < queue.length; child = 2 * at + 1) {
      const left = queue[child] as Visitor; // child < length
      const right = queue[child + 1];
      const least = right !== undefined && isBefore(right, left) ? child + 1 : child;
      const candidate = queue[least] as Visitor; // one of the two above
      if (!isBefore(candidate, last)) break;
      queue[at] = candidate;
      at = least;
    }
    queue[at] = last;
    return first;
  }
}

/** As an accepted call of the workspace `shop`: a page, an event or an identify. */
export function asCollected(event: WorkloadEvent): CollectedEvent {
  const { userId, product: number } = event;
  const path = `/products/${String(number)}`;
  const price = `${String(5 + (number % 200))}.99`;
  return {
    received_at: event.receivedAt,
    type: userId !== null ? 'identify' : event.name === NAMES[0] ? 'page' : 'event',
    identifier_kind: userId === null ? 'none' : 'id',
    identifier: userId,
    anonymous_id: event.anonymousId,
    message_id: event.sequence.toString(16).padStart(16, '0'),
    timestamp: event.timestamp,
    workspace: 'shop',
    source: 'pipelines.track',
    name: userId === null ? event.name : null,
    id: userId,
    email: null,
    cio_id: null,
    update_only: false,
    attributes_at: null,
    properties: `{"path":"${path}","product_id":"sku-${String(number)}","price":${price},"currency":"EUR"}`,
    context: '{"library":{"name":"analytics.js","version":"next-0.5.11"}}',
    bot: false,
    waits: true,
  };
}

function isBefore(a: Visitor, b: Visitor): boolean {
  return a.next !== b.next ? a.next < b.next : a.id < b.id;
}

function uuidOf(id: number): string {
  const [high, low] = [scramble(2 * id + 1), scramble(2 * id + 2)];
  const text =
    hex(high[0]) +
    hex(((high[1] & ~0xf000) | 0x4000) >>> 0) +
    hex(((low[0] & 0x3fffffff) | 0x80000000) >>> 0) +
    hex(low[1]);
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
function scramble(value: number): [number, number] {
  let word: [number, number] = [0, value | 0];
  word = product(word[0], word[1] ^ (word[0] >>> 1), 0xff51afd7, 0xed558ccd);
  word = product(word[0], word[1] ^ (word[0] >>> 1), 0xc4ceb9fe, 0x1a85ec53);
  return [word[0], word[1] ^ (word[0] >>> 1)];
}
function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
