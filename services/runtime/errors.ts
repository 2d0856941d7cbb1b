/** Every expected error has a code of the table schemas/errors.ts, which says what follows and what a person can do. */
import { errorEntry, type ErrorCode } from '../../schemas/errors.ts';

export interface CodedErrorOptions {
  readonly cause?: unknown;
  /** What a person can do about it, as sentences, where more is known than the table says. */
  readonly hint?: string;
  /** When a caller may try again, where more is known than a moment. */
  readonly retryAfterS?: number;
}

export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterS: number | undefined;
  constructor(code: ErrorCode, message: string, { cause, hint, retryAfterS }: CodedErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CodedError';
    this.code = code;
    this.retryAfterS = retryAfterS;
    const { todo } = errorEntry(code);
    this.hint = hint ?? (todo === '' ? undefined : todo);
  }

  /** The same may go well when it is tried again. */
  get retryable(): boolean {
    const { follows } = errorEntry(this.code);
    return follows === 'again' || follows === 'rebuilt';
  }
}

/** A record that its service cannot take, found out before anything was done about it: it goes to dead.letters. */
export class UnusableRecord extends CodedError {}

/** For the end of a switch over a union: a value that the types say cannot be. */
export function unreachable(value: never): never {
  throw new CodedError('unreachable', `could not go on: unexpected value ${JSON.stringify(value)}`);
}

/**
 * What must hold. A failure in the handling of a record is that record's (services/runtime/task/batch/failed-records.ts);
 * anywhere else it stops the task: better late than wrong.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CodedError('assertion_failed', `assertion failed: ${message}`);
}

/** What must hold of a task and its stores, whichever record is in hand. A failure stops the task. */
export function assertState(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CodedError('state_broken', `assertion failed: ${message}`);
}
