/**
 * The stores in memory against the real ones: the same commands, the same answers, through ends at any point. What is
 * proved over the fake then holds over the files.
 */
import { afterAll, describe, expect, test } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { assert } from '../../runtime/errors.ts';
import { openPartitionStores } from '../../runtime/store/open-stores.ts';
import type { Chain, PartitionStores, StoreNeeds } from '../../runtime/store/ports.ts';
import { MemoryDisk } from '../memory/memory-stores.ts';
import { runs } from '../runs.ts';

const HOUR_MS = 3_600_000;
const START_HOUR = 480_000;
const needs = {
  events: { retentionMs: 30 * 24 * HOUR_MS },
  duplicates: { windowMs: 24 * HOUR_MS, lateMs: 24 * HOUR_MS, entriesMax: 4_096 },
} as const satisfies StoreNeeds;

const root = mkdtempSync(join(tmpdir(), 'hindsight-contract-'));
let folders = 0;
const newFolder = (): string => join(root, String((folders += 1)));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Stores that can be killed: what was not flushed is gone. */
interface Subject {
  stores: PartitionStores;
  kill(): void;
  end(): void;
}

function inMemory(): Subject {
  const disk = new MemoryDisk();
  return {
    stores: disk.open('state', needs),
    kill() {
      this.stores = disk.open('state', needs);
    },
    end() {
      this.stores.close();
    },
  };
}

function onFiles(): Subject {
  let folder = newFolder();
  const opened: PartitionStores[] = [];
  const open = (): PartitionStores => {
    const stores = openPartitionStores(folder, needs);
    opened.push(stores);
    return stores;
  };
  return {
    stores: open(),
    kill() {
      const left = newFolder();
      cpSync(folder, left, { recursive: true });
      folder = left;
      this.stores = open();
    },
    end() {
      for (const stores of opened) stores.close();
    },
  };
}

const lane = fc.nat(3);
const value = fc.nat(8);
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom('wait' as const, 'queue' as const), lane, value }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('clear' as const, 'flag' as const), lane, value }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('put' as const, 'delete' as const), lane, value }),
  },
  {
    weight: 6,
    // Minutes around the end of the window, which is kept in whole hours.
    arbitrary: fc.record({
      type: fc.constant('seen' as const),
      value,
      minutes: fc.integer({ min: 0, max: 27 * 60 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('commit' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('stop' as const, 'kill' as const) }) },
);
type Command = typeof command extends fc.Arbitrary<infer One> ? One : never;

/** Does the commands and notes every answer. */
class Run {
  readonly answers: unknown[] = [];
  readonly #subject: Subject;
  #sequence = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  do(one: Command): void {
    const { stores } = this.#subject;
    switch (one.type) {
      case 'wait':
      case 'queue':
        this.#append(one.type === 'wait' ? 'waiting' : 'queued', one);
        break;
      case 'clear':
        this.#events.clear(this.#slot(one.lane), 'waiting');
        break;
      case 'flag':
        this.#events.setFlags(this.#slot(one.lane), one.value);
        break;
      case 'put':
        stores.keyed.put(
          `k${String(one.value)}`,
          Buffer.from(`${String(one.lane)} ${'x'.repeat(one.value)}`),
        );
        break;
      case 'delete':
        stores.keyed.delete(`k${String(one.value)}`);
        break;
      case 'seen':
        this.answers.push(this.#duplicates.seen(one.value, 7, START_HOUR * HOUR_MS + one.minutes * 60_000));
        break;
      case 'commit':
        stores.committed((this.#sequence += 1));
        break;
      case 'flush':
        stores.committed((this.#sequence += 1)); // never with a batch open
        stores.flush();
        break;
      default:
        this.#endAs(one.type);
    }
  }

  /** Everything that can be asked. */
  look(): void {
    const { stores } = this.#subject;
    this.answers.push(stores.mark, this.#duplicates.entries, this.#duplicates.forgottenEarly);
    this.answers.push(stores.keyed.scan('k', 'l', 5).map(([key, bytes]) => `${key}=${bytes.toString()}`));
    this.answers.push(stores.keyed.get('k1')?.toString());
    for (let number = 0; number <= 3; number += 1) {
      const slot = this.#slot(number);
      const hex = this.#events.laneKeyHex(slot); // each kind has a hash of its own
      const words = ([0, 1] as const).map((word) => this.#events.laneWord(slot, word));
      this.answers.push(this.#events.flags(slot), hex.startsWith(words.map(hexOf).join('')));
      for (const chain of ['waiting', 'queued'] as const) {
        this.answers.push(this.#events.count(slot, chain), ...this.#read(slot, chain));
      }
    }
  }

  end(): void {
    this.#subject.end();
  }

  get #events() {
    const { events } = this.#subject.stores;
    assert(events !== undefined, 'an event store was asked for');
    return events;
  }
  get #duplicates() {
    const { duplicates } = this.#subject.stores;
    assert(duplicates !== undefined, 'a window was asked for');
    return duplicates;
  }

  #slot(number: number): number {
    const key = Buffer.from(`shop:a:${String(number)}`);
    return this.#events.lane(key, 0, key.length);
  }

  #append(
    chain: Chain,
    { lane: number, value: size }: { readonly lane: number; readonly value: number },
  ): void {
    const bytes = Buffer.from('event '.repeat(size));
    const receivedAt = START_HOUR * HOUR_MS + size;
    this.#events.append(this.#slot(number), chain, receivedAt, 1_000 - size, bytes, 0, bytes.length);
  }

  #read(slot: number, chain: Chain): string[] {
    const stored = this.#events.events(slot, chain, START_HOUR * HOUR_MS + 3);
    stored.sortByTimestamp();
    return Array.from({ length: stored.length }, (_, index) => {
      const at = `${String(stored.timestamp(index))} ${String(stored.receivedAt(index))}`;
      return `${at} ${stored.read(index).toString()}`;
    });
  }

  /** A stop flushes what has been committed, a kill takes what was not flushed. */
  #endAs(how: 'stop' | 'kill'): void {
    if (how === 'stop') {
      this.#subject.stores.committed((this.#sequence += 1));
      this.#subject.stores.flush();
    }
    this.#subject.kill();
    this.#sequence = this.#subject.stores.mark;
  }
}

function hexOf(word: number): string {
  return word.toString(16).padStart(8, '0');
}

describe('the stores in memory', () => {
  test('answer as the real ones do, whatever is done and wherever it ends', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
        const runs = [new Run(inMemory()), new Run(onFiles())] as const;
        for (const run of runs) {
          for (const one of commands) run.do(one);
          run.look();
          run.end();
        }
        expect(runs[0].answers).toEqual(runs[1].answers);
      }),
      { numRuns: runs(8) },
    );
  });

  test.each([
    ['in memory', inMemory],
    ['on files', onFiles],
  ] as const)('remember the newest hour when the window is full (%s)', (_where, make) => {
    const subject = make();
    const { duplicates } = subject.stores;
    assert(duplicates !== undefined, 'a window was asked for');
    const hours = 12;
    const each = 1_000;
    const at = (hour: number): number => (START_HOUR + hour) * HOUR_MS;
    const seen = (hour: number, receivedAt: number): number => {
      let count = 0;
      for (let hash = 0; hash < each; hash += 1) {
        count += Number(duplicates.seen(hour, hash * 2_654_435_761, receivedAt));
      }
      return count;
    };
    for (let hour = 0; hour < hours; hour += 1) expect(seen(hour, at(hour))).toBe(0);
    expect(duplicates.entries).toBeLessThanOrEqual(needs.duplicates.entriesMax);
    expect(duplicates.forgottenEarly).toBe(hours * each - duplicates.entries);
    expect(seen(hours - 1, at(hours))).toBe(each);
    subject.end();
  });
});
