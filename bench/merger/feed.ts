/**
 * The way in: the peer's records become events on `events.collected`, in the order in which they were made. Its
 * partitions are merged by message id, since our lanes lie on other partitions than its keys.
 */
import type { Codecs } from '../../schemas/codec.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import type { Log, LogReader, RecordSlice } from '../../services/runtime/log/ports.ts';
import { BulkWriter } from './bulk-writer.ts';
import { asCollected, laneOf, readPeerRecord, type PeerRecord } from './peer-record.ts';
import { WaitingBytes } from './waiting-bytes.ts';

const TOPIC = 'eventsCollected';
const BUFFER_BYTES_MAX = 8 << 20;
const TAKE_BYTES = 1 << 20;
const WAIT_MS = 100;

export interface FeedOptions {
  readonly brokers: readonly string[];
  readonly codecs: Codecs;
  readonly partitions: number;
  /** Prefix under which the peer's input topic is named as `events.collected` is. */
  readonly from: string;
  /** Prefixes of the installations to fill; their topics are made here. */
  readonly into: readonly string[];
}

export interface Fed {
  readonly events: number;
  /** Of the values, with their wire headers. */
  readonly bytes: number;
  /** Of those that still wait for somebody when all have been handled. */
  readonly waitingBytes: number;
}

export async function feed({ brokers, codecs, partitions, from, into }: FeedOptions): Promise<Fed> {
  const logs: Log[] = [];
  const open = async (prefix: string): Promise<Log> => {
    const log = await openLog({ brokers, clientId: 'bench-feed', prefix });
    logs.push(log);
    return log;
  };
  try {
    const source = await open(from);
    const sinks: BulkWriter[] = [];
    for (const prefix of into) sinks.push(await BulkWriter.open(await open(prefix), TOPIC, partitions));
    const waiting = new WaitingBytes();
    let [events, bytes] = [0, 0];
    for await (const record of inOrder(source)) {
      const lane = laneOf(record.anonymousId);
      const value = codecs.CollectedEvent.encode(asCollected(record));
      waiting.take(record, value.length);
      events += 1;
      bytes += value.length;
      const key = Buffer.from(lane);
      const partition = partitionOf(key, partitions);
      for (const sink of sinks) await sink.append(partition, key, value);
    }
    for (const sink of sinks) await sink.finish();
    return { events, bytes, waitingBytes: waiting.bytes };
  } finally {
    for (const log of logs) await log.close();
  }
}

async function* inOrder(log: Log): AsyncGenerator<PeerRecord> {
  const ends = await log.admin.endOffsets(TOPIC);
  const sources = ends.map((end, partition) => new Source(log, partition, end));
  try {
    for (const source of sources) await source.start();
    for (;;) {
      for (const source of sources) await source.fill();
      const first = earliest(sources);
      if (first?.head === undefined) return;
      yield first.head;
      first.advance();
    }
  } finally {
    for (const source of sources) await source.close();
  }
}

function earliest(sources: readonly Source[]): Source | undefined {
  return sources.reduce<Source | undefined>((first, source) => {
    if (source.head === undefined) return first;
    return first?.head === undefined || source.head.messageId < first.head.messageId ? source : first;
  }, undefined);
}

/** One partition of the peer's input: a reader of its own, so that none runs ahead of the others. */
class Source {
  readonly #reader: LogReader;
  readonly #partition: number;
  readonly #end: number;
  #records: PeerRecord[] = [];
  #at = 0;
  #next = 0;

  constructor(log: Log, partition: number, end: number) {
    this.#reader = log.reader({
      bufferBytesMax: BUFFER_BYTES_MAX,
      fetchBytesMax: TAKE_BYTES,
      waitMsMax: WAIT_MS,
    });
    this.#partition = partition;
    this.#end = end;
  }

  get head(): PeerRecord | undefined {
    return this.#records[this.#at];
  }
  advance(): void {
    this.#at += 1;
  }
  async start(): Promise<void> {
    await this.#reader.start([{ topic: TOPIC, partition: this.#partition, offset: 0 }]);
  }

  /** Has a record at hand when it returns, unless there is none any more. */
  async fill(): Promise<void> {
    if (this.head !== undefined) return;
    this.#records = [];
    this.#at = 0;
    while (this.#records.length === 0 && this.#next < this.#end) {
      await this.#reader.wait(WAIT_MS);
      for (const slice of this.#reader.take(TAKE_BYTES)) this.#take(slice);
    }
  }
  #take(slice: RecordSlice): void {
    slice.forEach(({ bytes, keyStart, keyEnd, valueStart, valueEnd }) => {
      const key = bytes.subarray(keyStart, keyEnd);
      this.#records.push(readPeerRecord(key, bytes.subarray(valueStart, valueEnd)));
    });
    this.#next = slice.next;
    slice.release();
  }
  async close(): Promise<void> {
    await this.#reader.close();
  }
}
