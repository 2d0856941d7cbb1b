/**
 * One anonymous id with very many events (a shared kiosk, a bot that keeps its cookie): claimed, and meanwhile everybody
 * else goes on. And the same number behind an identity that does not answer. Throws when a promise breaks; returns what
 * it took. For tests of hostile inputs only.
 */
import { assert } from '../../runtime/errors.ts';
import {
  laneEventsMax,
  longReadEventsMin,
  releaseBytesMax,
  releaseEventsMax,
  shortReleaseEventsMax,
} from '../../merger/decide/limits.ts';
import { HostileShop, identify, START } from './shop.ts';

export interface OneVisitorOptions {
  readonly folder: string;
  /** Events that the lane takes. */
  readonly events: number;
  /** Events above the limit; `events` is the limit then. */
  readonly overfull: number;
  /** The lanes start again before each batch of the release. */
  readonly restarts?: boolean;
  /** Waiting events of one lane, if not the usual limit. */
  readonly laneEventsMax?: number;
}
export interface OneVisitorReport {
  readonly events: number;
  readonly fedPerSecond: number;
  readonly releasedPerSecond: number;
  readonly batches: number;
  readonly batchEventsMax: number;
  readonly batchMsMax: number;
  /** Growth of the process over the whole of it. */
  readonly memoryMiB: number;
  /** Other visitors who identified meanwhile, all released in the batch that brought their answer. */
  readonly othersReleased: number;
  readonly droppedAsFull: number;
}

const FEED_EVENTS = 5_000;
const KIOSK = 'kiosk';
const TIMES = 1_000;
const SECOND = 1_000;
/** Before the first is released. */
const READING_BATCHES_MAX = Math.ceil(laneEventsMax / longReadEventsMin);
/** What a merged event has before the event. */
const HEADER_BYTES_MAX = 200;

export function claimedVisitor(options: OneVisitorOptions): OneVisitorReport {
  const run = new Run(options);
  run.feedVisits(options.events + options.overfull);
  run.shop.feed([
    at({ ...identify(KIOSK, { kind: 'id', value: '42' }), message_id: 'claim' }, run.shop.time),
  ]);
  const report = run.release(options.events + 1);
  assert(run.inOrder === options.events, 'what waited went out in the order of its timestamps and arrivals');
  return report;
}

/** The claim comes first and is not answered: what follows queues, and goes out in the order in which it came. */
export function unansweredVisitor(options: OneVisitorOptions): OneVisitorReport {
  const run = new Run(options);
  run.shop.feed([
    at({ ...identify(KIOSK, { kind: 'id', value: '42' }), message_id: 'claim' }, run.shop.time),
  ]);
  run.feedVisits(options.events - 1 + options.overfull); // the claim has a place in the queue, too
  const report = run.release(options.events);
  assert(run.inArrival === options.events - 1, 'what queued went out in the order in which it came');
  return report;
}

class Run {
  readonly shop: HostileShop;
  /** Events so far whose order held: by (timestamp, arrival), and by arrival. */
  inOrder = 0;
  inArrival = 0;
  readonly #options: OneVisitorOptions;
  readonly #baseBytes = process.memoryUsage().rss;
  #peakBytes = 0;
  #fedMs = 0;
  #fed = 0;
  #dropped = 0;
  #last = { timestamp: -Infinity, number: -1 };

  constructor(options: OneVisitorOptions) {
    this.#options = options;
    this.shop = new HostileShop(options.folder, options.laneEventsMax);
  }

  /** Timestamps jump about, and many are the same. */
  feedVisits(count: number): void {
    const began = performance.now();
    for (let fed = 0; fed < count; fed += FEED_EVENTS) {
      const events = Array.from({ length: Math.min(FEED_EVENTS, count - fed) }, (_, index) => {
        const number = fed + index;
        const timestamp = START - ((number * 7_919) % TIMES) * SECOND;
        return {
          anonymous_id: KIOSK,
          message_id: `k${String(number)}`,
          timestamp,
          received_at: this.shop.time,
        };
      });
      this.shop.feed(events, { dropped: ({ reason }) => (this.#dropped += Number(reason === 'lane_full')) });
      this.#sample();
    }
    this.#fedMs = performance.now() - began;
    this.#fed = count;
    assert(this.#dropped === this.#options.overfull, 'what was above the limit has its row');
  }

  /** Identity answers; in each batch until the kiosk is done another visitor is answered, too. */
  release(kioskEvents: number): OneVisitorReport {
    const { shop } = this;
    const { events } = this.#options;
    shop.batchMsMax = 0;
    shop.answer();
    const began = performance.now();
    let [batches, released, othersReleased, batchEventsMax] = [0, 0, 0, 0];
    while (released < kioskEvents) {
      const releasing = batches - READING_BATCHES_MAX;
      assert(releasing * shortReleaseEventsMax <= kioskEvents, 'every batch releases its share');
      if (this.#options.restarts === true) shop.lanes.restart();
      shop.time += SECOND; // what a batch may let out is there again
      const size = this.#batch(batches);
      batches += 1;
      released += size.events;
      othersReleased += size.others;
      batchEventsMax = Math.max(batchEventsMax, size.events);
      // The claim itself goes out with the last of them.
      assert(size.events <= releaseEventsMax + 1, 'a batch releases no more events than the limit');
      assert(size.bytes <= releaseBytesMax + size.events * HEADER_BYTES_MAX, 'nor more bytes');
      shop.answer();
      this.#sample();
    }
    const releaseMs = performance.now() - began;
    assert(othersReleased === batches - 1, 'another visitor is released by the batch that brings the answer');
    shop.settle();
    shop.close();
    const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1_000);
    return {
      events,
      fedPerSecond: perSecond(this.#fed, this.#fedMs),
      releasedPerSecond: perSecond(events, releaseMs),
      batches,
      batchEventsMax,
      batchMsMax: Math.round(shop.batchMsMax),
      memoryMiB: Math.round((this.#peakBytes - this.#baseBytes) / 2 ** 20),
      othersReleased,
      droppedAsFull: this.#dropped,
    };
  }

  /** One visitor more sends an event and identifies; the one of the batch before has the answer. */
  #batch(number: number): { readonly events: number; readonly bytes: number; readonly others: number } {
    const size = { events: 0, bytes: 0, others: 0 };
    const [other, answered] = [`other${String(number)}`, `other${String(number - 1)}`];
    const { time } = this.shop;
    const visit = at({ anonymous_id: other, message_id: `${other} visit` }, time);
    const claim = at(
      { ...identify(other, { kind: 'id', value: `user of ${other}` }), message_id: `${other} claim` },
      time,
    );
    this.shop.feed([visit, claim], {
      merged: (event, _merged, bytes) => {
        if (event.message_id === `${answered} visit`) size.others += 1;
        if (event.anonymous_id !== KIOSK) return;
        this.#check(event.message_id, event.timestamp);
        size.events += 1;
        size.bytes += bytes;
      },
    });
    return size;
  }

  #check(messageId: string, timestamp: number): void {
    if (messageId === 'claim') return;
    const number = Number(messageId.slice(1));
    const { timestamp: before, number: last } = this.#last;
    if (timestamp > before || (timestamp === before && number > last)) this.inOrder += 1;
    if (number > last) this.inArrival += 1;
    this.#last = { timestamp, number };
  }

  #sample(): void {
    this.#peakBytes = Math.max(this.#peakBytes, process.memoryUsage().rss);
  }
}

function at<T extends object>(fields: T, time: number): T & { received_at: number; timestamp: number } {
  return { received_at: time, timestamp: time, ...fields };
}
