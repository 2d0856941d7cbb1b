/** Processes that stand still together, and go on whatever becomes of who stopped them. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../services/testing/eventually.ts';
import { whileFrozen, type Identities } from './frozen-processes.ts';
import { identityOf } from './process-identity.mjs';

let folder = '';
let children: ChildProcess[] = [];
let running: Identities = {};

const fileOf = (name: string): string => join(folder, name);
const bytesOf = (name: string): number => statSync(fileOf(name), { throwIfNoEntry: false })?.size ?? 0;
const sizes = (): number[] => Object.keys(running).map(bytesOf);
const allGrow = async (): Promise<void> => {
  const before = sizes();
  await eventually(() => sizes().every((bytes, index) => bytes > (before[index] ?? 0)));
};

/** Writes a byte each millisecond, and in a thread of its own as well. */
function startWriter(name: string): ChildProcess {
  const write = `setInterval(() => require('node:fs').appendFileSync(${JSON.stringify(fileOf(name))}, 'x'), 1)`;
  const script = `new (require('node:worker_threads').Worker)(${JSON.stringify(write)}, { eval: true }); ${write}`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  children.push(child);
  return child;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frozen-'));
  children = [];
  running = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, identityOf(startWriter(name).pid ?? 0)]));
  await allGrow();
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test('nothing is written while the work is done, and all go on after it', async () => {
  const { result, stillMs } = await whileFrozen(
    () => running,
    async () => {
      const before = sizes();
      await sleep(200);
      return [before, sizes()];
    },
  );
  expect(result[1]).toEqual(result[0]);
  expect(stillMs).toBeGreaterThanOrEqual(199);
  await allGrow();
}, 60_000);

test('all go on after work that fails', async () => {
  const failing = whileFrozen(
    () => running,
    () => Promise.reject(new Error('no space')),
  );
  await expect(failing).rejects.toThrow('no space');
  await allGrow();
}, 60_000);

describe('is given up, and the others go on', () => {
  test('when one was started again before all stood still', async () => {
    let looks = 0;
    const list = (): Identities => {
      looks += 1;
      return looks === 1 ? running : { ...running, c: identityOf(startWriter('c').pid ?? 0) };
    };
    await expect(whileFrozen(list, () => Promise.resolve())).rejects.toMatchObject({
      code: 'backup_given_up',
    });
    await allGrow();
  }, 60_000);

  test.each(['SIGCONT', 'SIGKILL'] as const)(
    'when one is told %s meanwhile',
    async (signal) => {
      const work = async (): Promise<void> => {
        children[1]?.kill(signal);
        if (signal === 'SIGKILL') await once(children[1] as ChildProcess, 'exit');
        else await sleep(50);
      };
      await expect(whileFrozen(() => running, work)).rejects.toMatchObject({ code: 'backup_given_up' });
      running = Object.fromEntries(Object.entries(running).filter(([name]) => name !== 'b'));
      await allGrow();
    },
    60_000,
  );
});

test('all go on when the one that stopped them is killed', async () => {
  const module = new URL('./frozen-processes.ts', import.meta.url).href;
  const script = `const { whileFrozen } = await import(${JSON.stringify(module)});
    await whileFrozen(() => (${JSON.stringify(running)}), () => new Promise(() => { console.log('still'); setInterval(() => {}, 1000); }));`;
  const stopper = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(stopper);
  await once(stopper.stdout, 'data');
  const before = sizes();
  await sleep(100);
  expect(sizes()).toEqual(before);
  stopper.kill('SIGKILL');
  await allGrow();
}, 60_000);
