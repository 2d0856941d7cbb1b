/**
 * The journal of a task: one record a committed batch, in partition i for task i. Its last record says what is done
 * and where to go on. Only committed records are ever read, and the transactional id lets one owner write at a time.
 */
import type { Codec } from '../../../../schemas/codec.ts';
import type { BatchRecord } from '../../../../schemas/records.ts';
import type { TopicId } from '../../../../schemas/topics.ts';
import { CodedError, assert } from '../../errors.ts';
import { scan, type ScanPorts } from './log-scan.ts';

/** Records looked at in one go when searching backward. */
const STEP_RECORDS = 512;
const STEP_GROWTH = 8;

export class Journal {
  readonly #ports: ScanPorts;
  readonly #codec: Codec<'BatchRecord'>;
  readonly #topic: TopicId;
  readonly #partition: number;
  /** What `last` read, in order: as a rule all that a recovery asks for next. */
  #tail: readonly BatchRecord[] = [];

  constructor(ports: ScanPorts, codec: Codec<'BatchRecord'>, topic: TopicId, partition: number) {
    this.#ports = ports;
    this.#codec = codec;
    this.#topic = topic;
    this.#partition = partition;
  }

  /** The last committed batch; undefined when the journal holds none. */
  async last(): Promise<BatchRecord | undefined> {
    const { start, end } = await this.#bounds();
    // The end counts commit markers, so the last record lies somewhat before it.
    for (let reach = STEP_RECORDS; ; reach *= STEP_GROWTH) {
      const from = Math.max(start, end - reach);
      const tail: BatchRecord[] = [];
      for await (const record of this.#records(from, end)) tail.push(record);
      this.#tail = tail;
      if (tail.length > 0 || from === start) return tail.at(-1);
    }
  }

  /** It once had records that have expired: a task without state is then not a new one. */
  async hasExpired(): Promise<boolean> {
    return (await this.#bounds()).start > 0;
  }

  /**
   * The batches after the mark (a sequence), in order and without a gap.
   * @throws CodedError `journal_gap` when the log no longer holds the first of them.
   */
  async *after(mark: number): AsyncGenerator<BatchRecord> {
    let next = mark + 1;
    const [oldest] = this.#tail;
    const known = oldest !== undefined && oldest.sequence <= next;
    for await (const record of known ? this.#tail : this.#reachingBack(next)) {
      if (record.sequence < next) continue;
      if (record.sequence > next) throw gap(this.#topic, this.#partition, next, record.sequence);
      next += 1;
      yield record;
    }
  }

  /** The records from one on that is no later than this sequence, if there is one. */
  async *#reachingBack(sequence: number): AsyncGenerator<BatchRecord> {
    const { start, end } = await this.#bounds();
    let from = end;
    for (let reach = STEP_RECORDS; from > start; reach *= STEP_GROWTH) {
      from = Math.max(start, end - reach);
      const first = await this.#first(from, end);
      if (first !== undefined && first.sequence <= sequence) break;
    }
    yield* this.#records(from, end);
  }

  async #first(from: number, to: number): Promise<BatchRecord | undefined> {
    for await (const record of this.#records(from, to)) return record;
    return undefined;
  }

  async *#records(from: number, to: number): AsyncGenerator<BatchRecord> {
    const found: BatchRecord[] = [];
    for await (const slice of scan(this.#ports, [
      { topic: this.#topic, partition: this.#partition, from, to },
    ])) {
      slice.forEach((record) => {
        found.push(this.#codec.decode(record.bytes, record.valueStart, record.valueEnd));
      }, to);
      yield* found;
      found.length = 0;
    }
  }

  async #bounds(): Promise<{ readonly start: number; readonly end: number }> {
    const { admin } = this.#ports.log;
    const [starts, ends] = await Promise.all([
      admin.startOffsets(this.#topic),
      admin.endOffsets(this.#topic),
    ]);
    const start = starts[this.#partition];
    const end = ends[this.#partition];
    assert(start !== undefined && end !== undefined, `${this.#topic} has a partition for each task`);
    return { start, end };
  }
}

function gap(topic: TopicId, partition: number, wanted: number, found: number): CodedError {
  return new CodedError(
    'journal_gap',
    `could not find batch ${String(wanted)} in ${topic} ${String(partition)}: the first kept after it is ${String(found)}`,
  );
}
