/** Keeps the watermarks of a task's partitions and writes those that grew into its transactions. */
import type { Codecs } from '../../../../schemas/codec.ts';
import type { LogReader, OutputBuffer, TopicPartition } from '../../log/ports.ts';
import type { PartitionRunner } from '../partition-runner.ts';
import type { Positions } from '../batch/positions.ts';
import type { TaskPlan } from '../task-plan.ts';
import { hasGrown, noTimes, timesOf, watermarkOf, type Times, type Watermark } from './watermarks.ts';

export interface WatermarkParts {
  readonly plan: TaskPlan;
  readonly codecs: Codecs;
  readonly runners: readonly PartitionRunner[];
  readonly positions: Positions;
  readonly reader: Pick<LogReader, 'endAsOf'>;
}

const INTERVAL_MS = 1_000;
/** On a standing clock tests wait for it, and nothing else loads the broker. */
const STANDING_INTERVAL_MS = 50;
/** From an event's receive time until it is on the log, as a rule. One that takes longer counts by its own timestamp. */
const SENDING_MS = 150;
const none: Published = { time: 0, offset: 0, times: noTimes };

interface Published extends Watermark {
  readonly times: Times;
}

export class WatermarkPublisher {
  readonly #parts: WatermarkParts;
  readonly #published = new Map<number, Published>();
  #grown: { readonly partition: number; readonly watermark: Published }[] = [];
  #publishedAt = -Infinity;
  readonly #lastReceivedAt = new Map<number, number>();

  constructor(parts: WatermarkParts) {
    this.#parts = parts;
  }

  observe(lastReceivedAt: ReadonlyMap<number, number>): void {
    for (const [partition, time] of lastReceivedAt) this.#lastReceivedAt.set(partition, time);
  }

  /**
   * Appends what grew, when it is due. @param time the clock. @param ends on a standing clock: end offsets of the first
   * input as of when the clock was read. Returns whether anything was appended.
   */
  append(now: number, time: number, ends: readonly number[] | undefined, outputs: OutputBuffer): boolean {
    const { spec } = this.#parts.plan;
    if (spec.watermarks === undefined) return false;
    const interval = this.#parts.plan.standingClock ? STANDING_INTERVAL_MS : INTERVAL_MS;
    if (now - this.#publishedAt < interval) return false;
    this.#grown = [];
    for (const runner of this.#parts.runners) {
      const { partition } = runner;
      const published = this.#published.get(partition) ?? none;
      const watermark = this.#watermarkOf(runner, time, ends, published);
      if (!hasGrown(watermark, published) && watermark.times.time <= published.times.time) continue;
      this.#grown.push({ partition, watermark });
      const { offset, times } = watermark;
      const handled = { offset, ...times };
      for (const { topic, value } of spec.watermarks.encode(partition, handled, this.#parts.codecs)) {
        for (let target = 0; target < this.#parts.plan.partitions; target += 1) {
          outputs.append(topic, target, null, value);
        }
      }
    }
    if (this.#grown.length === 0) return false;
    this.#publishedAt = now;
    return true;
  }

  /** What was appended has been committed. */
  committed(): void {
    for (const { partition, watermark } of this.#grown) this.#published.set(partition, watermark);
    this.#grown = [];
  }

  /** The lowest published time of the task's partitions. */
  get time(): number {
    return Math.min(...this.#parts.plan.own.map((partition) => this.#published.get(partition)?.time ?? 0));
  }

  #watermarkOf(
    runner: PartitionRunner,
    time: number,
    ends: readonly number[] | undefined,
    published: Published,
  ): Published {
    const { plan, positions } = this.#parts;
    const { partition } = runner;
    const [topic] = plan.spec.inputs;
    if (topic === undefined) return published;
    const progress = {
      pending: runner.pendingSince(),
      next: positions.next(topic, partition),
      clock: this.#clockOf({ topic, partition }, time, ends),
      lastReceivedAt: this.#lastReceivedAt.get(partition),
    };
    const times = timesOf(progress, runner.receivedFrom(), published.times);
    return { ...watermarkOf(progress, published), times };
  }

  /**
   * The time up to which the input has been read for certain: that of the request whose answer reached its end, not of
   * now. Fetches may fail while commits go through, and a process that was frozen comes to its timers before it has read
   * what came meanwhile. A standing clock waits for the end offsets of its own moment instead.
   */
  #clockOf(at: TopicPartition, time: number, ends: readonly number[] | undefined): number | undefined {
    const { positions, reader } = this.#parts;
    const asOf = reader.endAsOf(at);
    if (asOf === undefined) return undefined;
    if (ends === undefined) return Math.min(time, asOf) - SENDING_MS;
    return positions.next(at.topic, at.partition) >= (ends[at.partition] ?? 0) ? time : undefined;
  }
}
