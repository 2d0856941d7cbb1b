/**
 * Snapshots of partitions' state: `<folder>/<service>/<partition>/<time>`, a copy of the state folder as of a mark.
 * A copy is made under another name and renamed when it is whole, with the checksums of its files. The newest two are
 * kept: should one be found damaged, it is set aside, and the other is at most a day older.
 */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError } from '../../errors.ts';
import { realFiles } from '../../store/files.ts';
import { openPartitionStores, type StoreDisk } from '../../store/open-stores.ts';
import type { PartitionStores, StoreNeeds } from '../../store/ports.ts';
import type { StateFolders } from '../task-plan.ts';
import type { TimePort } from '../../time.ts';
import type { Logger } from '../../logger.ts';
import { checksumsFile, findDamage, writeChecksums } from './checksums.ts';

export interface StateOptions {
  readonly dataFolder: string;
  /** May lie on another disk, or on one that outlives the machine. */
  readonly snapshotFolder: string;
  readonly service: string;
  readonly needs: StoreNeeds;
  readonly time: Pick<TimePort, 'now'>;
  readonly logger: Logger;
  /** Where it lies; the machine's own unless said. */
  readonly disk?: StoreDisk;
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
    open: (partition) => open(options, partition),
    setAside: (partition, damage) => setAside(options, partition, damage),
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
  realFiles.syncFolder(folder);
  const others = (await readdir(folder)).filter((each) => !isWhole(each));
  for (const old of [...others, ...(await whole(folder)).slice(KEPT)]) {
    await rm(join(folder, old), { recursive: true, force: true });
  }
}

/** Once for the folder, each snapshot and none: each time round one of them is put away. */
const OPENINGS_MAX = KEPT + 2;

async function open(options: StateOptions, partition: number): Promise<PartitionStores> {
  const folder = stateFolder(options, partition);
  let snapshot = existsSync(folder) ? undefined : await restore(options, partition, folder);
  for (let opening = 1; ; opening += 1) {
    try {
      return openPartitionStores(folder, options.needs, options.disk);
    } catch (error) {
      if (!isDamage(error) || opening === OPENINGS_MAX) throw error;
      await setAside(options, partition, error);
      if (snapshot !== undefined)
        await rejectSnapshot(options, partition, { snapshot, damage: error.message });
      snapshot = await restore(options, partition, folder);
    }
  }
}

const damageCodes = new Set(['store_damaged', 'store_behind', 'store_disk_failed']);

function isDamage(error: unknown): error is CodedError {
  return error instanceof CodedError && damageCodes.has(error.code);
}

/** One is kept for study. What was written since the snapshot is in the logs, so nothing is lost with it. */
async function setAside(options: StateOptions, partition: number, damage: CodedError): Promise<void> {
  const folder = stateFolder(options, partition);
  const aside = `${folder}${DAMAGED}`;
  const fields = { partition, error: damage, aside };
  options.logger.error(fields, "a partition's state is damaged: it is set aside, and made anew");
  await rm(aside, { recursive: true, force: true });
  await rename(folder, aside);
}

/** Returns the snapshot that it took. Without one the folder stays missing, and recovery decides whether the logs reach back. */
async function restore(
  options: StateOptions,
  partition: number,
  folder: string,
): Promise<string | undefined> {
  const kept = snapshotsFolder(options, partition);
  const draft = `${folder}${UNFINISHED}`;
  for (const snapshot of await whole(kept)) {
    await rm(draft, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await cp(join(kept, snapshot), draft, { recursive: true });
    const damage = await findDamage(draft);
    if (damage === undefined) {
      await rm(join(draft, checksumsFile));
      await rename(draft, folder);
      realFiles.syncFolder(dirname(folder));
      return snapshot;
    }
    await rejectSnapshot(options, partition, { snapshot, damage });
  }
  await rm(draft, { recursive: true, force: true });
  return undefined;
}

async function rejectSnapshot(
  options: StateOptions,
  partition: number,
  { snapshot, damage }: { readonly snapshot: string; readonly damage: string },
): Promise<void> {
  const path = join(snapshotsFolder(options, partition), snapshot);
  options.logger.error({ partition, snapshot }, `a snapshot is damaged, and is set aside: ${damage}`);
  await rename(path, `${path}${DAMAGED}`);
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
