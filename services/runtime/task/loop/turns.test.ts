/** However much a task has to decide, whoever else waits for the process has a turn after some milliseconds. */
import { describe, expect, test } from '@jest/globals';
import { toyService } from '../../../testing/toy/toy-service.ts';
import { ToyWorld } from '../../../testing/toy/toy-world.ts';
import { batchChangesMax } from '../batch/open-batch.ts';
import type { ServiceSpec } from '../ports.ts';
import { shareOf } from '../share/share.ts';
import { FlushSchedule } from './flush-schedule.ts';
import { turnMsMax } from '../batch/turns.ts';

const RECORD_MS = 3;
const SECOND_MS = 1_000;
const LANES = 600;
/** Two turns, since a commit takes no time in memory, and the last record of each. */
const goesOnMsMax = 2 * (turnMsMax + RECORD_MS);

/** Whoever waits beside the task: the longest that the task went on without them. */
class Beside {
  readonly #world: ToyWorld;
  #isOver = false;
  #spentMs = 0;
  longestMs = 0;

  constructor(world: ToyWorld) {
    this.#world = world;
  }

  spend(ms: number): void {
    this.#world.time.spend(ms);
    this.#spentMs += ms;
  }
  waits(): void {
    if (this.#isOver) return;
    this.longestMs = Math.max(this.longestMs, this.#spentMs);
    this.#spentMs = 0;
    setImmediate(() => {
      this.waits();
    });
  }
  over(): void {
    this.#isOver = true;
  }
}

/** Each record takes its time. */
function slow(beside: Beside, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    ...toyService,
    ...more,
    open: (...args) => {
      const processor = toyService.open(...args);
      const onRecord = processor.onRecord.bind(processor);
      return Object.assign(processor, {
        onRecord: (...record: Parameters<typeof onRecord>) => {
          beside.spend(RECORD_MS);
          onRecord(...record);
        },
      });
    },
  };
}

async function longest(work: (world: ToyWorld, beside: Beside) => Promise<void>): Promise<number> {
  const world = new ToyWorld();
  const beside = new Beside(world);
  beside.waits();
  await work(world, beside);
  beside.over();
  expect(world.seen('counted')).toEqual(world.expected);
  return beside.longestMs;
}

describe('others have a turn', () => {
  test('while a batch is taken', async () => {
    const ms = await longest(async (world, beside) => {
      world.send(LANES);
      await world.process({ spec: slow(beside) }).start();
      expect(await world.time.until(() => world.settled(), 60 * SECOND_MS)).toBe(true);
      expect(Math.max(...world.journal().map((batch) => rangesOf(batch)))).toBeGreaterThan(LANES / 4);
    });
    expect(ms).toBeLessThanOrEqual(goesOnMsMax);
  });

  test('while what waited for its share is handled at the end of a batch', async () => {
    const ms = await longest(async (world, beside) => {
      world.send(LANES);
      await world.process({ spec: slow(beside, { share: shareOf(1_000) }) }).start();
      expect(await world.time.until(() => world.settled(), 600 * SECOND_MS)).toBe(true);
      expect(world.journal().length).toBeGreaterThan(2);
    });
    expect(ms).toBeLessThanOrEqual(goesOnMsMax);
  });

  test('while batches run again after a kill', async () => {
    const ms = await longest(async (world, beside) => {
      world.send(LANES);
      const first = await world.process().start();
      expect(await world.time.until(() => world.settled(), 60 * SECOND_MS)).toBe(true);
      first.kill();
      await world.process({ spec: slow(beside) }).start();
      await world.time.run(60 * SECOND_MS);
    });
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(goesOnMsMax);
  });
});

describe('what is flushed is written in one go, so there is a bound', () => {
  test('on the changes of a batch', async () => {
    const world = new ToyWorld(1);
    const changesARecord = batchChangesMax / 10;
    const spec: ServiceSpec = {
      ...toyService,
      open: (partition, partitions, stores, codecs) => {
        const processor = toyService.open(partition, partitions, stores, codecs);
        const onRecord = processor.onRecord.bind(processor);
        return Object.assign(processor, {
          onRecord: (...record: Parameters<typeof onRecord>) => {
            for (let each = 0; each < changesARecord; each += 1)
              stores.keyed.put(`more/${String(record[0].offset)}/${String(each)}`, Buffer.alloc(1));
            onRecord(...record);
          },
        });
      },
    };
    world.send(40);
    await world.process({ spec }).start();
    expect(await world.time.until(() => world.settled(), 60 * SECOND_MS)).toBe(true);
    expect(world.seen('counted')).toEqual(world.expected);
    expect(Math.max(...world.journal().map((batch) => rangesOf(batch)))).toBeLessThanOrEqual(10);
  });

  test('on those of the batches that wait: very many are flushed before two seconds are over', () => {
    let flushed = 0;
    const stores = { pendingChanges: 100, startFlush: () => (flushed += 1) > 0 };
    const schedule = new FlushSchedule([{ stores }] as never, 0); // all that it asks of a runner
    schedule.committed(1);
    schedule.tick(10);
    expect(flushed).toBe(0);
    stores.pendingChanges = 30_000;
    schedule.committed(1);
    schedule.tick(20);
    expect(flushed).toBe(1);
    schedule.tick(30);
    expect(flushed).toBe(1); // nothing was committed since
  });
});

function rangesOf({ ranges }: { readonly ranges: readonly { from: number; to: number }[] }): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}
