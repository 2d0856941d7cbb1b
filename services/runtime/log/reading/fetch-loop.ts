/**
 * The reader: one loop for each broker over the partitions that it leads. No consumer group, so no dead member to wait
 * for after a kill, and no handler that holds up the others.
 *
 * A partition belongs to the loop of its leader. When the leader moves, an answer of the old loop may still arrive: it
 * counts only if the partition is still that loop's and still where it was asked for, so nothing is delivered twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicId } from '../../../../schemas/topics.ts';
import { assert, CodedError } from '../../errors.ts';
import { Bell } from '../connection/bell.ts';
import type { BytePool } from '../byte-pool.ts';
import type { Cluster } from '../connection/cluster.ts';
import { type FetchItem, fetchRequest } from '../protocol/fetch-request.ts';
import {
  decodeFetched,
  type FetchedPartition,
  type FetchResponse,
  visibleBatches,
} from '../protocol/fetch-response.ts';
import {
  asLogError,
  kafkaError,
  LEADER_NOT_AVAILABLE,
  NONE,
  OFFSET_OUT_OF_RANGE,
} from '../connection/kafka-error.ts';
import { whyOutOfRange } from './out-of-range.ts';
import type { FailingRead, LogReader, Position, RecordSlice, TopicPartition } from '../ports.ts';
import { NO_LEADER, pauseAfter, placeOf, ReadPartition } from './read-partition.ts';
import { FetchedSlice } from '../protocol/record-slice.ts';
import { request } from '../connection/request.ts';
import { SliceQueue } from './slice-queue.ts';

export interface FetchLoopOptions {
  readonly cluster: Cluster;
  readonly frames: BytePool;
  readonly topicName: (topic: TopicId) => string;
  readonly bufferBytesMax: number;
  readonly fetchBytesMax: number;
  readonly waitMsMax: number;
}

/** What a request asked for. */
interface Asked {
  readonly leader: number;
  /** Wall clock, ms. */
  readonly at: number;
  /** By place. */
  readonly offsets: ReadonlyMap<string, number>;
}

const CORRUPT_ANSWERS_MAX = 5;
/** Less room than this is not worth a request; a batch is up to 1 MB, and comes whole whatever we say. */
const FETCH_BYTES_MIN = 64 << 10;
const ROOM_RECHECK_MS = 1_000;
const CLOSE_MS_MAX = 1_000;

export class FetchLoop implements LogReader {
  readonly #options: FetchLoopOptions;
  readonly #queue: SliceQueue;
  readonly #partitions: ReadPartition[] = [];
  readonly #byPlace = new Map<string, ReadPartition>();
  #byLeader = new Map<number, ReadPartition[]>();
  readonly #loops = new Map<number, Promise<void>>();
  readonly #closing = new Bell();
  #restMs = 0;
  #failure: Error | undefined;
  #closed = false;

  constructor(options: FetchLoopOptions) {
    this.#options = options;
    this.#queue = new SliceQueue(options.bufferBytesMax);
  }

  async start(positions: readonly Position[]): Promise<void> {
    assert(this.#partitions.length === 0, 'a reader is started once');
    const { cluster, topicName } = this.#options;
    await cluster.addTopics([...new Set(positions.map(({ topic }) => topicName(topic)))]);
    for (const { topic, partition, offset } of positions) {
      const from = new ReadPartition({ topic, topicName: topicName(topic), partition, offset });
      const { place } = from;
      assert(!this.#byPlace.has(place), `each partition is read once: ${place}`);
      assert(partition < cluster.partitionCount(from.topicName), `there is a partition ${place}`);
      this.#partitions.push(from);
      this.#byPlace.set(place, from);
    }
    this.#assign();
  }

  /** Throws the error that stopped the reader: `offset_out_of_range`, `log_truncated`, `corrupt_batch`, … */
  take(bytesMax: number): RecordSlice[] {
    this.#throwFailure();
    const slices = this.#queue.take(bytesMax);
    for (const { topic, partition } of slices) this.#of({ topic, partition }).queued--;
    return slices;
  }

  get bufferedBytes(): number {
    return this.#queue.bytes;
  }

  /** Rejects as take throws. */
  async wait(timeoutMs: number): Promise<void> {
    this.#throwFailure();
    await this.#queue.waitForSlices(timeoutMs);
    this.#throwFailure();
  }

  endAsOf(at: TopicPartition): number | undefined {
    const from = this.#of(at);
    return from.queued === 0 ? from.endAsOf : undefined;
  }

  failing(forMs: number): readonly FailingRead[] {
    const now = performance.now();
    const failures = this.#partitions.flatMap((from) => from.failure(now) ?? []);
    return failures.filter((failure) => failure.forMs >= forMs);
  }

  pace(restMs: number): void {
    this.#restMs = restMs;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.cluster.destroy();
    this.#closing.ring();
    this.#queue.wakeAll();
    for (const slice of this.#queue.take(Number.POSITIVE_INFINITY)) slice.release();
    await Promise.race([Promise.all(this.#loops.values()), sleep(CLOSE_MS_MAX, undefined, { ref: false })]);
  }

  /** Gives each partition to the loop of its leader, and starts the loops that are missing. */
  #assign(): void {
    const byLeader = new Map<number, ReadPartition[]>();
    for (const from of this.#partitions) {
      from.leader = this.#options.cluster.leaderOf(from.topicName, from.partition);
      const same = byLeader.get(from.leader);
      if (same === undefined) byLeader.set(from.leader, [from]);
      else same.push(from);
    }
    this.#byLeader = byLeader;
    for (const leader of byLeader.keys())
      if (!this.#loops.has(leader))
        this.#loops.set(
          leader,
          this.#run(leader).catch((error: unknown) => {
            this.#fail(error);
          }),
        );
  }

  async #run(leader: number): Promise<void> {
    let failures = 0;
    for (let turn = 0; !this.#isStopped(); turn++) {
      const mine = this.#byLeader.get(leader);
      if (mine === undefined) break;
      const now = performance.now();
      const due = mine.filter(({ retryAt }) => retryAt <= now);
      if (due.length === 0) {
        await this.#closing.wait(Math.min(...mine.map(({ retryAt }) => retryAt)) - now);
        continue;
      }
      try {
        const moved = await this.#fetch(leader, rotated(due, turn));
        failures = 0;
        // Not waited for: the others of this leader are well.
        if (due.some(({ isFailing }) => isFailing)) void this.#lookAgain();
        const rests = moved && this.#restMs > 0 && mine.every(({ endAsOf }) => endAsOf !== undefined);
        if (rests) await this.#closing.wait(this.#restMs);
      } catch (cause) {
        const error = asLogError('fetch', cause);
        if (this.#isStopped()) break;
        failures++;
        if (!(error instanceof CodedError) || !error.retryable) throw error;
        if (error.code === 'corrupt_batch' && failures >= CORRUPT_ANSWERS_MAX) throw error;
        for (const from of due) from.failed(error, performance.now());
        await this.#closing.wait(pauseAfter(failures));
        await this.#lookAgain();
      }
    }
    this.#loops.delete(leader);
  }

  /** Asks who leads what. A failure to ask is the next attempt's to meet. */
  async #lookAgain(): Promise<void> {
    if (this.#isStopped()) return;
    await this.#options.cluster.refresh().catch(() => undefined);
    if (!this.#isStopped()) this.#assign();
  }

  /** @returns whether the answer brought something. */
  async #fetch(leader: number, mine: readonly ReadPartition[]): Promise<boolean> {
    if (leader === NO_LEADER) throw kafkaError('fetch', LEADER_NOT_AVAILABLE);
    const { cluster, fetchBytesMax, waitMsMax } = this.#options;
    const bytesMax = await this.#room(fetchBytesMax);
    if (this.#isStopped()) return false;
    try {
      const items = mine.map(({ topicName, partition, at }) => ({ topicName, partition, offset: at }));
      const limits = { waitMsMax, bytesMax, partitionBytesMax: Math.ceil(bytesMax / 2) };
      const broker = await cluster.broker(leader);
      const asked = { leader, at: Date.now(), offsets: offsetsOf(items) };
      const answer = await request(broker, fetchRequest(items, limits));
      if (this.#isStopped()) return false;
      return await this.#takeAnswer(asked, decodeFetched(answer), answer.bytes);
    } finally {
      this.#queue.unreserve(bytesMax);
    }
  }

  /** Waits until there is room in the buffer: a full one stops asking the broker. */
  async #room(bytesWanted: number): Promise<number> {
    while (!this.#isStopped()) {
      const bytes = this.#queue.reserve(bytesWanted);
      if (bytes >= Math.min(FETCH_BYTES_MIN, bytesWanted)) return bytes;
      this.#queue.unreserve(bytes);
      await this.#queue.waitForRoom(ROOM_RECHECK_MS);
    }
    return 0;
  }

  async #takeAnswer(asked: Asked, answer: FetchResponse, frame: Buffer): Promise<boolean> {
    if (answer.errorCode !== NONE) throw kafkaError('fetch', answer.errorCode);
    let outOfRange: ReadPartition | undefined;
    const ready: {
      from: ReadPartition;
      fetched: FetchedPartition;
      content: ReturnType<typeof visibleBatches>;
    }[] = [];
    for (const fetched of answer.partitions) {
      const place = placeOf(fetched);
      const from = this.#byPlace.get(place);
      if (from?.leader !== asked.leader || from.at !== asked.offsets.get(place)) continue;
      if (fetched.errorCode === OFFSET_OUT_OF_RANGE) {
        outOfRange = from;
      } else if (fetched.errorCode !== NONE) {
        const error = kafkaError(`fetch ${place} from offset ${String(from.at)}`, fetched.errorCode);
        if (!error.retryable) throw error;
        from.failed(error, performance.now());
      } else {
        ready.push({ from, fetched, content: visibleBatches(fetched, from.at) });
        from.answered();
      }
    }
    const moved = ready.filter(({ from, content }) => content.next > from.at);
    const release = sharedRelease(moved.length, () => {
      this.#options.frames.giveBack(frame);
    });
    for (const { from, fetched, content } of ready) {
      from.endAsOf = content.next >= fetched.lastStableOffset ? asked.at : undefined;
      if (content.next === from.at) continue;
      const { topic, partition, at } = from;
      const slice = { topic, partition, from: at, byteLength: fetched.bytes.length, ...content };
      from.at = content.next;
      from.queued++;
      this.#queue.push(new FetchedSlice(slice, release));
    }
    if (outOfRange !== undefined) throw await whyOutOfRange(this.#options.cluster, outOfRange);
    return moved.length > 0;
  }

  #of({ topic, partition }: TopicPartition): ReadPartition {
    const place = placeOf({ topicName: this.#options.topicName(topic), partition });
    const from = this.#byPlace.get(place);
    assert(from !== undefined, `${place} is read by this reader`);
    return from;
  }

  #isStopped(): boolean {
    return this.#closed || this.#failure !== undefined;
  }
  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#queue.wakeAll();
  }
  #throwFailure(): void {
    if (this.#closed) throw new CodedError('log_closed', 'could not read: the reader is closed');
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function offsetsOf(items: readonly FetchItem[]): ReadonlyMap<string, number> {
  return new Map(items.map((item) => [placeOf(item), item.offset]));
}

/** The broker fills an answer in the order asked, and only the first batch comes whole whatever its size: take turns. */
function rotated<Item>(items: readonly Item[], turn: number): readonly Item[] {
  const first = turn % items.length;
  return first === 0 ? items : [...items.slice(first), ...items.slice(0, first)];
}

/** The slices of one answer share its frame: it is free when the last is released, or at once when there is none. */
function sharedRelease(holders: number, free: () => void): () => void {
  let left = holders;
  if (left === 0) free();
  return () => {
    if (--left === 0) free();
  };
}
