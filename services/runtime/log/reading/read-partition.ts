import type { TopicId } from '../../../../schemas/topics.ts';
import type { CodedError } from '../../errors.ts';
import type { FailingRead } from '../ports.ts';

export const NO_LEADER = -1;
export const PAUSE_MS_MIN = 20;
export const PAUSE_MS_MAX = 1_000;

/** Longer after each failure in a row. */
export function pauseAfter(failures: number): number {
  return Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(failures - 1, 10));
}

/** A partition that is read: where the reader stands, who leads it, and since when it has given nothing but errors. */
export class ReadPartition {
  readonly topic: TopicId;
  readonly topicName: string;
  readonly partition: number;
  /** Next offset to ask for. */
  at: number;
  leader = NO_LEADER;
  /** When the answer was asked for that reached the end; undefined when the last one did not. */
  endAsOf: number | undefined;
  /** Slices in the queue. */
  queued = 0;
  #failures = 0;
  #failingSince: number | undefined;
  #error: CodedError | undefined;
  #retryAt = 0;

  constructor(at: {
    readonly topic: TopicId;
    readonly topicName: string;
    readonly partition: number;
    readonly offset: number;
  }) {
    this.topic = at.topic;
    this.topicName = at.topicName;
    this.partition = at.partition;
    this.at = at.offset;
  }

  get place(): string {
    return placeOf(this);
  }
  /** It is not asked again before: others of its leader are not held up by it. */
  get retryAt(): number {
    return this.#retryAt;
  }
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  answered(): void {
    this.#failures = 0;
    this.#retryAt = 0;
    this.#failingSince = undefined;
    this.#error = undefined;
  }

  failed(error: CodedError, now: number): void {
    this.#failures++;
    this.#retryAt = now + pauseAfter(this.#failures);
    this.#failingSince ??= now;
    this.#error = error;
  }

  failure(now: number): FailingRead | undefined {
    if (this.#failingSince === undefined || this.#error === undefined) return undefined;
    const { topic, partition } = this;
    return { topic, partition, forMs: now - this.#failingSince, error: this.#error };
  }
}

export function placeOf(at: { readonly topicName: string; readonly partition: number }): string {
  return `${at.topicName}/${String(at.partition)}`;
}
