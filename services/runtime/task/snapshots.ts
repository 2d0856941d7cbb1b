/**
 * Snapshots of partitions' state: `<folder>/<service>/<partition>/<time>`, a copy of the state folder as of a mark.
 * A copy is made under another name and renamed when it is whole, with the checksums of its files. The newest two are
 * kept: should one be found damaged, it is set aside, and the other is at most a day older.
 */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openPartitionStores } from '../store/open-stores.ts';
import type { PartitionStores, StoreNeeds } from '../store/ports.ts';
import type { StateFolders } from './task-plan.ts';
import type { TimePort } from './time.ts';
import type { Logger } from '../logger.ts';
import { checksumsFile, findDamage, writeChecksums } from './checksums.ts';

export interface StateOptions {
  readonly dataFolder: string;
  /** May lie on another disk, or on one that outlives the machine. */
  readonly snapshotFolder: string;
  readonly service: string;
  readonly needs: StoreNeeds;
  readonly time: Pick<TimePort, 'now'>;
  readonly logger: Logger;
}

const KEPT = 2;
const TIME_DIGITS = 15;
const UNFINISHED = '.new';
const DAMAGED = '.damaged';

/** State lies in `<data>/state/<service>/<partition>`. */
export function stateFolder(
  options: Pick<StateOptions, 'dataFolder' | 'service'>,
  partition: number,
): string {
  return join(options.dataFolder, 'state', options.service, String(partition));
}

export function stateFolders(options: StateOptions): StateFolders {
  return {
    open: async (partition) => {
      const folder = stateFolder(options, partition);
      if (!existsSync(folder)) await restore(options, partition, folder);
      return openPartitionStores(folder, options.needs);
    },
    snapshots: {
      keep: (partition, stores, signal) => keep(options, partition, stores, signal),
      newestAt: async (partition) => {
        const [newest] = await whole(snapshotsFolder(options, partition));
        return newest === undefined ? undefined : Number(newest);
      },
    },
  };
}

async function keep(
  options: StateOptions,
  partition: number,
  stores: PartitionStores,
  signal?: AbortSignal,
): Promise<void> {
  const folder = snapshotsFolder(options, partition);
  const name = String(options.time.now()).padStart(TIME_DIGITS, '0');
  const draft = join(folder, `${name}${UNFINISHED}`);
  // Nothing is waited for before this: the copy is of a moment between two batches.
  await stores.snapshot(draft, signal);
  await writeChecksums(draft, signal);
  await rename(draft, join(folder, name));
  const others = (await readdir(folder)).filter((each) => !isWhole(each));
  for (const old of [...others, ...(await whole(folder)).slice(KEPT)]) {
    await rm(join(folder, old), { recursive: true, force: true });
  }
}

/** Without a snapshot the folder stays missing, and recovery decides whether the logs reach back. */
async function restore(options: StateOptions, partition: number, folder: string): Promise<void> {
  const kept = snapshotsFolder(options, partition);
  const draft = `${folder}${UNFINISHED}`;
  for (const name of await whole(kept)) {
    await rm(draft, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await cp(join(kept, name), draft, { recursive: true });
    const damage = await findDamage(draft);
    if (damage === undefined) {
      await rm(join(draft, checksumsFile));
      await rename(draft, folder);
      return;
    }
    const fields = { partition, snapshot: name };
    options.logger.error(fields, `a snapshot is damaged, and is set aside: ${damage}`);
    await rename(join(kept, name), join(kept, `${name}${DAMAGED}`));
  }
  await rm(draft, { recursive: true, force: true });
}

function snapshotsFolder(options: StateOptions, partition: number): string {
  return join(options.snapshotFolder, options.service, String(partition));
}

/** Newest first. */
async function whole(folder: string): Promise<string[]> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  return names.filter(isWhole).sort().reverse();
}

function isWhole(name: string): boolean {
  return !name.endsWith(UNFINISHED) && !name.endsWith(DAMAGED);
}
