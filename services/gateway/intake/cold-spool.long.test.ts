/**
 * A spool of which the machine's page cache holds nothing, as when it is larger than that: it is read from the disk once,
 * in its order, and drained many times as fast as calls come meanwhile.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toWorkspace } from '../../../schemas/ids.ts';
import { TakenRecords, type TakenRecord } from '../../runtime/taken-records.ts';
import type { Producer } from '../../runtime/log/ports.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { realFiles } from '../../runtime/store/files.ts';
import { systemTime } from '../../runtime/time.ts';
import { drain } from './drain.ts';
import { Spool } from './spool.ts';

const shop = toWorkspace('shop');
const MIB = 1 << 20;
const HELD_MIB = 256;
const EVENT_BYTES = 400;
/** What is appended at once, and what comes while it is drained: 2.5 MiB per second, some 6,000 events. */
const APPEND_BYTES = 256 << 10;
const APPEND_EVERY_MS = 100;
const ARRIVAL_MIB_PER_S = (APPEND_BYTES / MIB) * (1_000 / APPEND_EVERY_MS);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hindsight-cold-spool-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

let made = 0;
function nextRecords(): readonly TakenRecord[] {
  return Array.from({ length: APPEND_BYTES / EVENT_BYTES }, () => {
    const value = Buffer.from(String((made += 1)).padStart(EVENT_BYTES, '0'));
    return TakenRecords.of({ topic: 'eventsCollected', workspace: shop }, Buffer.from('shop:a:1'), value).at(
      0,
    );
  });
}

/** Of this process, from the disk itself: what the page cache had is not among it. */
function bytesFromDisk(): number {
  const found = /^read_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'));
  return Number(found?.[1]);
}

/** The kernel is told that nobody needs what it holds of these files; they have been synced. */
function forgetPages(): void {
  for (const name of readdirSync(folder)) {
    const { status, stderr } = spawnSync('dd', [`if=${join(folder, name)}`, 'iflag=nocache', 'count=0']);
    if (status !== 0) throw new Error(`dd: ${stderr.toString()}`);
  }
}

test('is read from the disk once, and drained at three times the arrival at least', async () => {
  const spool = Spool.open({
    ...{ files: realFiles, folder, bytesMax: 4 * HELD_MIB * MIB, workspaceShare: 1, holdMsMax: 3_600_000 },
    ...{ now: () => 0, logger: silentLogger },
  });
  while (spool.heldBytes < HELD_MIB * MIB) await spool.append(nextRecords());
  const held = spool.heldBytes;
  forgetPages();

  const [before, began] = [bytesFromDisk(), performance.now()];
  let sent = 0;
  const outOfPlace: number[] = [];
  // A log that has what is posted a turn later.
  const producer: Pick<Producer, 'post' | 'giveUp'> = {
    giveUp: () => undefined,
    post: (_topic, { bytes, keyEnd, end }, waiter, mark) => {
      sent += 1;
      if (Number(bytes.toString('utf8', keyEnd, end)) !== sent) outOfPlace.push(sent);
      setImmediate(() => {
        waiter.resolve(0, mark);
      });
    },
  };
  const arriving = setInterval(() => void spool.append(nextRecords()), APPEND_EVERY_MS);
  try {
    const { signal } = new AbortController();
    await drain({ spool, producer, time: systemTime, signal, failed: (error) => expect(error).toBe('none') });
  } finally {
    clearInterval(arriving);
  }
  const seconds = (performance.now() - began) / 1_000;
  const fromDisk = bytesFromDisk() - before;
  expect({ outOfPlace, sent, left: spool.heldBytes }).toEqual({ outOfPlace: [], sent: made, left: 0 });
  await spool.close();

  const told = { fromDiskMiB: Math.round(fromDisk / MIB), seconds, drainedMiBPerS: held / MIB / seconds };
  // The pages were gone, and each was fetched again once; the kernel reads ahead a little.
  expect({ ...told, isCold: fromDisk > 0.9 * held }).toMatchObject({ isCold: true });
  expect({ ...told, isReadOnce: fromDisk < 1.25 * held }).toMatchObject({ isReadOnce: true });
  expect(told.drainedMiBPerS).toBeGreaterThan(3 * ARRIVAL_MIB_PER_S);
});
