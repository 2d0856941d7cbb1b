/**
 * A power failure at any moment: what a mark names was on the disk before the mark. The disk loses whatever it has not
 * been made to keep, in the worst way it may; the stores open at their mark, with what they held then, and nothing else.
 */
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { FaultyFiles, type Chance } from '../../testing/stores/faulty-files.ts';
import { KeyedDisk } from '../../testing/memory/memory-keyed.ts';
import { expectModel, step, StoresModel } from '../../testing/stores/stores-model.ts';
import { doStep, modelNeeds, type Step } from '../../testing/stores/stores-steps.ts';
import { openPartitionStores } from './open-stores.ts';
import type { PartitionStores } from './ports.ts';
import { runs } from '../../testing/runs.ts';

jest.setTimeout(300_000);

const FOLDER = '/data/state/merger/0';
/** Small, so that segments and tables come and go within a test. */
const sizes = { segmentBytesMax: 64 << 10, tailRecordsMin: 12 };

type Move =
  | { readonly type: 'batch'; readonly steps: readonly Step[] }
  | { readonly type: 'start' | 'flush' | 'sync' | 'turn' | 'settle' | 'failure' | 'restart' };
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('batch' as const),
      steps: fc.array(step, { minLength: 20, maxLength: 60 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ type: 'start' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'flush' as const }) },
  { weight: 8, arbitrary: fc.constant({ type: 'sync' as const }) },
  { weight: 3, arbitrary: fc.constant({ type: 'turn' as const }) },
  { weight: 3, arbitrary: fc.constant({ type: 'settle' as const }) },
  { weight: 2, arbitrary: fc.constant({ type: 'failure' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'restart' as const }) },
);

const chances = fc.double({ min: 0, max: 1, noNaN: true });

class World {
  files = new FaultyFiles();
  keyed = new KeyedDisk();
  readonly #batches: (readonly Step[])[] = [];
  readonly #chance: Chance;
  stores: PartitionStores;
  failures = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.stores = this.#open();
  }

  #open(): PartitionStores {
    const { files, keyed } = this;
    return openPartitionStores(FOLDER, modelNeeds, { ...sizes, files, openKeyed: () => keyed.open() });
  }

  async do(one: Move): Promise<void> {
    if (one.type === 'batch') this.#batch(one.steps);
    else if (one.type === 'start') this.stores.startFlush?.();
    else if (one.type === 'flush') this.stores.flush();
    else if (one.type === 'sync') this.files.endSync(this.#chance);
    else if (one.type === 'settle') await this.#settle();
    else if (one.type === 'failure') this.#failure();
    else if (one.type === 'restart') await this.#restart();
    else await new Promise(setImmediate);
  }

  #batch(steps: readonly Step[]): void {
    for (const one of steps) doStep(this.stores, one);
    this.#batches.push(steps);
    this.stores.committed(this.#batches.length);
  }

  #failure(): void {
    this.failures += 1;
    this.files = this.files.afterPowerFailure(this.#chance);
    this.keyed = this.keyed.copy(); // the process that is gone writes no more
    this.#expectMark();
  }

  /** All that is under way ends: tables come into force. */
  async #settle(): Promise<void> {
    while (this.files.syncs > 0) {
      this.files.endSync(this.#chance);
      await new Promise(setImmediate);
    }
  }

  async #restart(): Promise<void> {
    this.stores.close();
    await this.#settle();
    this.#expectMark();
  }

  /** Opened again, the stores hold what they held at the mark; what came later is replayed. */
  #expectMark(): void {
    const marked = JSON.parse(this.keyed.mark?.toString() ?? '{"sequence":0}') as { sequence: number };
    const looked = this.#open();
    expect(looked.mark).toBe(marked.sequence);
    expectModel(looked, StoresModel.of(this.#batches.slice(0, looked.mark).flat()));
    looked.close(); // with what the look added given up
    this.stores = this.#open();
    this.#batches.length = looked.mark;
  }
}

describe('a power failure', () => {
  test('leaves the stores as they were at their mark, whatever the disk had not kept yet', async () => {
    let failures = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { minLength: 20, maxLength: 60 }),
        fc.infiniteStream(chances),
        async (moves, luck) => {
          const world = new World(() => luck.next().value as number);
          for (const one of moves) await world.do(one);
          await world.do({ type: 'failure' });
          failures += world.failures;
        },
      ),
      { numRuns: runs(2), endOnFailure: true },
    );
    expect(failures).toBeGreaterThan(0);
  });
});
