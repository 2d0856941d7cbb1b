import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { childrenOf, isRunning, launch, launchedProcesses } from '../../services/testing/launched.ts';

const READY_MS_MAX = 180_000;
const data = mkdtempSync(join(tmpdir(), 'hindsight-launcher-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

test(
  'npm start, killed with -9, leaves nothing that stops the next one, which goes on with what was kept',
  async () => {
    const first = await launch(data);
    const processesOfFirst = Object.values(launchedProcesses(data));
    const before = readFileSync(join(data, 'credentials.json'), 'utf8');
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await launch(data);
    expect(processesOfFirst.filter(isRunning)).toEqual([]);
    expect(readFileSync(join(data, 'credentials.json'), 'utf8')).toBe(before);

    const recorded = Object.values(launchedProcesses(data));
    const children = childrenOf(second.pid);
    expect(children.length).toBeGreaterThanOrEqual(recorded.length);
    process.kill(-second.pid, 'SIGINT'); // as a terminal does: to the whole foreground group
    expect(await second.exited).toBe(0);
    expect([...recorded, ...children].filter(isRunning)).toEqual([]);
    expect(existsSync(join(data, 'endpoints.json'))).toBe(false);
    expect(launchedProcesses(data)).toEqual({});
  },
  3 * READY_MS_MAX,
);
