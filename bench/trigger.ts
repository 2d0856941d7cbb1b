/**
 * What an event costs the trigger, on the real keyed store: the processor alone, without a broker.
 * `npm run bench -- trigger [--people 100000] [--events 200000] [--segments 20] [--folder DIR]`
 *
 * The workspace has segments and journeys over ten event names. Measured by themselves: events whose name no rule asks
 * about (most events of a storefront), events that a rule counts, and identifies that say nothing new. CPU of the
 * processor, in events a second; writing out committed batches is measured apart.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { localCodecs } from '../schemas/codec.ts';
import { mergedEvent } from '../schemas/merged-event.ts';
import type { CollectedEvent } from '../schemas/records.ts';
import { Definitions } from '../services/runtime/definitions.ts';
import type { InputRecord } from '../services/runtime/log/ports.ts';
import { openPartitionStores } from '../services/runtime/store/open-stores.ts';
import { triggerService } from '../services/trigger/service.ts';

const BATCH_RECORDS = 1_000;
const BATCHES_A_FLUSH = 50;
const NAMES = 10;
const START = 1_700_000_000_000;

export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      people: { type: 'string', default: '100000' },
      events: { type: 'string', default: '200000' },
      segments: { type: 'string', default: '20' },
      folder: { type: 'string' },
    },
  });
  const [people, events, segments] = [values.people, values.events, values.segments].map(Number);
  const folder = await mkdtemp(join(values.folder ?? tmpdir(), 'hindsight-bench-trigger-'));
  try {
    const run = new TriggerRun(folder, people ?? 0, segments ?? 0);
    run.identifies(people ?? 0);
    run.watched(20_000); // warm-up: the first calls pay for compiling
    run.unwatched(20_000);
    const count = events ?? 0;
    const rate = (ms: number, records: number): number => Math.round((records / ms) * 1_000);
    run.flushMs = 0;
    const row = {
      people,
      segments,
      unwatchedPerCpuSecond: rate(run.unwatched(count), count),
      watchedPerCpuSecond: rate(run.watched(Math.ceil(count / 10)), Math.ceil(count / 10)),
      repeatedIdentifiesPerCpuSecond: rate(run.identifies(Math.ceil(count / 10)), Math.ceil(count / 10)),
      flushMs: Math.round(run.flushMs),
    };
    run.close();
    console.log(JSON.stringify(row));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class TriggerRun {
  readonly #codecs = localCodecs();
  readonly #stores;
  readonly #processor;
  readonly #definitions = new Definitions();
  readonly #out = { emit: () => undefined, emitTo: () => undefined };
  readonly #people: number;
  #sequence = 0;
  #records = 0;
  #sinceFlush = 0;
  flushMs = 0;

  constructor(folder: string, people: number, segments: number) {
    this.#people = people;
    this.#stores = openPartitionStores(folder, triggerService.stores);
    this.#processor = triggerService.open(0, 8, this.#stores, this.#codecs);
    for (let index = 0; index < segments; index += 1) {
      const event = `Watched ${String(index % NAMES)}`;
      const where = [{ property: 'price', operator: 'gt', value: index }];
      const when = { event, where, count: { at_least: 2 }, within: 'P30D' };
      this.#define('segment', `s${String(index)}`, { name: 'Segment', type: 'data_driven', when });
    }
    this.#define('journey', 'j', { name: 'Journey', state: 'running', trigger: { event: 'Watched 0' } });
  }

  /** Each returns milliseconds of CPU spent in the processor. */
  unwatched(count: number): number {
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
  watched(count: number): number {
    return this.#feed(count, (at) => ({
      name: `Watched ${String(at % NAMES)}`,
      properties: JSON.stringify({ sku: `sku-${String(at)}`, price: at % 100 }),
    }));
  }
  identifies(count: number): number {
    return this.#feed(count, () => ({
      type: 'identify',
      name: null,
      properties: '{"plan":"pro","first_name":"Ada","created_at":1700000000}',
    }));
  }

  close(): void {
    this.#stores.close();
  }

  #define(kind: 'segment' | 'journey', id: string, body: unknown): void {
    const { offset } = this.#definitions;
    const record = { kind, workspace: 'shop', id, version: 1, deleted: false, at: 0 };
    this.#definitions.apply(offset, { ...record, body: JSON.stringify(body) });
  }

  #feed(count: number, next: (at: number) => Partial<CollectedEvent>): number {
    let ms = 0;
    for (let done = 0; done < count; done += BATCH_RECORDS) {
      const size = Math.min(BATCH_RECORDS, count - done);
      const records = Array.from({ length: size }, () => this.#record(next(this.#records)));
      this.#sequence += 1;
      const batch = { sequence: this.#sequence, time: START + this.#records, definitions: this.#definitions };
      const before = process.cpuUsage();
      for (const record of records) this.#processor.onRecord(record, batch, this.#out);
      this.#processor.onBatchEnd(batch, this.#out);
      ms += cpuSince(before);
      this.#stores.committed(this.#sequence);
      this.#flush();
    }
    return ms;
  }

  #record(fields: Partial<CollectedEvent>): InputRecord {
    this.#records += 1;
    const at = START + this.#records;
    // A stride that is prime to the number of people visits all of them, far apart.
    const person = `cio_${String((this.#records * 7_919) % this.#people).padStart(16, '0')}`;
    const event: CollectedEvent = {
      ...EVENT,
      received_at: at,
      timestamp: at,
      message_id: `message-${String(this.#records)}`,
      ...fields,
    };
    const key = Buffer.from(`shop:${person}`);
    const value = this.#codecs.MergedEvent.encode(
      mergedEvent({ kind: 'event', workspace: 'shop', person_id: person, merged_at: at, event }),
    );
    const bytes = Buffer.concat([key, value]);
    return {
      topic: 'eventsMerged',
      partition: 0,
      offset: this.#records,
      appendedAt: at,
      bytes,
      keyStart: 0,
      keyEnd: key.length,
      valueStart: key.length,
      valueEnd: bytes.length,
    };
  }

  #flush(): void {
    this.#sinceFlush += 1;
    if (this.#sinceFlush < BATCHES_A_FLUSH) return;
    this.#sinceFlush = 0;
    const before = process.cpuUsage();
    this.#stores.flush();
    this.flushMs += cpuSince(before);
  }
}

const EVENT: CollectedEvent = {
  received_at: 0,
  type: 'event',
  identifier_kind: 'id',
  identifier: 'user-1',
  anonymous_id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  message_id: '',
  timestamp: 0,
  workspace: 'shop',
  source: 'track.v1.event',
  name: null,
  id: null,
  email: null,
  cio_id: null,
  update_only: false,
  attributes_at: null,
  properties: null,
  context:
    '{"library":{"name":"analytics.js","version":"next-0.5.11"},"page":{"url":"https://shop.example/p/1"}}',
  bot: false,
  waits: true,
};

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
