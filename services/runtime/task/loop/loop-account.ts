/** What a batch loop has done since it began, and where its inputs stand, handled and committed. */
import type { Position } from '../../log/ports.ts';
import type { OpenBatch } from '../batch/open-batch.ts';
import type { Positions } from '../batch/positions.ts';

export interface LoopProgress {
  readonly sequence: number;
  readonly time: number;
  readonly definitionsOffset: number;
  readonly batches: number;
  readonly events: number;
  readonly transactions: number;
}

export class LoopAccount {
  readonly #positions: Positions;
  batches = 0;
  events = 0;
  transactions = 0;
  /** Of the last committed batch. */
  sequence: number;
  lastBatchRecords = 0;
  /** Monotonic, ms. */
  lastJournalAt: number;
  handled: readonly Position[];
  /** Everything due at this clock and these definitions has been committed. */
  #done = { time: 0, definitionsOffset: 0 };

  constructor(positions: Positions, sequence: number, now: number) {
    this.#positions = positions;
    this.sequence = sequence;
    this.handled = [...positions.all()];
    // A day after the last batch, whenever that was; the first live hour is soon enough to make it up.
    this.lastJournalAt = now;
  }

  committed(batch: OpenBatch, outputRecords: number, now: number): void {
    this.batches += 1;
    this.events += batch.records;
    this.lastJournalAt = now;
    this.lastBatchRecords = outputRecords;
    this.idle(batch.context.time, batch.context.definitions.offset);
  }

  idle(time: number, definitionsOffset: number): void {
    this.#done = { time, definitionsOffset };
    this.handled = [...this.#positions.all()];
  }

  get counts(): Pick<LoopProgress, 'batches' | 'events' | 'transactions'> {
    const { batches, events, transactions } = this;
    return { batches, events, transactions };
  }
  get progress(): LoopProgress {
    return { sequence: this.sequence, ...this.#done, ...this.counts };
  }
}
