/**
 * What has been taken from the reader and by no batch: there was no room, or the batch was taken back. In the order of
 * its coming. Never more than one batch's inputs.
 */
import type { RecordSlice, TopicPartition } from '../../log/ports.ts';
import type { OpenBatch } from '../batch/open-batch.ts';
import type { Turns } from '../batch/turns.ts';

export class UntakenSlices {
  readonly #slices: RecordSlice[] = [];

  get isEmpty(): boolean {
    return this.#slices.length === 0;
  }

  has({ topic, partition }: TopicPartition): boolean {
    return this.#slices.some((slice) => slice.topic === topic && slice.partition === partition);
  }

  add(slices: readonly RecordSlice[]): void {
    this.#slices.push(...slices);
  }

  putBack(slices: readonly RecordSlice[]): void {
    this.#slices.unshift(...slices);
  }

  /** As much of it as the batch has room for, in turns. One whose record fails stays, with all behind it. */
  async giveTo(batch: OpenBatch, turns: Turns): Promise<void> {
    for (let slice = this.#slices[0]; slice !== undefined; slice = this.#slices[0]) {
      if (batch.take(slice)) this.#slices.shift();
      else if (batch.full) return;
      else await turns.next();
    }
  }
}
