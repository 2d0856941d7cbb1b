/** What a process found when it opened its partitions: from which batch each can go on, and whether its disk had it. */
import type { PartitionStores } from '../../runtime/store/ports.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import type { StateFolders } from '../../runtime/task/task-plan.ts';
import type { Disk, StateFolder } from './disks.ts';

interface Opened {
  readonly stores: PartitionStores;
  /** The batch that it was at; 0 for an empty folder. */
  readonly mark: number;
  /** The disk had a folder for it when the process came to it first; else there was a snapshot, or nothing. */
  readonly hadFolder: boolean;
}

export class OpenedPartitions {
  readonly folders: StateFolders;
  readonly #service: string;
  readonly #opened = new Map<number, Opened>();

  constructor(disk: Disk, spec: ServiceSpec) {
    this.#service = spec.name;
    const folders = disk.folders(spec);
    this.folders = {
      ...folders,
      open: async (partition) => {
        const hadFolder =
          this.#opened.get(partition)?.hadFolder ?? disk.has({ service: spec.name, partition });
        const stores = await folders.open(partition);
        this.#opened.set(partition, { stores, mark: stores.mark, hadFolder });
        return stores;
      },
    };
  }

  /** As it was opened last. */
  stores(partition: number): PartitionStores | undefined {
    return this.#opened.get(partition)?.stores;
  }

  readonly markOf = (partition: number): number => this.#opened.get(partition)?.mark ?? 0;

  readonly hadFolder = ({ partition }: StateFolder): boolean =>
    this.#opened.get(partition)?.hadFolder === true;

  folderOf(partition: number): StateFolder {
    return { service: this.#service, partition };
  }
}
