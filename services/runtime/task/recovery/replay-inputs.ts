/** The input ranges of some journaled batches, read again in the order of the batches. */
import type { TopicId } from '../../../../schemas/topics.ts';
import { CodedError, assert } from '../../errors.ts';
import type { InputRecord, LogReader, RecordSlice } from '../../log/ports.ts';
import { scanStallMs, type ScanPorts, type Stretch } from '../batch/log-scan.ts';
import type { Turns } from '../batch/turns.ts';

const BUFFER_BYTES_MAX = 32 << 20;
const FETCH_BYTES_MAX = 1 << 20;
const WAIT_MS = 100;

interface PartitionInput {
  /** End of the last range. */
  readonly to: number;
  /** Read and still needed, in order; all of it belongs to one chunk of batches. */
  readonly slices: RecordSlice[];
  reached: number;
}

export class ReplayInputs {
  readonly #ports: ScanPorts;
  readonly #reader: LogReader | undefined;
  readonly #inputs: ReadonlyMap<string, PartitionInput>;

  private constructor(
    ports: ScanPorts,
    reader: LogReader | undefined,
    inputs: ReadonlyMap<string, PartitionInput>,
  ) {
    this.#ports = ports;
    this.#reader = reader;
    this.#inputs = inputs;
  }

  /** @throws CodedError `input_expired` when the log no longer reaches back. */
  static async open(ports: ScanPorts, ranges: readonly Stretch[]): Promise<ReplayInputs> {
    const inputs = new Map<string, PartitionInput>();
    const positions: { topic: TopicId; partition: number; offset: number }[] = [];
    for (const { topic, partition, from, to } of ranges) {
      const key = keyOf(topic, partition);
      const known = inputs.get(key);
      if (known === undefined) positions.push({ topic, partition, offset: from });
      inputs.set(key, { to: Math.max(to, known?.to ?? 0), slices: [], reached: known?.reached ?? from });
    }
    if (positions.length === 0) return new ReplayInputs(ports, undefined, inputs);
    for (const topic of new Set(positions.map((position) => position.topic))) {
      const starts = await ports.log.admin.startOffsets(topic);
      for (const position of positions) {
        const start = starts[position.partition] ?? 0;
        if (position.topic === topic && position.offset < start) throw expired(position, start);
      }
    }
    const reader = ports.log.reader({
      bufferBytesMax: BUFFER_BYTES_MAX,
      fetchBytesMax: FETCH_BYTES_MAX,
      waitMsMax: WAIT_MS,
    });
    await reader.start(positions);
    return new ReplayInputs(ports, reader, inputs);
  }

  /** Visits the records of the range, in turns; ranges of one partition must be asked for in order. */
  async read(
    { topic, partition, from, to }: Stretch,
    visit: (record: InputRecord) => void,
    turns: Turns,
  ): Promise<void> {
    const input = this.#inputs.get(keyOf(topic, partition));
    assert(input !== undefined && to <= input.to, 'the range was announced');
    await this.#reach(input, to);
    for (const slice of input.slices) {
      if (slice.from >= to) break;
      for (let next: number | undefined = from; next !== undefined;) {
        next = visitInTurn(slice, { from: next, to, visit, turns });
        if (next !== undefined) await turns.next();
      }
    }
    while (input.slices[0] !== undefined && input.slices[0].next <= to) input.slices.shift()?.release();
  }

  async close(): Promise<void> {
    for (const input of this.#inputs.values()) for (const slice of input.slices) slice.release();
    await this.#reader?.close();
  }

  async #reach(input: PartitionInput, to: number): Promise<void> {
    const { time } = this.#ports;
    let progressAt = time.monotonicMs();
    while (input.reached < to) {
      assert(this.#reader !== undefined, 'a range that is not empty has a reader');
      const slices = this.#reader.take(BUFFER_BYTES_MAX);
      if (slices.length > 0) progressAt = time.monotonicMs();
      for (const slice of slices) this.#keep(slice);
      if (input.reached >= to) return;
      if (time.monotonicMs() - progressAt > scanStallMs) {
        throw new CodedError('log_stalled', 'could not read the inputs of a batch again: nothing came');
      }
      await this.#reader.wait(WAIT_MS);
    }
  }

  #keep(slice: RecordSlice): void {
    const input = this.#inputs.get(keyOf(slice.topic, slice.partition));
    if (input === undefined || input.reached >= input.to || slice.next <= input.reached) {
      slice.release();
      return;
    }
    input.slices.push(slice);
    input.reached = slice.next;
  }
}

interface Visit {
  readonly from: number;
  readonly to: number;
  readonly visit: (record: InputRecord) => void;
  readonly turns: Turns;
}

/** @returns where to go on: the turn was over before its end. */
function visitInTurn(slice: RecordSlice, { from, to, visit, turns }: Visit): number | undefined {
  let next: number | undefined;
  let isOver = false;
  slice.forEach((record) => {
    if (record.offset < from || next !== undefined) return;
    if (isOver) {
      next = record.offset;
      return;
    }
    visit(record);
    isOver = turns.isOver;
  }, to);
  return next;
}

function keyOf(topic: TopicId, partition: number): string {
  return `${topic}/${String(partition)}`;
}

function expired(
  at: { readonly topic: TopicId; readonly partition: number; readonly offset: number },
  start: number,
) {
  return new CodedError(
    'input_expired',
    `could not replay ${at.topic} ${String(at.partition)} from offset ${String(at.offset)}: the log starts at ${String(start)}`,
  );
}
