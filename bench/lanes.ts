/**
 * What an event costs the merger's lanes: the processors alone, over the real stores and the real output buffer, without
 * a broker. `npm run bench -- lanes [--events 2000000] [--partitions 4] [--batch 12000] [--seed 1] [--folder DIR]`
 *
 * The events are those of the Kafka Streams application that the merger is measured against (bench/workload.ts). Making
 * them, and identity's answers, is not measured; deciding, appending, emitting, committing and flushing is. Times are
 * CPU of the process. With seed 1 and 2 M events the application emits 117,891 records: what was anonymous, and the
 * identifies that claimed; the last line compares.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { localCodecs } from '../schemas/codec.ts';
import { partitionOf } from '../schemas/partitioner.ts';
import type { IdentityDecision, IdentityRequest } from '../schemas/records.ts';
import type { TopicId } from '../schemas/topics.ts';
import { lanesService } from '../services/merger/lanes/service.ts';
import { Definitions } from '../services/runtime/definitions.ts';
import { assert } from '../services/runtime/errors.ts';
import { BytePool } from '../services/runtime/log/byte-pool.ts';
import { BatchedOutputs } from '../services/runtime/log/output-buffer.ts';
import type { InputRecord, OutputBuffer } from '../services/runtime/log/ports.ts';
import { openPartitionStores } from '../services/runtime/store/open-stores.ts';
import type { PartitionStores } from '../services/runtime/store/ports.ts';
import { ShellEmitter } from '../services/runtime/task/emitter.ts';
import type { Processor } from '../services/runtime/task/ports.ts';
import { asCollected, Workload } from './workload.ts';

const FLUSH_MS = 2_000;
/** What the Kafka Streams application emits of the first 2 M events of seed 1. */
const peerRecords = { events: 2_000_000, seed: 1, records: 117_891 };

interface LanePartition {
  readonly stores: PartitionStores;
  readonly processor: Processor;
  offset: number;
  decisions: number;
}
/** Records of one batch: places in one buffer. */
interface Frame {
  readonly bytes: Buffer;
  readonly records: readonly Place[];
}
interface Place {
  readonly topic: TopicId;
  readonly partition: number;
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '2000000' },
      partitions: { type: 'string', default: '4' },
      batch: { type: 'string', default: '12000' },
      seed: { type: 'string', default: '1' },
      folder: { type: 'string' },
    },
  });
  const [events, seed] = [Number(values.events), Number(values.seed)];
  const folder = await mkdtemp(join(values.folder ?? tmpdir(), 'hindsight-bench-lanes-'));
  try {
    const run = new LanesRun(folder, Number(values.partitions), seed);
    let half = run.figures();
    for (let done = 0; done < events || run.hasAnswers;) {
      const count = Math.min(Number(values.batch), events - done);
      run.batch(count);
      done += count;
      if (done <= events / 2) half = run.figures();
    }
    const whole = run.figures();
    const perCpuSecond = (from: Figures): number =>
      Math.round((whole.events - from.events) / ((whole.cpuMs - from.cpuMs) / 1_000));
    console.log(JSON.stringify({ ...whole, perCpuSecond: perCpuSecond(nothing), warm: perCpuSecond(half) }));
    const emitted = whole.onceAnonymous + whole.claims;
    const comparable = events === peerRecords.events && seed === peerRecords.seed;
    if (comparable) console.log(`emitted as the peer: ${String(emitted)} of ${String(peerRecords.records)}`);
    assert(!comparable || emitted === peerRecords.records, 'what is merged is what the peer merges');
    run.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Figures {
  readonly events: number;
  readonly cpuMs: number;
  readonly claims: number;
  readonly onceAnonymous: number;
  readonly outputs: number;
  readonly rssMiB: number;
}
const nothing: Figures = { events: 0, cpuMs: 0, claims: 0, onceAnonymous: 0, outputs: 0, rssMiB: 0 };

class LanesRun {
  readonly #codecs = localCodecs();
  readonly #lanes: readonly LanePartition[];
  readonly #workload: Workload;
  readonly #outputs = new CountingOutputs();
  readonly #emitter: ShellEmitter;
  readonly #definitions = new Definitions();
  readonly #owners = new Map<string, string>();
  #answers: (readonly [partition: number, value: Buffer, key: string])[] = [];
  #sequence = 0;
  #time = 0;
  #events = 0;
  #claims = 0;
  #cpuMs = 0;
  #flushedAt = 0;

  constructor(folder: string, partitions: number, seed: number) {
    this.#workload = new Workload(seed);
    this.#emitter = new ShellEmitter(partitions, this.#outputs, new Set(lanesService.urgent));
    this.#lanes = Array.from({ length: partitions }, (_, partition) => {
      const stores = openPartitionStores(join(folder, String(partition)), lanesService.stores);
      const processor = lanesService.open(partition, partitions, stores, this.#codecs);
      return { stores, processor, offset: 0, decisions: 0 };
    });
  }

  get hasAnswers(): boolean {
    return this.#answers.length > 0 || this.#lanes.some(({ processor }) => processor.status().unsettled > 0);
  }

  batch(count: number): void {
    const frame = this.#frame(count);
    this.#sequence += 1;
    const begin = cpuMs();
    this.#run(frame);
    this.#cpuMs += cpuMs() - begin;
    this.#events += count;
    for (const request of this.#outputs.takeRequests()) this.#answer(request);
  }

  figures(): Figures {
    const { onceAnonymous, records: outputs } = this.#outputs.counts;
    const rssMiB = process.memoryUsage().rss >> 20;
    return { events: this.#events, cpuMs: this.#cpuMs, claims: this.#claims, onceAnonymous, outputs, rssMiB };
  }
  close(): void {
    for (const { stores } of this.#lanes) stores.close();
  }

  /** As the shell does it, but for the fetch and the transaction. */
  #run({ bytes, records }: Frame): void {
    const batch = { sequence: this.#sequence, time: this.#time, definitions: this.#definitions };
    const record: InputRecord = {
      topic: 'eventsCollected',
      partition: 0,
      offset: 0,
      appendedAt: this.#time,
      bytes,
      keyStart: 0,
      keyEnd: 0,
      valueStart: 0,
      valueEnd: 0,
    };
    for (const place of records) {
      const lane = this.#lanes[place.partition] as LanePartition; // partitionOf gave it
      record.topic = place.topic;
      record.partition = place.partition;
      record.offset = place.topic === 'eventsCollected' ? lane.offset++ : lane.decisions++;
      record.keyStart = place.keyStart;
      record.keyEnd = record.valueStart = place.valueStart;
      record.valueEnd = place.valueEnd;
      this.#emitter.from(place.partition);
      lane.processor.onRecord(record, batch, this.#emitter);
    }
    for (const [partition, { processor }] of this.#lanes.entries()) {
      this.#emitter.from(partition);
      processor.onBatchEnd(batch, this.#emitter);
    }
    this.#emitter.takeHashes();
    this.#outputs.clear();
    const flush = this.#cpuMs - this.#flushedAt > FLUSH_MS;
    for (const { stores } of this.#lanes) {
      stores.committed(this.#sequence);
      if (flush) stores.flush();
    }
    if (flush) this.#flushedAt = this.#cpuMs;
  }

  /** Answers first, then the next events, partition by partition, as one fetch brings them. */
  #frame(count: number): Frame {
    const parts: (readonly [topic: TopicId, partition: number, key: Buffer, value: Buffer])[] = [];
    for (const [partition, value, key] of this.#answers) {
      parts.push(['identityDecisions', partition, Buffer.from(key), value]);
    }
    this.#answers = [];
    for (let i = 0; i < count; i += 1) {
      const event = this.#workload.next();
      this.#time = Math.max(this.#time, event.receivedAt);
      const key = Buffer.from(`shop:a:${event.anonymousId}`);
      const value = this.#codecs.CollectedEvent.encode(asCollected(event));
      parts.push(['eventsCollected', partitionOf(key, this.#lanes.length), key, value]);
    }
    parts.sort((a, b) => a[1] - b[1]); // stable
    let at = 0;
    const records = parts.map(([topic, partition, key, value]) => {
      const valueStart = at + key.length;
      const place = { topic, partition, keyStart: at, valueStart, valueEnd: valueStart + value.length };
      at = place.valueEnd;
      return place;
    });
    return { bytes: Buffer.concat(parts.flatMap(([, , key, value]) => [key, value])), records };
  }

  /** Identity in short: the first claim of an anonymous id is granted. */
  #answer(bytes: Buffer): void {
    const request: IdentityRequest = this.#codecs.IdentityRequest.decode(bytes);
    const lane = request.lane ?? '';
    const person = `cio_${request.identifier ?? ''}`;
    const owner = this.#owners.get(lane);
    const granted = request.kind === 'claim' && owner === undefined;
    if (granted) {
      this.#owners.set(lane, person);
      this.#claims += 1;
    }
    const decision: IdentityDecision = {
      kind: granted ? 'granted' : 'resolved',
      workspace: request.workspace,
      lane,
      request_number: request.request_number,
      person_id: person,
      other_person_id: null,
      claimed_at: granted ? request.received_at : null,
      person_created: false,
      identifier_kind: 'none',
      identifier: null,
      reason: granted || owner === person ? null : 'anonymous_id_taken',
      fact_number: null,
      detail: null,
    };
    const value = this.#codecs.IdentityDecision.encode(decision);
    this.#answers.push([partitionOf(lane, this.#lanes.length), value, lane]);
  }
}

/** The real buffer, which also keeps the requests for the answers. */
class CountingOutputs implements OutputBuffer {
  readonly #buffer = new BatchedOutputs(new BytePool(64 << 20));
  readonly counts = { records: 0, onceAnonymous: 0 };
  #requests: Buffer[] = [];

  append(topic: TopicId, partition: number, key: Uint8Array | null, value: Uint8Array | null): void {
    this.#buffer.append(topic, partition, key, value);
    this.counts.records += 1;
    if (topic === 'identityRequests' && value !== null) this.#requests.push(Buffer.from(value));
    // A release writes one activity with its count, an event in the window one of its own.
    if (topic === 'activitiesLogged' && value !== null) this.counts.onceAnonymous += countOf(value);
  }
  takeRequests(): Buffer[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }
  get records(): number {
    return this.#buffer.records;
  }
  get bytes(): number {
    return this.#buffer.bytes;
  }
  clear(): void {
    this.#buffer.clear();
  }
}

function countOf(activity: Uint8Array): number {
  const text = Buffer.from(activity.buffer, activity.byteOffset, activity.byteLength).toString('latin1');
  return Number(/"count":(\d+)/.exec(text)?.[1] ?? 0);
}

/** Time of this process on a core, so that what else the machine does is not measured. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
