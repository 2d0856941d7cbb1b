/** State lies in `<data>/state/<service>/<partition>`, a folder a partition. */
import { join } from 'node:path';
import { openPartitionStores } from '../store/open-stores.ts';
import type { StoreNeeds } from '../store/ports.ts';
import type { StateFolders } from './task-plan.ts';

export interface FolderOptions {
  readonly dataFolder: string;
  readonly service: string;
  readonly needs: StoreNeeds;
}

export function stateFolder(options: FolderOptions, partition: number): string {
  return join(options.dataFolder, 'state', options.service, String(partition));
}

export function stateFolders(options: FolderOptions): StateFolders {
  return {
    open: (partition) => Promise.resolve(openPartitionStores(stateFolder(options, partition), options.needs)),
  };
}
