/**
 * What has been taken from the reader and by no batch: there was no room, or the batch was taken back. In the order of
 * its coming. Never more than one batch's inputs.
 */
import type { RecordSlice, TopicPartition } from '../../log/ports.ts';
import type { OpenBatch } from '../batch/open-batch.ts';

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

  /** As much of it as the batch has room for. One whose record fails stays, with all behind it. */
  giveTo(batch: OpenBatch): void {
    let taken = 0;
    try {
      for (const slice of this.#slices) {
        if (!batch.take(slice)) break;
        taken += 1;
      }
    } finally {
      this.#slices.splice(0, taken);
    }
  }
}
