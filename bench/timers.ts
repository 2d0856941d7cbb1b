/**
 * Timers of the trigger on the real keyed store, without a broker: what a very large number of them takes, and whether
 * those that fire together hold up what happens meanwhile.
 * `npm run bench -- timers [--timers 1000000] [--firing 50000] [--rate 2000] [--rounds 3] [--folder DIR]`
 *
 * Armed: so many people, each with a timer at a random time of a month; bytes for each in the store (of the pages that hold
 * something), of its file (with the free pages, which the next flushes take), and of the heap.
 * Firing: so many people leave a segment within the same second while others do so many events a second. Batches follow
 * each other as fast as they are made, and the store is written when the service would write it. An event is held from
 * the moment at which it was due until the batch that has it is decided; what a round says is the longest of all events,
 * before anything fires and while timers fire.
 */
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { BenchRow } from '../scripts/bench.ts';
import { openPartitionStores } from '../services/runtime/store/open-stores.ts';
import { FlushSchedule } from '../services/runtime/task/loop/flush-schedule.ts';
import { triggerService } from '../services/trigger/service.ts';
import { TimerIndex } from '../services/trigger/timers.ts';
import { collectGarbage } from './lanes/collect-garbage.ts';
import { leastMedianGreatest } from './median.ts';
import { SplittableRandom } from './splittable-random.ts';
import { collected, personId, START, TriggerPartition, WORKSPACE } from './trigger/trigger-processor.ts';

const MONTH_MS = 30 * 86_400_000;
const HOUR_MS = 3_600_000;
const TIMERS_A_BATCH = 10_000;
/** Of events before anything fires. */
const QUIET_MS = 3_000;
/** Neither all of a second's events in one batch nor one by one. */
const EVENTS_A_BATCH_MAX = 1_000;
const SEED = 7;

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      timers: { type: 'string', default: '1000000' },
      firing: { type: 'string', default: '50000' },
      rate: { type: 'string', default: '2000' },
      rounds: { type: 'string', default: '3' },
      folder: { type: 'string' },
    },
  });
  const [timers = 0, firing = 0, eventsPerSecond = 0, rounds = 1] = [
    ...[values.timers, values.firing, values.rate, values.rounds].map(Number),
  ];
  const parent = values.folder ?? tmpdir();
  const armed = await inFolder(parent, (folder) => Promise.resolve(arm(folder, timers)));
  const fired: Fired[] = [];
  for (let round = 0; round < rounds; round += 1) {
    fired.push(await inFolder(parent, (folder) => fire(folder, { firing, eventsPerSecond })));
  }
  const each = (what: keyof Fired) =>
    leastMedianGreatest(
      fired.map((one) => one[what]),
      1,
    );
  return [
    {
      timers,
      ...armed,
      firing,
      eventsPerSecond,
      heldMsMaxBefore: each('heldMsMaxBefore'),
      heldMsMax: each('heldMsMax'),
      firedInMs: each('firedInMs'),
    },
  ];
}

async function inFolder<T>(parent: string, run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(parent, 'hindsight-bench-timers-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes for each of so many timers, armed in no order. */
function arm(
  folder: string,
  count: number,
): { readonly storeBytesEach: number; readonly fileBytesEach: number; readonly heapBytesEach: number } {
  const stores = openPartitionStores(folder, triggerService.stores);
  const fileBytes = () => statSync(join(folder, 'keyed', 'data.mdb')).size;
  const heapBytes = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const random = new SplittableRandom(SEED);
  const before = { file: fileBytes(), heap: heapBytes() };
  const index = new TimerIndex(stores.keyed);
  for (let armed = 0; armed < count;) {
    const to = Math.min(count, armed + TIMERS_A_BATCH);
    for (; armed < to; armed += 1) {
      index.move(`${WORKSPACE}:${personId(armed)}`, Infinity, START + Math.floor(random.double() * MONTH_MS));
    }
    stores.committed(armed);
    stores.flush();
  }
  const storeBytesEach = Math.round((stores.keyedBytes ?? 0) / count);
  const fileBytesEach = Math.round((fileBytes() - before.file) / count);
  const heapBytesEach = Math.round((heapBytes() - before.heap) / count);
  if (index.due(Infinity) === undefined) throw new Error('no timer was armed');
  stores.close();
  return { storeBytesEach, fileBytesEach, heapBytesEach };
}

interface Fired {
  readonly heldMsMaxBefore: number;
  readonly heldMsMax: number;
  /** From the first to the last. */
  readonly firedInMs: number;
}

async function fire(
  folder: string,
  { firing, eventsPerSecond }: { readonly firing: number; readonly eventsPerSecond: number },
): Promise<Fired> {
  let left = 0;
  const emit = (topic: string) => {
    if (topic === 'segmentsChanged') left += 1;
  };
  const trigger = new TriggerPartition({ folder, out: { emit, emitTo: emit } });
  const when = { event: 'Seen', within: 'PT1H' };
  trigger.define('segment', 'here', { name: 'Here', type: 'data_driven', when });
  trigger.define('journey', 'cart', { name: 'Cart', state: 'running', trigger: { event: 'Added to Cart' } });
  for (let from = 0; from < firing; from += EVENTS_A_BATCH_MAX) {
    const size = Math.min(EVENTS_A_BATCH_MAX, firing - from);
    const seen = Array.from({ length: size }, (_, at) => {
      const number = from + at;
      return trigger.event(personId(number), collected(number, START + (number % 1_000), { name: 'Seen' }));
    });
    trigger.batch(START, seen);
  }
  trigger.stores.flush();
  left = 0;
  const live = new LiveEvents(trigger, { people: firing, eventsPerSecond });
  // The clock begins so long before the first timer that what holds an event without any is known.
  const begun = performance.now();
  const clock = () => START + HOUR_MS - QUIET_MS + Math.floor(performance.now() - begun);
  let [heldMsMaxBefore, heldMsMax, firstAt, lastAt] = [0, 0, 0, 0];
  const flushes = new FlushSchedule([trigger], begun);
  while (left < firing) {
    const leftBefore = left;
    const heldMs = live.step(clock());
    const now = performance.now();
    if (left === 0) heldMsMaxBefore = Math.max(heldMsMaxBefore, heldMs);
    else heldMsMax = Math.max(heldMsMax, heldMs);
    if (left > 0 && firstAt === 0) firstAt = now;
    if (left > leftBefore) lastAt = now;
    flushes.committed(0);
    flushes.tick(now);
    await turn();
  }
  trigger.close();
  return { heldMsMaxBefore, heldMsMax, firedInMs: lastAt - firstAt };
}

/** Events that are due by the clock, whatever has kept the processor from them. */
class LiveEvents {
  readonly #trigger: TriggerPartition;
  readonly #people: number;
  readonly #msApart: number;
  readonly #begun = performance.now();
  #made = 0;

  constructor(
    trigger: TriggerPartition,
    { people, eventsPerSecond }: { readonly people: number; readonly eventsPerSecond: number },
  ) {
    this.#trigger = trigger;
    this.#people = people;
    this.#msApart = 1_000 / eventsPerSecond;
  }

  /** A batch of what is due, if anything is. @returns ms for which the oldest of it was held; 0 for none. */
  step(now: number): number {
    const due = Math.floor((performance.now() - this.#begun) / this.#msApart);
    const first = this.#made;
    const to = Math.min(due, first + EVENTS_A_BATCH_MAX);
    const events = [];
    for (; this.#made < to; this.#made += 1) {
      const number = this.#people + this.#made;
      const name = number % 10 === 0 ? 'Added to Cart' : 'Product Viewed';
      events.push(this.#trigger.event(personId(number), collected(number, now, { name })));
    }
    if (events.length === 0 && !this.#trigger.processor.wantsBatch(now, this.#trigger.definitions)) return 0;
    this.#trigger.batch(now, [...this.#trigger.watermarks(now), ...events]);
    return events.length === 0 ? 0 : performance.now() - this.#begun - first * this.#msApart;
  }
}
