/** The disks of machines that fail, and the snapshots, which lie elsewhere, outlive them, and are lost or damaged too. */
import type { PartitionStores } from '../../runtime/store/ports.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import type { StateFolders } from '../../runtime/task/task-plan.ts';
import type { VirtualTime } from '../virtual-time.ts';

export interface Disk {
  /** Where it is. */
  readonly root: string;
  /** What a process of the service keeps on it. */
  folders(spec: ServiceSpec): StateFolders;
  /**
   * The disk as the next process finds it, when the one that used it is killed now. What the dead one may still do, as
   * its promises end, is done to the disk that it knew.
   * @param without folders that a person has taken away from it.
   */
  afterCrash(without?: readonly StateFolder[]): Disk;
  has(folder: StateFolder): boolean;
}

export interface StateFolder {
  readonly service: string;
  readonly partition: number;
}

export interface Disks {
  fresh(): Disk;
  /** A person puts the folder of one disk in its place on another; no process uses either. */
  move(folder: StateFolder, from: Disk, to: Disk): void;
  readonly shelf: Shelf;
  /** Nothing of them is left. */
  close(): void;
}

/** Of a partition: what a folder that is missing starts from. */
export interface KeptSnapshot {
  readonly folder: string;
  /** The batch that it is as of. */
  readonly mark: number;
  readonly damaged: boolean;
}

/** Where snapshots are. */
export abstract class Shelf {
  readonly #marks = new Map<string, number>();
  readonly #damaged = new Set<string>();

  /** Of the partition, in the order in which they are tried. */
  of(service: string, partition: number): readonly KeptSnapshot[] {
    return this.folders(service, partition).map((folder) => ({
      folder,
      mark: this.#marks.get(folder) ?? 0,
      damaged: this.#damaged.has(folder),
    }));
  }

  note(folder: string, mark: number): void {
    this.#marks.set(folder, mark);
    this.#damaged.delete(folder);
  }

  lose({ folder }: KeptSnapshot): void {
    this.remove(folder);
  }

  damage({ folder }: KeptSnapshot): void {
    if (this.#damaged.has(folder)) return;
    this.#damaged.add(folder);
    this.spoil(folder);
  }

  protected abstract folders(service: string, partition: number): readonly string[];
  protected abstract remove(folder: string): void;
  protected abstract spoil(folder: string): void;
}

/** Both kinds take no time of the simulation and let others have their turn, so a run is the same on either. */
export function whileTimeStands(time: VirtualTime, folders: StateFolders): StateFolders {
  const { snapshots } = folders;
  return {
    open: (partition) => time.standStill(folders.open(partition)),
    ...(snapshots && {
      snapshots: {
        keep: (partition, stores, signal) => time.standStill(snapshots.keep(partition, stores, signal)),
        newestAt: (partition) => time.standStill(snapshots.newestAt(partition)),
      },
    }),
  };
}

/** Keeps a snapshot and says of which batch it is: known as the copy begins, between two batches. */
export async function keepNoted(
  keeping: Promise<void>,
  stores: PartitionStores,
  note: (mark: number) => void,
): Promise<void> {
  const { mark } = stores;
  await keeping;
  note(mark);
}
