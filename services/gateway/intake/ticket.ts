/** The records of one call on their way to be kept, and who waits for them. */
import type { TakenRecord, TakenRecords } from '../../runtime/taken-records.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { InLine } from '../../runtime/line.ts';
import type { Waiter } from '../../runtime/log/ports.ts';

export interface Call {
  readonly records: TakenRecords;
  /** Monotonic, ms. */
  readonly sinceMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface TicketOwner {
  /** The log has all of it; or, with a fault, will never have some of it. */
  ended(ticket: Ticket, fault: unknown): void;
  /** A record cannot be sent now. */
  failed(error: unknown): void;
}

const WORD_BITS = 32;

/** A record is posted with its place among the call's as its mark. */
export class Ticket implements Waiter, InLine<Ticket> {
  readonly call: Call;
  readonly #owner: TicketOwner;
  #left: number;
  #fault: unknown;
  /** Which of them the log has: a bit for each, 32 in a word. */
  readonly #kept: number[] = [];
  /** It goes to the disk: what the producer says of it counts no more. */
  #isTakenBack = false;
  before: Ticket | undefined;
  after: Ticket | undefined;
  isInLine = false;

  constructor(call: Call, owner: TicketOwner) {
    this.call = call;
    this.#owner = owner;
    this.#left = call.records.count;
  }

  /** @returns what the log does not have for certain. */
  takeBack(): readonly TakenRecord[] {
    this.#isTakenBack = true;
    const { records } = this.call;
    const left: TakenRecord[] = [];
    for (let index = 0; index < records.count; index += 1) {
      if (!this.#isKept(index)) left.push(records.at(index));
    }
    return left;
  }
  /** Why the log will never have some of it. */
  get fault(): unknown {
    return this.#fault;
  }

  resolve(_offset: number, mark: number): void {
    if (this.#isTakenBack) return;
    if (this.#left > 1) {
      const word = Math.floor(mark / WORD_BITS);
      this.#kept[word] = (this.#kept[word] ?? 0) | (1 << (mark % WORD_BITS));
    }
    this.#settled();
  }

  reject(error: unknown): void {
    if (this.#isTakenBack) return;
    if (error instanceof CodedError && error.retryable) {
      this.#owner.failed(error);
      return;
    }
    this.#fault ??= error;
    this.#settled();
  }

  #settled(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#owner.ended(this, this.#fault);
  }

  #isKept(index: number): boolean {
    return (((this.#kept[Math.floor(index / WORD_BITS)] ?? 0) >> (index % WORD_BITS)) & 1) === 1;
  }
}
