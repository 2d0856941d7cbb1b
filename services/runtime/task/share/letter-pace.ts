/**
 * How many records of one workspace may fail. Each that fails has its batch run again without it, and a topic must not
 * drain into dead.letters: so a workspace whose records fail too often rests, the others do not. What it sends waits in
 * its part of the waiting room, in its order, until the minute is over; then the next few are tried.
 *
 * A minute begins with a letter and goes by the clock of batches. In the partition's store, `~letters/workspace`, so that a
 * start and a replay come to the same.
 */
import type { KeyedStore } from '../../store/ports.ts';

export interface LettersMax {
  /** Letters of one workspace in a partition, however many of its records do not fail: each costs the others time. */
  readonly perMinuteMax: number;
  readonly perBatchMax: number;
}

/** Of a service whose stores can be taken back in place. */
export const usualLetters: LettersMax = { perMinuteMax: 100, perBatchMax: 20 };
/** Of a service whose stores cannot: each letter has its task start again. */
export const costlyLetters: LettersMax = { perMinuteMax: 10, perBatchMax: 10 };

interface Minute {
  /** Batch time, ms. */
  readonly from: number;
  readonly letters: number;
}

const FROM = '~letters/';
const TO = '~letters0';
const MINUTE_MS = 60_000;
/** More workspaces than can fail within a minute. */
const minutesMax = 100_000;

export class LetterPace {
  readonly #max: LettersMax;
  readonly #store: KeyedStore;
  readonly #minutes: Map<string, Minute>;
  readonly #changed = new Set<string>();
  /** Of the open batch, by workspace. */
  readonly #inBatch = new Map<string, number>();
  #time = 0;

  constructor(max: LettersMax, store: KeyedStore) {
    this.#max = max;
    this.#store = store;
    this.#minutes = new Map(
      store
        .scan(FROM, TO, minutesMax)
        .map(([key, value]) => [key.slice(FROM.length), JSON.parse(value.toString()) as Minute]), // written by endBatch
    );
  }

  /** A batch begins. @param time its clock, ms. */
  begin(time: number): void {
    this.#time = time;
    this.#inBatch.clear();
    for (const [workspace, minute] of this.#minutes) {
      if (!isOver(minute, time)) continue;
      this.#minutes.delete(workspace);
      this.#store.delete(FROM + workspace);
    }
  }

  letter(workspace: string): void {
    this.#inBatch.set(workspace, (this.#inBatch.get(workspace) ?? 0) + 1);
    const { from, letters } = this.#minutes.get(workspace) ?? { from: this.#time, letters: 0 };
    this.#minutes.set(workspace, { from, letters: letters + 1 });
    this.#changed.add(workspace);
  }

  /** Nothing more of it is to be handled in this batch. */
  rests(workspace: string): boolean {
    if (this.#minutes.size === 0) return false;
    return (this.#inBatch.get(workspace) ?? 0) >= this.#max.perBatchMax || this.isOver(workspace, this.#time);
  }

  /** It has had its letters, and rests until its minute is over. @param time of a batch, ms. */
  isOver(workspace: string, time: number): boolean {
    const minute = this.#minutes.get(workspace);
    if (minute === undefined || isOver(minute, time)) return false;
    return minute.letters >= this.#max.perMinuteMax;
  }

  /** Workspaces that rest, as of the last batch. */
  get resting(): readonly string[] {
    if (this.#minutes.size === 0) return none;
    return [...this.#minutes.keys()].filter((workspace) => this.isOver(workspace, this.#time));
  }

  endBatch(): void {
    for (const workspace of this.#changed) {
      const minute = this.#minutes.get(workspace);
      if (minute !== undefined) this.#store.put(FROM + workspace, Buffer.from(JSON.stringify(minute)));
    }
    this.#changed.clear();
  }
}

const none: readonly string[] = [];

function isOver({ from }: Minute, time: number): boolean {
  return time - from >= MINUTE_MS;
}
