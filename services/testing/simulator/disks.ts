/**
 * The disks of machines that fail, with the snapshots that lie elsewhere and outlive them. In memory, or real files in
 * a temporary folder, opened as the product opens them: then recovery at a random point runs on what was really written.
 */
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartitionStores } from '../../runtime/store/ports.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { stateFolders } from '../../runtime/task/snapshots.ts';
import type { StateFolders } from '../../runtime/task/task-plan.ts';
import { MemoryDisk } from '../memory-stores.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Random } from './random.ts';

export interface Disk {
  /** What a process of the service keeps on it. */
  folders(spec: ServiceSpec): StateFolders;
  /**
   * The disk as the next process finds it, when the one that used it is killed now. What the dead one may still do, as
   * its promises end, is done to the disk that it knew.
   */
  afterCrash(): Disk;
}

export interface Disks {
  fresh(): Disk;
  /** Nothing of them is left. */
  close(): void;
}

const SNAPSHOTS_KEPT = 2;
const TIME_DIGITS = 15;
const TORN_BYTES_MAX = 100;

export class MemoryDisks implements Disks {
  readonly #time: VirtualTime;
  readonly #memory = new MemoryDisk();
  #machines = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  fresh(): Disk {
    this.#machines += 1;
    const root = `machine-${String(this.#machines)}`;
    return {
      folders: (spec) => whileTimeStands(this.#time, this.#folders(root, spec)),
      afterCrash: () => {
        const next = this.fresh();
        const to = `machine-${String(this.#machines)}`;
        for (const name of this.#memory.within(root)) this.#memory.copy(name, to + name.slice(root.length));
        return next;
      },
    };
  }

  close(): void {
    // Nothing outlives the process.
  }

  #folders(root: string, { name, stores: needs }: ServiceSpec): StateFolders {
    const memory = this.#memory;
    const folderOf = (partition: number): string => `${root}/${name}/${String(partition)}`;
    const shelfOf = (partition: number): string => `snapshots/${name}/${String(partition)}`;
    return {
      open: (partition) => {
        const folder = folderOf(partition);
        const newest = memory.within(shelfOf(partition)).at(-1);
        if (!memory.has(folder) && newest !== undefined) memory.copy(newest, folder);
        return Promise.resolve(memory.open(folder, needs));
      },
      snapshots: {
        keep: async (partition, stores) => {
          const shelf = shelfOf(partition);
          await stores.snapshot(`${shelf}/${String(this.#time.now()).padStart(TIME_DIGITS, '0')}`);
          for (const old of memory.within(shelf).slice(0, -SNAPSHOTS_KEPT)) memory.remove(old);
        },
        newestAt: (partition) => {
          const newest = memory.within(shelfOf(partition)).at(-1);
          return Promise.resolve(newest === undefined ? undefined : Number(newest.split('/').at(-1)));
        },
      },
    };
  }
}

export class FileDisks implements Disks {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #root = mkdtempSync(join(tmpdir(), 'hindsight-simulated-'));
  readonly #opened: PartitionStores[] = [];
  #machines = 0;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  fresh(): Disk {
    return this.#disk(this.#newFolder());
  }

  close(): void {
    for (const stores of this.#opened) stores.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #disk(dataFolder: string): Disk {
    return {
      folders: (spec) => {
        const snapshotFolder = join(this.#root, 'snapshots');
        const { name: service, stores: needs } = spec;
        const real = stateFolders({
          dataFolder,
          snapshotFolder,
          service,
          needs,
          time: this.#time,
          logger: silentLogger,
        });
        const noted = {
          ...real,
          open: async (partition: number) => {
            const stores = await real.open(partition);
            this.#opened.push(stores);
            return stores;
          },
        };
        return whileTimeStands(this.#time, noted);
      },
      afterCrash: () => {
        const next = this.#newFolder();
        if (existsSync(dataFolder)) cpSync(dataFolder, next, { recursive: true });
        this.#tear(next);
        return this.#disk(next);
      },
    };
  }

  #newFolder(): string {
    this.#machines += 1;
    return join(this.#root, `machine-${String(this.#machines)}`);
  }

  /** What was under way when the process died: some bytes of an append that no mark covers. */
  #tear(dataFolder: string): void {
    const state = join(dataFolder, 'state');
    const folders = existsSync(state) ? readdirSync(state, { recursive: true, encoding: 'utf8' }) : [];
    const segments = folders.filter((name) => name.endsWith('.seg')).sort();
    for (const name of segments) {
      const bytes = Buffer.from(
        Array.from({ length: this.#random.below(TORN_BYTES_MAX) }, () => this.#random.below(256)),
      );
      if (isNewest(name, segments)) appendFileSync(join(state, name), bytes);
    }
  }
}

function isNewest(segment: string, sorted: readonly string[]): boolean {
  const next = sorted[sorted.indexOf(segment) + 1];
  const folderOf = (name: string): string => name.slice(0, name.lastIndexOf('/'));
  return next === undefined || folderOf(next) !== folderOf(segment);
}

/** Both kinds take no time of the simulation and let others have their turn, so a run is the same on either. */
function whileTimeStands(time: VirtualTime, folders: StateFolders): StateFolders {
  const { snapshots } = folders;
  return {
    open: (partition) => time.standStill(folders.open(partition)),
    ...(snapshots && {
      snapshots: {
        keep: (partition, stores) => time.standStill(snapshots.keep(partition, stores)),
        newestAt: (partition) => time.standStill(snapshots.newestAt(partition)),
      },
    }),
  };
}
