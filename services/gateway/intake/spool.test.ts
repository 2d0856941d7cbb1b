/** What the disk gave its word for is read again, in order, whatever the end of a file looks like. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf } from '../../../infra/local/process-identity.mjs';
import { toWorkspace } from '../../../schemas/ids.ts';
import { TakenRecords, type TakenRecord } from '../../runtime/taken-records.ts';
import type { Logger } from '../../runtime/logger.ts';
import { realFiles, type StoreFiles } from '../../runtime/store/files.ts';
import { FaultyFiles } from '../../testing/stores/faulty-files.ts';
import { frameBytesOf, headBytes } from './frames.ts';
import { ownSpool } from './owner.ts';
import { Spool, type SpoolOptions } from './spool.ts';
import { runs } from '../../testing/runs.ts';

const shop = toWorkspace('shop');
let folder: string;
let logged: string[];
const open: Spool[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hindsight-spool-'));
  logged = [];
});
afterEach(async () => {
  for (const spool of open.splice(0)) await spool.close();
  rmSync(folder, { recursive: true, force: true });
});

function note(level: string): Logger['info'] {
  return (_fields, message) => logged.push(`${level}: ${message}`);
}
function openSpool(options: Partial<SpoolOptions> = {}): Spool {
  const spool = Spool.open({
    ...{ files: realFiles, folder, bytesMax: 8 << 20, workspaceShare: 1, holdMsMax: 3_600_000, now: () => 0 },
    logger: { error: note('error'), warn: note('warn'), info: note('info') },
    ...options,
  });
  open.push(spool);
  return spool;
}
function record(value: string, workspace = shop): TakenRecord {
  const key = Buffer.from(`${workspace}:a:1`);
  return TakenRecords.of({ topic: 'eventsCollected', workspace }, key, Buffer.from(value)).at(0);
}
/** Reads all of it, step by step. */
function drained(spool: Spool, stepBytes = 1 << 20, stepsMax = Infinity): string[] {
  const values: string[] = [];
  for (let steps = 0; steps < stepsMax; steps += 1) {
    const step = spool.read(stepBytes);
    if (step === undefined) break;
    values.push(...step.records.map(({ value }) => value.toString()));
    spool.passed(step);
  }
  return values;
}
const spoolFiles = () => readdirSync(folder).filter((name) => name.includes('.spool'));

describe('the spool', () => {
  test('gives back what was appended, in order, over several files, and leaves none', async () => {
    const spool = openSpool({ bytesMax: 1 << 20 });
    const values = Array.from({ length: 700 }, (_, index) => String(index).padStart(1_000, '0'));
    for (const value of values) await spool.append([record(value)]);
    expect(spoolFiles().length).toBeGreaterThan(3);
    expect(drained(spool, 10_000)).toEqual(values);
    spool.clear();
    expect([spoolFiles(), spool.heldBytes, spool.diskBytes, spool.isEmpty]).toEqual([[], 0, 0, true]);
  });

  test('is read about once while it is drained: a step reads no more than it gives', async () => {
    let bytesRead = 0;
    const files: StoreFiles = {
      ...realFiles,
      read: (...args) => {
        const bytes = realFiles.read(...args);
        bytesRead += bytes;
        return bytes;
      },
    };
    const spool = openSpool({ files });
    const records = Array.from({ length: 5_000 }, () => record('x'.repeat(400)));
    await spool.append(records);
    const held = spool.heldBytes;
    expect(drained(spool, 1 << 20).length).toBe(records.length);
    // A step reads on to the end of the largest frame that may begin in it.
    expect(bytesRead).toBeLessThan(3 * held);
  });

  test('goes on where it was read to, and takes more behind it, after a kill', async () => {
    const first = openSpool();
    for (const value of ['a', 'b', 'c', 'd']) await first.append([record(value)]);
    const one = frameBytesOf(record('a'));
    expect(drained(first, one, 2)).toEqual(['a', 'b']);
    const second = openSpool();
    expect(second.heldBytes).toBe(2 * one);
    await second.append([record('e')]);
    expect(drained(second)).toEqual(['c', 'd', 'e']);
  });

  test('a note of another spool’s place is not gone by', async () => {
    const first = openSpool();
    await first.append([record('a'), record('b')]);
    expect(drained(first)).toEqual(['a', 'b']);
    const position = readFileSync(join(folder, 'position'));
    first.clear();
    writeFileSync(join(folder, 'position'), position);
    const next = openSpool(); // its first file has the same number
    await next.append([record('c')]);
    expect(drained(openSpool())).toEqual(['c']);
  });

  test('a write that was cut at any byte costs nothing that stood before it', async () => {
    const spool = openSpool();
    await spool.append([record('kept')]);
    const size = headBytes + frameBytesOf(record('kept'));
    await spool.append([record('torn'), record('torn too')]);
    const [name = ''] = spoolFiles();
    const whole = readFileSync(join(folder, name));
    for (let length = size; length < whole.length; length += 1) {
      writeFileSync(join(folder, name), whole);
      truncateSync(join(folder, name), length);
      expect(drained(openSpool())[0]).toBe('kept');
      writeFileSync(join(folder, name), whole);
      rmSync(join(folder, 'position'), { force: true });
    }
  });

  test('rubbish and zeros behind the last frame are left out, and said', async () => {
    const spool = openSpool();
    await spool.append([record('kept')]);
    const [name = ''] = spoolFiles();
    for (const rubbish of [Buffer.alloc(5_000), Buffer.alloc(5_000, 0xa7), Buffer.from([9, 0, 0])]) {
      appendFileSync(join(folder, name), rubbish);
      const again = openSpool();
      expect(drained(again, 1, 0)).toEqual([]);
      expect(again.lostBytes).toBe(0);
      expect(again.read(1 << 20)?.records.map(({ value }) => value.toString())).toEqual(['kept']);
      expect(logged.pop()).toBe('info: a write that did not end is left out');
    }
  });

  test('a byte that differs costs its frame, is said with its size, and the file is kept', async () => {
    const spool = openSpool();
    for (const value of ['a', 'b', 'c']) await spool.append([record(value)]);
    const [name = ''] = spoolFiles();
    const bytes = readFileSync(join(folder, name));
    const one = frameBytesOf(record('a'));
    const at = headBytes + one + one - 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(join(folder, name), bytes);
    const again = openSpool();
    expect(again.lostBytes).toBe(one);
    expect(drained(again)).toEqual(['a', 'c']);
    expect(spoolFiles()).toEqual([`${name}.damaged`]);
    expect(logged).toContain('error: events that were acknowledged cannot be read from the disk');
  });

  test('is full at its bound, and for a workspace at its share; others are taken', async () => {
    const spool = openSpool({ bytesMax: 10_000, workspaceShare: 0.5 });
    const large = 'x'.repeat(900);
    const fill = async (workspace = shop): Promise<string> => {
      try {
        for (;;) await spool.append([record(large, workspace)]);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(await fill()).toBe('spool_share_full');
    expect(spool.heldBytes).toBeLessThanOrEqual(5_000);
    expect(await fill(toWorkspace('other'))).toBe('spool_full');
    expect(spool.diskBytes).toBeLessThanOrEqual(10_000);
    const before = drained(spool).length;
    spool.clear();
    await spool.append([record(large)]);
    expect(before).toBeGreaterThan(8);
  });

  test('takes nothing more while it holds what is too old', async () => {
    let now = 0;
    const spool = openSpool({ holdMsMax: 1_000, now: () => now });
    await spool.append([record('a')]);
    now = 1_001;
    await expect(spool.append([record('b')])).rejects.toMatchObject({ code: 'spool_full', retryable: true });
    expect(drained(spool)).toEqual(['a']);
    spool.clear();
    await spool.append([record('c')]);
  });
});

test('a folder that a living process has is refused, one of a process that is gone is taken over', () => {
  ownSpool(folder);
  ownSpool(folder);
  writeFileSync(join(folder, 'owner.json'), JSON.stringify(identityOf(process.ppid)));
  expect(() => {
    ownSpool(folder);
  }).toThrow('has it');
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ pid: process.ppid, start: 'another time' }));
  ownSpool(folder);
});

test('a disk that is full or fails to sync at any time: nothing is acknowledged that it does not have', async () => {
  const value = fc.string({ minLength: 1, maxLength: 400 });
  const step = fc.record({ value, room: fc.option(fc.nat(600)), fails: fc.boolean() });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), fc.nat(), async (steps, seed) => {
      const files = new FaultyFiles();
      files.isPrompt = true;
      const spool = openSpool({ files, folder: '/spool', bytesMax: 20_000 });
      const kept: string[] = [];
      for (const [index, { room, fails, ...each }] of steps.entries()) {
        files.room = room ?? Infinity;
        files.failsToSync = fails && index % 3 === 0;
        const text = `${String(index)} ${each.value}`;
        await spool.append([record(text)]).then(
          () => kept.push(text),
          (error: unknown) => {
            refused += 1;
            expect(error).toMatchObject({ code: 'spool_failed', retryable: true });
          },
        );
      }
      files.failsToSync = false;
      files.room = Infinity;
      let chance = seed;
      const next = files.afterPowerFailure(
        () => (chance = (chance * 16_807 + 1) % 2_147_483_647) / 2_147_483_647,
      );
      for (const disk of [files, next]) {
        disk.isPrompt = true;
        const again = openSpool({ files: disk, folder: '/spool' });
        const found = drained(again);
        expect(found.filter((text) => kept.includes(text))).toEqual(kept);
        expect(again.lostBytes).toBe(0);
      }
    }),
    { numRuns: runs(60) },
  );
  expect(refused).toBeGreaterThan(0);
});
