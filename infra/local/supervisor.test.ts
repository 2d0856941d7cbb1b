/** Processes that end and are started again. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RestartPause, steadyAfterMs } from './restart-pause.ts';
import { Supervisor } from './supervisor.ts';

const folder = mkdtempSync(join(tmpdir(), 'supervisor-'));
let supervisor: Supervisor | undefined;
afterEach(async () => {
  await supervisor?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the pause before a process is started again', () => {
  test('doubles while it ends without having been ready for long', () => {
    const pause = new RestartPause();
    const pauses = Array.from({ length: 10 }, () => pause.next(steadyAfterMs - 1));
    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]);
  });

  test('is short again for one that was ready for a while', () => {
    const pause = new RestartPause();
    for (let death = 0; death < 10; death += 1) pause.next(0);
    expect(pause.next(steadyAfterMs)).toBe(100);
    expect(pause.next(0)).toBe(200);
  });

  test('has the maximum of its process', () => {
    const pause = new RestartPause(1_000);
    expect(Array.from({ length: 7 }, () => pause.next(0))).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });
});

describe('the supervisor', () => {
  test('keeps a process that is killed again and again from waiting longer than its maximum', async () => {
    const lines: string[] = [];
    supervisor = new Supervisor({
      restart: true,
      report: (line) => lines.push(line),
      onChange: () => undefined,
    });
    await supervisor.start({
      name: 'victim',
      command: process.execPath,
      args: ['-e', 'setInterval(() => {}, 1000)'],
      cwd: folder,
      env: {},
      logFile: join(folder, 'victim.log'),
      part: false,
      readyMsMax: 100_000,
      stopMsMax: 1_000,
      restartPauseMsMax: 150,
      isReady: () => Promise.resolve(true),
    });
    const pids = new Set<number>();
    for (let kill = 0; kill < 6; kill += 1) {
      const pid = supervisor.running().get('victim')?.pid ?? 0;
      pids.add(pid);
      process.kill(pid, 'SIGKILL');
      const deadline = Date.now() + 100_000;
      const isAnother = (): boolean => {
        const now = supervisor?.running().get('victim')?.pid;
        return now !== undefined && now !== pid;
      };
      while (!isAnother() && Date.now() < deadline) await sleep(10);
      expect(isAnother()).toBe(true);
    }
    expect(pids.size).toBe(6);
    const pauses = lines.flatMap((line) => /started again in (\d+) ms/.exec(line)?.[1] ?? []).map(Number);
    expect(pauses).toEqual([100, 150, 150, 150, 150, 150]);
  });
});
