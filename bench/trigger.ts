/**
 * What an event costs the trigger, on the real keyed store: the processor alone, without a broker.
 * `npm run bench -- trigger [--people 100000] [--events 200000] [--segments 20,200] [--mention 2] [--rounds 3] [--folder DIR]`
 *
 * The workspace has segments that count, so many of which mention an event's name, and a journey over one of the names.
 * Measured by themselves, in rounds of which it gives the least, the median and the greatest: events whose name no rule
 * asks about (most events of a storefront), events that rules count, and identifies that say nothing new. Events a second
 * of the processor's CPU; writing out committed batches is measured apart.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CollectedEvent } from '../schemas/records.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { leastMedianGreatest } from './median.ts';
import { collected, cpuSince, personId, START, TriggerPartition } from './trigger/trigger-processor.ts';
import { watchedName, watchedNames, watchingSegments } from './trigger/watching-segments.ts';

const BATCH_RECORDS = 1_000;
const BATCHES_A_FLUSH = 50;
const WARM_UP = 100_000;
/** Prime to the number of people, so that all of them are visited, far apart. */
const STRIDE = 7_919;

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      people: { type: 'string', default: '100000' },
      events: { type: 'string', default: '200000' },
      segments: { type: 'string', default: '20,200' },
      mention: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '3' },
      folder: { type: 'string' },
    },
  });
  const [people = 0, events = 0, mention = 1, rounds = 1] = [
    ...[values.people, values.events, values.mention, values.rounds].map(Number),
  ];
  const rows: BenchRow[] = [];
  for (const segments of values.segments.split(',').map(Number)) {
    const folder = await mkdtemp(join(values.folder ?? tmpdir(), 'hindsight-bench-trigger-'));
    try {
      const run = new TriggerRun(folder, { people, segments, mention });
      rows.push({ people, segments, ...run.measure(events, rounds) });
      run.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return rows;
}

interface Shop {
  readonly people: number;
  readonly segments: number;
  /** Segments that a name is mentioned by. */
  readonly mention: number;
}

class TriggerRun {
  readonly #trigger: TriggerPartition;
  readonly #people: number;
  readonly #names: number;
  #records = 0;
  #sinceFlush = 0;
  #flushMs = 0;

  constructor(folder: string, { people, segments, mention }: Shop) {
    this.#people = people;
    this.#names = watchedNames({ segments, mention });
    this.#trigger = new TriggerPartition({ folder });
    for (const { id, body } of watchingSegments({ segments, mention })) {
      this.#trigger.define('segment', id, body);
    }
    const journey = { name: 'Journey', state: 'running', trigger: { event: watchedName(0) } };
    this.#trigger.define('journey', 'j', journey);
  }

  measure(events: number, rounds: number): BenchRow {
    this.#identifies(this.#people);
    this.#watched(WARM_UP); // the first calls pay for compiling
    this.#unwatched(WARM_UP);
    this.#identifies(WARM_UP);
    this.#flushMs = 0;
    const few = Math.ceil(events / 4);
    const found = { unwatched: [] as number[], watched: [] as number[], identifies: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      found.unwatched.push(rate(this.#unwatched(events), events));
      found.watched.push(rate(this.#watched(few), few));
      found.identifies.push(rate(this.#identifies(few), few));
    }
    return {
      unwatchedPerCpuSecond: leastMedianGreatest(found.unwatched, 0),
      watchedPerCpuSecond: leastMedianGreatest(found.watched, 0),
      repeatedIdentifiesPerCpuSecond: leastMedianGreatest(found.identifies, 0),
      flushMsARound: Math.round(this.#flushMs / rounds),
    };
  }

  close(): void {
    this.#trigger.close();
  }

  #unwatched(count: number): number {
    return this.#feed(count, (at) => ({
      name: `Product Viewed ${String(at % 7)}`,
      properties: JSON.stringify({
        sku: `sku-${String(at)}`,
        price: at % 100,
        category: 'shoes',
        colour: 'red',
      }),
    }));
  }
  #watched(count: number): number {
    return this.#feed(count, (at) => ({
      name: watchedName(at % this.#names),
      properties: JSON.stringify({ sku: `sku-${String(at)}`, price: at % 100 }),
    }));
  }
  #identifies(count: number): number {
    return this.#feed(count, () => ({
      type: 'identify',
      name: null,
      properties: '{"plan":"pro","first_name":"Ada","created_at":1700000000}',
    }));
  }

  /** @returns ms of CPU spent in the processor. */
  #feed(count: number, next: (at: number) => Partial<CollectedEvent>): number {
    let ms = 0;
    for (let done = 0; done < count; done += BATCH_RECORDS) {
      const size = Math.min(BATCH_RECORDS, count - done);
      const records = Array.from({ length: size }, () => this.#record(next(this.#records)));
      const before = process.cpuUsage();
      this.#trigger.batch(START + this.#records, records);
      ms += cpuSince(before);
      this.#flush();
    }
    return ms;
  }

  #record(fields: Partial<CollectedEvent>) {
    this.#records += 1;
    const at = START + this.#records;
    const person = personId((this.#records * STRIDE) % this.#people);
    return this.#trigger.event(person, collected(this.#records, at, fields));
  }

  #flush(): void {
    this.#sinceFlush += 1;
    if (this.#sinceFlush < BATCHES_A_FLUSH) return;
    this.#sinceFlush = 0;
    const before = process.cpuUsage();
    this.#trigger.stores.flush();
    this.#flushMs += cpuSince(before);
  }
}

function rate(ms: number, records: number): number {
  return Math.round((records / ms) * 1_000);
}
