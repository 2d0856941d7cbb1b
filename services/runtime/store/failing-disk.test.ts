/**
 * A disk that is full at some write, or fails to sync: whoever works on the stores is told with a code, nothing is marked
 * that the disk does not have, and what was marked is there when there is space again.
 */
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { FaultyFiles } from '../../testing/stores/faulty-files.ts';
import { KeyedDisk } from '../../testing/memory/memory-keyed.ts';
import { expectModel, step, StoresModel } from '../../testing/stores/stores-model.ts';
import { doStep, laneOf, modelNeeds, partsOf, type Step } from '../../testing/stores/stores-steps.ts';
import { toyService } from '../../testing/toy/toy-service.ts';
import { ToyWorld } from '../../testing/toy/toy-world.ts';
import { CodedError } from '../errors.ts';
import type { ServiceSpec } from '../task/ports.ts';
import type { StateFolders } from '../task/task-plan.ts';
import { openPartitionStores } from './open-stores.ts';
import type { PartitionStores } from './ports.ts';
import { runs } from '../../testing/runs.ts';

jest.setTimeout(300_000);

const sizes = { segmentBytesMax: 64 << 10, tailRecordsMin: 20 };
const batches = fc.array(fc.array(step, { minLength: 20, maxLength: 60 }), { minLength: 3, maxLength: 12 });

function open(files: FaultyFiles, keyed: KeyedDisk, folder = '/data/0'): PartitionStores {
  return openPartitionStores(folder, modelNeeds, { ...sizes, files, openKeyed: () => keyed.open() });
}
function prompt(): FaultyFiles {
  const files = new FaultyFiles();
  files.isPrompt = true;
  return files;
}

/** Does them until one fails; returns with what code, if any. */
async function work(stores: PartitionStores, all: readonly (readonly Step[])[]): Promise<string | undefined> {
  try {
    for (const [index, steps] of all.entries()) {
      for (const one of steps) doStep(stores, one);
      stores.committed(index + 1);
      stores.startFlush?.();
      await new Promise(setImmediate);
    }
    stores.flush();
    return undefined;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return error.code;
  } finally {
    stores.close();
  }
}

/** As much as they take of a disk that has room. */
async function bytesOf(all: readonly (readonly Step[])[]): Promise<number> {
  const files = prompt();
  files.room = Number.MAX_SAFE_INTEGER;
  await work(open(files, new KeyedDisk()), all);
  return Number.MAX_SAFE_INTEGER - files.room;
}

describe('stores on a disk', () => {
  test('that is full at a random write say so, and hold what was marked when there is space', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.double({ min: 0, max: 1.1, noNaN: true }), async (all, share) => {
        const room = Math.floor(share * (await bytesOf(all)));
        const [files, keyed] = [prompt(), new KeyedDisk()];
        files.room = room;
        expect(await work(open(files, keyed), all)).toBe(share < 1 ? 'store_write_failed' : undefined);
        files.room = Infinity;
        const again = open(files, keyed);
        expectModel(again, StoresModel.of(all.slice(0, again.mark).flat()));
        if (share >= 1) expect(again.mark).toBe(all.length);
        again.close();
      }),
      { numRuns: runs(6), endOnFailure: true },
    );
  });

  test('whose keyed state does not fit at a random group say so, and hold what was marked', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(12), async (all, fits) => {
        const [files, keyed] = [prompt(), new KeyedDisk()];
        let groups = 0;
        keyed.beforeWrite = () => {
          groups += 1;
          if (groups <= fits) return;
          throw new CodedError('store_write_failed', 'could not write to a store: no space');
        };
        const code = await work(open(files, keyed), all);
        expect(code).toBe(groups > fits ? 'store_write_failed' : undefined);
        keyed.beforeWrite = () => undefined;
        const again = open(files, keyed);
        expectModel(again, StoresModel.of(all.slice(0, again.mark).flat()));
        again.close();
      }),
      { numRuns: runs(4), endOnFailure: true },
    );
  });

  test('that fails to sync are of no use any more, though a later sync would succeed', async () => {
    for (const isBeside of [true, false]) {
      const [files, keyed] = [prompt(), new KeyedDisk()];
      const stores = open(files, keyed);
      doStep(stores, { lane: 1, act: 'append', value: 3 });
      stores.committed(1);
      files.failsToSync = true;
      if (isBeside) stores.startFlush?.();
      else expect(() => stores.flush()).toThrow(expect.objectContaining({ code: 'store_disk_failed' }));
      await new Promise(setImmediate);
      files.failsToSync = false;
      const failed = expect.objectContaining({ code: 'store_disk_failed' });
      expect(() => stores.flush()).toThrow(failed);
      expect(() => stores.startFlush?.()).toThrow(failed);
      expect(stores.damage).toEqual(failed);
      stores.close();
      expect(keyed.mark).toBeUndefined();
    }
  });

  test('that is full while they are copied give up the copy, and go on', async () => {
    const [files, keyed] = [prompt(), new KeyedDisk()];
    const stores = open(files, keyed);
    doStep(stores, { lane: 1, act: 'append', value: 3 });
    stores.committed(1);
    stores.flush();
    files.room = 100;
    await expect(stores.snapshot('/snapshots/0')).rejects.toThrow(
      expect.objectContaining({ code: 'store_write_failed' }),
    );
    files.room = Infinity;
    doStep(stores, { lane: 1, act: 'append', value: 4 });
    stores.committed(2);
    stores.flush();
    expect(stores.mark).toBe(2);
    stores.close();
  });
});

/** The toy service, with each event kept in the event store, too. */
const storing: ServiceSpec = {
  ...toyService,
  stores: modelNeeds,
  open: (partition, partitions, stores, codecs) => {
    const processor = toyService.open(partition, partitions, stores, codecs);
    const onRecord = processor.onRecord.bind(processor);
    return Object.assign(processor, {
      onRecord: (...args: Parameters<typeof onRecord>) => {
        onRecord(...args);
        const { events } = partsOf(stores);
        const bytes = Buffer.alloc(2_000, 7);
        events.append(laneOf(events, 1), 'waiting', 1, 1, bytes, 0, bytes.length);
      },
    });
  },
};

describe('a task on a disk that is full', () => {
  test('stands with a coded error until there is space, and goes on in the same process', async () => {
    const world = new ToyWorld();
    const files = prompt();
    const keyed = new Map<number, KeyedDisk>();
    const stores: StateFolders = {
      open: (partition) => {
        const disk = keyed.get(partition) ?? new KeyedDisk();
        keyed.set(partition, disk);
        return Promise.resolve(open(files, disk, `/data/${String(partition)}`));
      },
    };
    const process = await world.process({ spec: storing, stores }).start();
    world.send(20);
    expect(await world.time.until(() => world.settled(), 60_000)).toBe(true);
    files.room = 50_000;
    let sends = 0;
    const isTold = (): boolean => process.failure === 'store_write_failed';
    while (!isTold() && (sends += 1) < 50) {
      world.send(20);
      await world.time.run(500);
    }
    expect(isTold()).toBe(true);
    files.room = Infinity;
    expect(await world.time.until(() => world.settled() && process.state === 'live', 120_000)).toBe(true);
    expect(world.seen('counted')).toEqual(world.expected);
    expect(process.exits).toEqual([]);
    await world.stop(process);
  });
});
