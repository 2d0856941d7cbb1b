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
import type { BatchContext, Processor } from '../services/runtime/task/ports.ts';
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
/** Records of one batch, partition by partition as one fetch brings them: bytes, and four numbers a record. */
interface Frame {
  readonly topic: TopicId;
  readonly bytes: Buffer;
  /** Partition, start of the key, start of the value, end of the value. */
  readonly places: Int32Array;
  readonly time: number;
}
const PLACE = 4;

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
    const run = new LanesRun(folder, Number(values.partitions));
    const frames = run.frames(new Workload(seed), events, Number(values.batch));
    let half = run.figures();
    for (const [index, frame] of frames.entries()) {
      run.batch(frame);
      if (2 * index < frames.length) half = run.figures();
    }
    while (run.isUnsettled) run.batch();
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

type Part = readonly [partition: number, key: Buffer, value: Buffer];

function frameOf(topic: TopicId, parts: Part[], time: number): Frame {
  parts.sort((a, b) => a[0] - b[0]); // stable
  const places = new Int32Array(parts.length * PLACE);
  let at = 0;
  for (const [index, [partition, key, value]] of parts.entries()) {
    const valueStart = at + key.length;
    places.set([partition, at, valueStart, valueStart + value.length], index * PLACE);
    at = valueStart + value.length;
  }
  return { topic, bytes: Buffer.concat(parts.flatMap(([, key, value]) => [key, value])), places, time };
}

const emptyRecord: InputRecord = {
  topic: 'eventsCollected',
  partition: 0,
  offset: 0,
  appendedAt: 0,
  bytes: Buffer.alloc(0),
  keyStart: 0,
  keyEnd: 0,
  valueStart: 0,
  valueEnd: 0,
};

class LanesRun {
  readonly #codecs = localCodecs();
  readonly #lanes: readonly LanePartition[];
  readonly #outputs = new CountingOutputs();
  readonly #emitter: ShellEmitter;
  readonly #definitions = new Definitions();
  readonly #owners = new Map<string, string>();
  #answers: Part[] = [];
  #sequence = 0;
  #time = 0;
  #events = 0;
  #claims = 0;
  #cpuMs = 0;
  #flushedAt = 0;

  constructor(folder: string, partitions: number) {
    this.#emitter = new ShellEmitter(partitions, this.#outputs, new Set(lanesService.urgent));
    this.#lanes = Array.from({ length: partitions }, (_, partition) => {
      const stores = openPartitionStores(join(folder, String(partition)), lanesService.stores);
      const processor = lanesService.open(partition, partitions, stores, this.#codecs);
      return { stores, processor, offset: 0, decisions: 0 };
    });
  }

  get isUnsettled(): boolean {
    return this.#answers.length > 0 || this.#lanes.some(({ processor }) => processor.status().unsettled > 0);
  }

  /** All events, made before anything is measured, so that neither their making nor its garbage is. */
  frames(workload: Workload, events: number, batch: number): readonly Frame[] {
    const frames: Frame[] = [];
    for (let done = 0; done < events; done += batch) {
      const records: Part[] = [];
      let time = 0;
      for (let i = done; i < Math.min(done + batch, events); i += 1) {
        const event = workload.next();
        time = event.receivedAt;
        const value = this.#codecs.CollectedEvent.encode(asCollected(event));
        records.push(this.#part(`shop:a:${event.anonymousId}`, value));
      }
      frames.push(frameOf('eventsCollected', records, time));
    }
    return frames;
  }

  /** What identity has answered, then the events. */
  batch(events: Frame = frameOf('eventsCollected', [], this.#time)): void {
    this.#time = events.time;
    const answers = frameOf('identityDecisions', this.#answers, this.#time);
    this.#answers = [];
    this.#sequence += 1;
    const begin = cpuMs();
    this.#run([answers, events]);
    this.#cpuMs += cpuMs() - begin;
    this.#events += events.places.length / PLACE;
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
  #run(frames: readonly Frame[]): void {
    const batch = { sequence: this.#sequence, time: this.#time, definitions: this.#definitions };
    for (const frame of frames) this.#feed(frame, batch);
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

  #feed({ topic, bytes, places }: Frame, batch: BatchContext): void {
    const record: InputRecord = { ...emptyRecord, topic, bytes };
    for (let at = 0; at < places.length; at += PLACE) {
      // Four numbers a record, and partitionOf gave the partition.
      const partition = places[at] as number;
      const lane = this.#lanes[partition] as LanePartition;
      record.partition = partition;
      record.offset = topic === 'eventsCollected' ? lane.offset++ : lane.decisions++;
      record.keyStart = places[at + 1] as number;
      record.keyEnd = record.valueStart = places[at + 2] as number;
      record.valueEnd = places[at + 3] as number;
      this.#emitter.from(partition);
      lane.processor.onRecord(record, batch, this.#emitter);
    }
  }

  #part(key: string, value: Buffer): Part {
    return [partitionOf(key, this.#lanes.length), Buffer.from(key), value];
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
      known_as_of: null,
      known_id: null,
      known_email: null,
    };
    const value = this.#codecs.IdentityDecision.encode(decision);
    this.#answers.push(this.#part(lane, value));
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
