/**
 * Disks as real files in a temporary folder, opened as the product opens them: then recovery at a random point runs on
 * what was really written.
 */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger } from '../../runtime/logger.ts';
import type { PartitionStores } from '../../runtime/store/ports.ts';
import { stateFolders } from '../../runtime/task/recovery/snapshots.ts';
import type { StateFolders } from '../../runtime/task/task-plan.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { Shelf, keepNoted, whileTimeStands, type Disk, type Disks, type StateFolder } from './disks.ts';
import type { Random } from '../random.ts';

const TORN_BYTES_MAX = 100;

export class FileDisks implements Disks {
  readonly shelf: Shelf;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #root = mkdtempSync(join(tmpdir(), 'hindsight-simulated-'));
  readonly #opened: PartitionStores[] = [];
  #machines = 0;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    this.shelf = new FileShelf(this.#snapshotFolder, random);
  }

  fresh(): Disk {
    return this.#disk(this.#newFolder());
  }

  move(folder: StateFolder, from: Disk, to: Disk): void {
    const target = join(to.root, pathOf(folder));
    rmSync(target, { recursive: true, force: true });
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(from.root, pathOf(folder)), target);
  }

  close(): void {
    for (const stores of this.#opened) stores.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  get #snapshotFolder(): string {
    return join(this.#root, 'snapshots');
  }

  #disk(dataFolder: string): Disk {
    return {
      root: dataFolder,
      folders: (spec) => whileTimeStands(this.#time, this.#folders(dataFolder, spec)),
      has: (folder) => existsSync(join(dataFolder, pathOf(folder))),
      afterCrash: (without = []) => {
        const next = this.#newFolder();
        if (existsSync(dataFolder)) cpSync(dataFolder, next, { recursive: true });
        this.#tear(next);
        for (const folder of without) rmSync(join(next, pathOf(folder)), { recursive: true, force: true });
        return this.#disk(next);
      },
    };
  }

  #folders(dataFolder: string, { name: service, stores: needs }: ServiceSpec): StateFolders {
    const real = stateFolders({
      dataFolder,
      snapshotFolder: this.#snapshotFolder,
      service,
      needs,
      time: this.#time,
      logger: silentLogger,
    });
    const { snapshots } = real;
    return {
      open: async (partition) => {
        const stores = await real.open(partition);
        // Virtual time does not wait for a disk; when a mark moves must be the same in each run.
        Object.defineProperty(stores, 'startFlush', { value: undefined });
        this.#opened.push(stores);
        return stores;
      },
      ...(snapshots && {
        snapshots: {
          ...snapshots,
          keep: (partition, stores, signal) => {
            const before = new Set(this.shelf.of(service, partition).map(({ folder }) => folder));
            return keepNoted(snapshots.keep(partition, stores, signal), stores, (mark) => {
              const made = this.shelf.of(service, partition).find(({ folder }) => !before.has(folder));
              if (made !== undefined) this.shelf.note(made.folder, mark);
            });
          },
        },
      }),
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

function pathOf({ service, partition }: StateFolder): string {
  return join('state', service, String(partition));
}

function isNewest(segment: string, sorted: readonly string[]): boolean {
  const next = sorted[sorted.indexOf(segment) + 1];
  const folderOf = (name: string): string => name.slice(0, name.lastIndexOf('/'));
  return next === undefined || folderOf(next) !== folderOf(segment);
}

class FileShelf extends Shelf {
  readonly #root: string;
  readonly #random: Random;

  constructor(root: string, random: Random) {
    super();
    this.#root = root;
    this.#random = random;
  }

  protected folders(service: string, partition: number): readonly string[] {
    const shelf = join(this.#root, service, String(partition));
    const names = existsSync(shelf) ? readdirSync(shelf) : [];
    // The others are unfinished, or have been set aside.
    const whole = names.filter((name) => /^\d+$/.test(name));
    return whole
      .sort()
      .reverse()
      .map((name) => join(shelf, name));
  }

  protected remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
  }

  /** One byte of one of its files is another. */
  protected spoil(folder: string): void {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((each) => each.isFile())
      .map((each) => join(each.parentPath, each.name))
      .sort();
    const file = this.#random.pick(files);
    if (file === undefined) return;
    const bytes = readFileSync(file);
    const at = this.#random.below(bytes.length);
    const spoiled = bytes.length === 0 ? Buffer.from('x') : bytes;
    spoiled[at] = (spoiled[at] ?? 0) ^ 0xff;
    writeFileSync(file, spoiled);
  }
}
