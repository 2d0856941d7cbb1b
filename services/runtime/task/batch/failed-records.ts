/**
 * Records whose handling failed because of what they are. Nothing of a batch is on the log before its commit, so the
 * batch is taken back whole and run again without them: that costs nothing where nothing fails, and leaves no trace of
 * a record that failed half way. The journal names them, so that a replay leaves them out as well.
 *
 * An error that says what it is about counts at once. One that does not (a TypeError, say) may have passed by the next
 * time, so the record is tried twice.
 */
import type { BatchRecord } from '../../../../schemas/records.ts';
import { errorEntry } from '../../../../schemas/errors.ts';
import { topics, type TopicId } from '../../../../schemas/topics.ts';
import { CodedError } from '../../errors.ts';
import { shortened, type Failure, type Step } from './dead-letter.ts';

/** A record, or with `kept` what a service has kept of an earlier one in this input partition. */
export interface FailedPlace {
  readonly topic: TopicId;
  readonly partition: number;
  readonly offset: number;
  /** Empty for the record itself. */
  readonly kept: string;
}

/** The code of what is no CodedError: a bug that this record meets. */
const unexpected = 'unexpected_error';

/** Thrown by the shell in place of what a processor threw. */
export class RecordFault extends CodedError {
  readonly place: FailedPlace;
  readonly failure: Failure;
  /** Only a second time is certain. */
  readonly unsure: boolean;

  constructor(place: FailedPlace, failure: Failure, { unsure, cause }: { unsure: boolean; cause: unknown }) {
    super('record_failed', `could not handle ${keyOf(place)}: ${failure.code}: ${failure.message}`, {
      cause,
    });
    this.place = place;
    this.failure = failure;
    this.unsure = unsure;
  }
}

/** The error itself when it is not the record's. */
export function faultOf(error: unknown, place: FailedPlace, step: Step): unknown {
  if (error instanceof RecordFault || !(error instanceof Error)) return error;
  const message = shortened(error.message);
  if (error instanceof CodedError) {
    if (errorEntry(error.code).ofRecord !== true) return error; // about the task or its state
    return new RecordFault(place, { step, code: error.code, message }, { unsure: false, cause: error });
  }
  if ('code' in error || 'errno' in error) return error; // the system's: disk, memory, network
  return new RecordFault(place, { step, code: unexpected, message }, { unsure: true, cause: error });
}

/** Records that have failed once and did not say what it was about. */
const onceMax = 1_000;

/** What the journal says of a batch. */
export type JournaledFailure = BatchRecord['dead_letters'][number];

export class FailedRecords {
  readonly #failures = new Map<string, Failure>();
  readonly #once = new Set<string>();

  /** Of a batch that is replayed. */
  static ofBatch({ dead_letters: letters }: BatchRecord): FailedRecords {
    const failed = new FailedRecords();
    for (const { topic, partition, offset, kept, step, code, message } of letters) {
      failed.#failures.set(nameOf(topic, { partition, offset, kept }), { step: step as Step, code, message }); // ours
    }
    return failed;
  }

  get size(): number {
    return this.#failures.size;
  }

  /** Why it is to be put aside; undefined: it is to be handled. */
  of(place: FailedPlace): Failure | undefined {
    return this.#failures.size === 0 ? undefined : this.#failures.get(keyOf(place));
  }

  add({ place, failure, unsure }: RecordFault): void {
    const key = keyOf(place);
    if (unsure && !this.#once.delete(key)) {
      if (this.#once.size >= onceMax) this.#once.clear(); // then they are tried once more
      this.#once.add(key);
    } else this.#failures.set(key, failure);
  }

  /** These are on the log. Others may be behind what was committed, and are still to come. */
  committed(letters: readonly JournaledFailure[]): void {
    for (const { topic, partition, offset, kept } of letters) {
      this.#failures.delete(nameOf(topic, { partition, offset, kept }));
    }
  }
}

export function journaled(place: FailedPlace, failure: Failure): JournaledFailure {
  return { ...place, topic: topics[place.topic].name, ...failure };
}

function keyOf({ topic, ...place }: FailedPlace): string {
  return nameOf(topics[topic].name, place);
}

/** What is kept fails by its name, whatever is read at that moment. */
function nameOf(topic: string, { partition, offset, kept }: Omit<FailedPlace, 'topic'>): string {
  return kept === ''
    ? `${topic}/${String(partition)}/${String(offset)}`
    : `kept/${String(partition)}/${kept}`;
}

/** Above both of them a partition stands still: a topic must not drain into dead.letters. */
export interface DeadLettersMax {
  readonly perMinuteMax: number;
  /** Of the records handled in that minute, 0 to 1. */
  readonly shareMax: number;
}
export const usualDeadLetters: DeadLettersMax = { perMinuteMax: 100, shareMax: 0.1 };
const MINUTE_MS = 60_000;

/** Counts what a task has put aside, from its start in this process on. */
export class DeadLetterBurst {
  readonly #max: DeadLettersMax;
  #minuteFrom = -Infinity;
  #letters = 0;
  #records = 0;

  constructor(max: DeadLettersMax) {
    this.#max = max;
  }

  committed(letters: number, records: number, now: number): void {
    this.#turn(now);
    this.#letters += letters;
    this.#records += records;
  }

  /** @throws CodedError `dead_letters_burst` if these were too many, with what the open batch has. */
  assertRoom(letters: number, records: number, now: number): void {
    this.#turn(now);
    const sum = this.#letters + letters;
    const of = Math.max(1, this.#records + records);
    const { perMinuteMax, shareMax } = this.#max;
    if (sum <= perMinuteMax || sum <= shareMax * of) return;
    throw new CodedError(
      'dead_letters_burst',
      `could not go on: ${String(sum)} of ${String(of)} records within a minute could not be handled`,
    );
  }

  #turn(now: number): void {
    if (now - this.#minuteFrom < MINUTE_MS) return;
    this.#minuteFrom = now;
    this.#letters = 0;
    this.#records = 0;
  }
}
