/** Where outputs go: the real buffer, or none, and either way the requests are kept for their answers. */
import type { TopicId } from '../../schemas/topics.ts';
import { BytePool } from '../../services/runtime/log/byte-pool.ts';
import { BatchedOutputs } from '../../services/runtime/log/producing/output-buffer.ts';
import type { OutputBuffer } from '../../services/runtime/log/ports.ts';

const FREE_BYTES_MAX = 64 << 20;

export class CountingOutputs implements OutputBuffer {
  readonly #buffer: BatchedOutputs | undefined;
  readonly counts = { records: 0, onceAnonymous: 0 };
  #requests: Buffer[] = [];

  /** @param written false: nothing is serialised. */
  constructor(written: boolean) {
    if (written) this.#buffer = new BatchedOutputs(new BytePool(FREE_BYTES_MAX));
  }

  append(topic: TopicId, partition: number, key: Uint8Array | null, value: Uint8Array | null): void {
    this.#buffer?.append(topic, partition, key, value);
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
    return this.#buffer?.records ?? 0;
  }
  get bytes(): number {
    return this.#buffer?.bytes ?? 0;
  }
  clear(): void {
    this.#buffer?.clear();
  }
}

function countOf(activity: Uint8Array): number {
  const text = Buffer.from(activity.buffer, activity.byteOffset, activity.byteLength).toString('latin1');
  return Number(/"count":(\d+)/.exec(text)?.[1] ?? 0);
}
