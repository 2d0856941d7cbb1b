/**
 * Which record batches of an answer belong to aborted transactions, and so must not be seen (promise 4).
 *
 * The broker sends, beside the batches, each aborted transaction that overlaps them as (producer, first offset). From
 * that offset on, the producer's transactional batches are aborted, up to its abort marker. When two transactions
 * overlap on a partition, several can begin before the next batch: kafkajs takes only one of them a record, in the
 * order the broker happened to send them, and delivers records of the others.
 */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface BatchOrigin {
  readonly producerId: number;
  readonly lastOffset: number;
  readonly transactional: boolean;
  /** The type of a control batch's marker. */
  readonly marker: 'abort' | 'commit' | undefined;
}

export class AbortedTransactions {
  readonly #ahead: readonly AbortedTransaction[];
  #begun = 0;
  readonly #aborting = new Set<number>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#ahead = transactions.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** To be asked for every batch in order, markers included. A batch has one producer, so it is in or out as a whole. */
  hides(batch: BatchOrigin): boolean {
    for (;;) {
      const next = this.#ahead[this.#begun];
      if (next === undefined || next.firstOffset > batch.lastOffset) break;
      this.#aborting.add(next.producerId);
      this.#begun++;
    }
    if (batch.marker === 'abort') this.#aborting.delete(batch.producerId);
    return batch.transactional && batch.marker === undefined && this.#aborting.has(batch.producerId);
  }
}
