/** What a launcher that was killed has left, and what only looks so. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { endLeftovers, writeProcessFiles } from './process-files.ts';
import { identityOf } from './process-identity.mjs';

let folder: string;
let child: ChildProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hindsight-left-'));
  child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  writeProcessFiles(folder, new Map([['kafka', identityOf(child.pid ?? 0)]]));
});
afterEach(() => {
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test('what is left on a folder is ended at the next start on it', async () => {
  const ended = once(child, 'exit');
  expect(await endLeftovers(folder)).toEqual(['kafka']);
  await ended;
});

test('a copy of a folder on which something runs ends nothing of it', async () => {
  const copy = `${folder}-copy`;
  cpSync(folder, copy, { recursive: true });
  expect(await endLeftovers(copy)).toEqual([]);
  expect(child.exitCode ?? child.signalCode).toBeNull();
  rmSync(copy, { recursive: true });
});
