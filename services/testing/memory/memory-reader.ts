/** Reads a MemoryBroker as read_committed: whole slices, in which every use after their release shows. */
import type { TopicId } from '../../../schemas/topics.ts';
import { CodedError, assert } from '../../runtime/errors.ts';
import type {
  FailingRead,
  InputRecord,
  LogReader,
  Position,
  RecordSlice,
  TopicPartition,
} from '../../runtime/log/ports.ts';
import type { MemoryBroker, StoredRecord } from './memory-broker.ts';

/** What a reader asks of the process that it belongs to. */
interface OwnProcess {
  readonly broker: MemoryBroker;
  readonly dead: boolean;
  pause(ms: number): Promise<void>;
}

/** How a reader's answers come; as MemoryLogOptions says. */
export interface ReaderOptions {
  readonly sliceRecords?: () => number;
  readonly twice?: () => boolean;
  readonly late?: (topic: TopicId) => boolean;
  readonly failing?: () => readonly FailingRead[];
}

interface ReadPartition {
  readonly topic: TopicId;
  readonly partition: number;
  next: number;
  /** The stable end as of the last fetch: what an answer knows, not what is true now. */
  endSeen: number;
  /** When that was. */
  fetchedAt: number;
}

const SLICE_RECORDS = 500;
/** An answer that is still under way is looked for again after this. */
const LATE_MS = 10;

export class MemoryReader implements LogReader {
  readonly #log: OwnProcess;
  readonly #options: ReaderOptions;
  readonly #partitions: ReadPartition[] = [];
  #turn = 0;
  /** Something of the last take was still under way. */
  #late = false;
  #closed = false;

  constructor(log: OwnProcess, options: ReaderOptions) {
    this.#log = log;
    this.#options = options;
  }

  async start(positions: readonly Position[]): Promise<void> {
    await this.#log.pause(0);
    for (const { topic, partition, offset } of positions) {
      this.#partitions.push({ topic, partition, next: offset, endSeen: Infinity, fetchedAt: 0 });
    }
  }

  take(bytesMax: number): RecordSlice[] {
    if (this.#log.dead || this.#closed) return [];
    const slices: RecordSlice[] = [];
    let bytes = 0;
    this.#late = false;
    // Another partition comes first each time, as fetches return.
    this.#turn += 1;
    for (let i = 0; i < this.#partitions.length && (slices.length === 0 || bytes < bytesMax); i += 1) {
      const from = this.#partitions[(i + this.#turn) % this.#partitions.length];
      const slice = from === undefined ? undefined : this.#fetch(from);
      if (slice === undefined) continue;
      slices.push(slice);
      if (this.#options.twice?.() === true) slices.push(slice.again());
      bytes += slice.byteLength;
    }
    return slices;
  }

  /** Nothing is kept between calls of take. */
  get bufferedBytes(): number {
    return 0;
  }

  async wait(timeoutMs: number): Promise<void> {
    await this.#log.pause(0);
    const hasMore = this.#partitions.some(
      ({ topic, partition, next }) => next < this.#stableEnd(topic, partition),
    );
    if (hasMore && !this.#late) return;
    const over = new AbortController();
    const { time } = this.#log.broker;
    if (this.#late) await time.sleep(Math.min(timeoutMs, LATE_MS));
    else await Promise.race([this.#log.broker.changed(), time.sleep(timeoutMs, over.signal)]);
    over.abort();
    await this.#log.pause(0);
  }

  endAsOf({ topic, partition }: TopicPartition): number | undefined {
    const from = this.#partitions.find((other) => other.topic === topic && other.partition === partition);
    assert(from !== undefined, `${topic} ${String(partition)} is read`);
    return from.next >= from.endSeen ? from.fetchedAt : undefined;
  }

  failing(forMs: number): readonly FailingRead[] {
    return (this.#options.failing?.() ?? []).filter((failure) => failure.forMs >= forMs);
  }

  /** A question costs nothing here. */
  pace(): void {
    return;
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #fetch(from: ReadPartition): MemorySlice | undefined {
    const log = this.#log.broker.partition(from.topic, from.partition);
    if (from.next < log.start) {
      throw new CodedError('offset_out_of_range', `could not fetch ${from.topic} ${String(from.partition)}`);
    }
    if (from.next > log.end) {
      throw new CodedError('log_truncated', `could not fetch ${from.topic} ${String(from.partition)}`);
    }
    if (this.#options.late?.(from.topic) === true) {
      this.#late = true;
      return undefined;
    }
    const end = this.#stableEnd(from.topic, from.partition);
    from.endSeen = end;
    from.fetchedAt = this.#log.broker.time.now();
    if (from.next >= end) return undefined;
    const records = Math.max(1, this.#options.sliceRecords?.() ?? SLICE_RECORDS);
    const to = Math.min(end, from.next + records);
    const slice = new MemorySlice(from, from.next, log.records.slice(from.next, to));
    from.next = to;
    return slice;
  }

  #stableEnd(topic: TopicId, partition: number): number {
    this.#log.broker.endTimedOut();
    return this.#log.broker.partition(topic, partition).stableEnd;
  }
}

const RELEASED = 0xdd;

class MemorySlice implements RecordSlice {
  readonly topic: TopicId;
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  readonly byteLength: number;
  readonly #records: readonly StoredRecord[];
  readonly #bytes: Buffer;
  #released = false;

  constructor({ topic, partition }: TopicPartition, from: number, records: readonly StoredRecord[]) {
    this.topic = topic;
    this.partition = partition;
    this.from = from;
    this.next = from + records.length;
    this.#records = records;
    const visible = records.filter(isVisible);
    this.#bytes = Buffer.concat(visible.flatMap(({ key, value }) => [key ?? none, value ?? none]));
    this.byteLength = Math.max(1, this.#bytes.length);
  }

  forEach(visit: (record: InputRecord) => void, to = Infinity): void {
    assert(!this.#released, 'a slice is not read after its release');
    const { topic, partition } = this;
    let at = 0;
    const record: InputRecord = {
      topic,
      partition,
      offset: 0,
      appendedAt: 0,
      bytes: this.#bytes,
      keyStart: 0,
      keyEnd: 0,
      valueStart: 0,
      valueEnd: 0,
    };
    for (const { offset, appendedAt, key, value } of this.#records.filter(isVisible)) {
      record.offset = offset;
      record.appendedAt = appendedAt;
      record.keyStart = at;
      record.keyEnd = record.valueStart = at + (key?.length ?? 0);
      record.valueEnd = at = record.valueStart + (value?.length ?? 0);
      if (offset < to) visit(record);
    }
  }

  release(): void {
    assert(!this.#released, 'a slice is released once');
    this.#released = true;
    this.#bytes.fill(RELEASED);
  }

  /** The same records, delivered once more. */
  again(): MemorySlice {
    return new MemorySlice(this, this.from, this.#records);
  }
}

const none = Buffer.alloc(0);

function isVisible({ marker, transaction }: StoredRecord): boolean {
  return !marker && (transaction === undefined || transaction.state === 'committed');
}
