/** The records of one call on their way to be kept, and who waits for them. */
import type { Workspace } from '../../../schemas/ids.ts';
import type { TakenRecord } from '../../ingest/ports.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { Waiter } from '../../runtime/log/ports.ts';

export interface Call {
  readonly records: readonly TakenRecord[];
  /** All of its records are of one. */
  readonly workspace: Workspace;
  /** Of keys and values. */
  readonly bytes: number;
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

export class Ticket {
  readonly call: Call;
  readonly sendings: readonly Sending[];
  readonly #owner: TicketOwner;
  #left: number;
  #fault: unknown;
  /** It goes to the disk: what the producer says of it counts no more. */
  #isTakenBack = false;

  constructor(call: Call, owner: TicketOwner) {
    this.call = call;
    this.sendings = call.records.map((record) => new Sending(record, this));
    this.#owner = owner;
    this.#left = call.records.length;
  }

  /** @returns what the log does not have for certain. */
  takeBack(): readonly TakenRecord[] {
    this.#isTakenBack = true;
    return this.sendings.filter(({ isKept }) => !isKept).map(({ record }) => record);
  }
  /** Why the log will never have some of it. */
  get fault(): unknown {
    return this.#fault;
  }

  settled(error?: unknown): void {
    if (this.#isTakenBack) return;
    if (error instanceof CodedError && error.retryable) {
      this.#owner.failed(error);
      return;
    }
    this.#fault ??= error;
    this.#left -= 1;
    if (this.#left === 0) this.#owner.ended(this, this.#fault);
  }
}

class Sending implements Waiter {
  readonly record: TakenRecord;
  readonly #ticket: Ticket;
  isKept = false;

  constructor(record: TakenRecord, ticket: Ticket) {
    this.record = record;
    this.#ticket = ticket;
  }
  resolve(): void {
    this.isKept = true;
    this.#ticket.settled();
  }
  reject(error: unknown): void {
    this.#ticket.settled(error);
  }
}
