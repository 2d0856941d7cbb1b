/** Disks in memory. */
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import type { StateFolders } from '../../runtime/task/task-plan.ts';
import { MemoryDisk } from '../memory/memory-stores.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { Shelf, keepNoted, whileTimeStands, type Disk, type Disks, type StateFolder } from './disks.ts';

const SNAPSHOTS_KEPT = 2;
const TIME_DIGITS = 15;

export class MemoryDisks implements Disks {
  readonly shelf: Shelf;
  readonly #time: VirtualTime;
  readonly #memory = new MemoryDisk();
  #machines = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
    this.shelf = new MemoryShelf(this.#memory);
  }

  fresh(): Disk {
    this.#machines += 1;
    const root = `machine-${String(this.#machines)}`;
    return {
      root,
      folders: (spec) => whileTimeStands(this.#time, this.#folders(root, spec)),
      has: (folder) => this.#memory.has(root + pathOf(folder)),
      afterCrash: (without = []) => {
        const next = this.fresh();
        const to = `machine-${String(this.#machines)}`;
        for (const name of this.#memory.within(root)) this.#memory.copy(name, to + name.slice(root.length));
        for (const folder of without) this.#memory.remove(to + pathOf(folder));
        return next;
      },
    };
  }

  move(folder: StateFolder, from: Disk, to: Disk): void {
    this.#memory.copy(from.root + pathOf(folder), to.root + pathOf(folder));
    this.#memory.remove(from.root + pathOf(folder));
  }

  close(): void {
    // Nothing outlives the process.
  }

  #folders(root: string, { name, stores: needs }: ServiceSpec): StateFolders {
    const memory = this.#memory;
    const { shelf } = this;
    return {
      open: (partition) => {
        const folder = root + pathOf({ service: name, partition });
        if (!memory.has(folder)) this.#restore(name, partition, folder);
        return Promise.resolve(memory.open(folder, needs));
      },
      snapshots: {
        keep: async (partition, stores) => {
          const at = String(this.#time.now()).padStart(TIME_DIGITS, '0');
          const copy = `${shelfFolder(name, partition)}/${at}`;
          const keeping = stores.snapshot(copy);
          await keepNoted(keeping, stores, (mark) => {
            shelf.note(copy, mark);
          });
          for (const old of shelf.of(name, partition).slice(SNAPSHOTS_KEPT)) memory.remove(old.folder);
        },
        newestAt: (partition) => {
          const [newest] = shelf.of(name, partition);
          return Promise.resolve(newest && Number(newest.folder.split('/').at(-1)));
        },
      },
    };
  }

  /** As the real ones do: what is found damaged is set aside. */
  #restore(service: string, partition: number, folder: string): void {
    for (const snapshot of this.shelf.of(service, partition)) {
      if (!snapshot.damaged) {
        this.#memory.copy(snapshot.folder, folder);
        return;
      }
      this.#memory.remove(snapshot.folder);
    }
  }
}

function pathOf({ service, partition }: StateFolder): string {
  return `/${service}/${String(partition)}`;
}

class MemoryShelf extends Shelf {
  readonly #memory: MemoryDisk;

  constructor(memory: MemoryDisk) {
    super();
    this.#memory = memory;
  }

  protected folders(service: string, partition: number): readonly string[] {
    return this.#memory.within(shelfFolder(service, partition)).reverse();
  }

  protected remove(folder: string): void {
    this.#memory.remove(folder);
  }

  protected spoil(): void {
    // That it is damaged is all there is to it.
  }
}

function shelfFolder(service: string, partition: number): string {
  return `snapshots/${service}/${String(partition)}`;
}
