/** A command on another Node than the one that was asked: stdio, exit codes, signals, and that nothing stays behind. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runtimePackages } from './node-runtime.mjs';
import { startOf } from './process-identity.mjs';

/** The pinned Node is the one that runs this test, under another path, so that it counts as another. */
const root = mkdtempSync(join(tmpdir(), 'run-on-node-'));
const outer = join(root, 'outer.mjs');

beforeAll(() => {
  const name = runtimePackages[`${process.platform}-${process.arch}`] ?? '';
  const optionalDependencies = { [name]: process.versions.node };
  writeFileSync(join(root, 'package.json'), JSON.stringify({ optionalDependencies }));
  mkdirSync(join(root, 'node_modules', name, 'bin'), { recursive: true });
  symlinkSync(process.execPath, join(root, 'node_modules', name, 'bin', 'node'));
  const own = pathToFileURL('infra/local/run-on-node.mjs').href;
  // As an old Node would ask: the same version would run the script itself.
  writeFileSync(
    outer,
    `Object.defineProperty(process, 'version', { value: 'v20.20.2' });
     const { runOnNode } = await import('${own}');
     await runOnNode('${root}', { script: process.argv[2], args: process.argv.slice(3) });`,
  );
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function script(name: string, text: string): string {
  const file = join(root, name);
  writeFileSync(file, text);
  return file;
}

const env = { ...process.env, NODE_OPTIONS: '' };

describe('a command on the Node that is brought along', () => {
  test('is given its arguments, standard input and the other Node, and its exit code is passed on', () => {
    const file = script(
      'echo.ts',
      `import { readFileSync } from 'node:fs';
       const asked: readonly string[] = process.argv.slice(2);
       console.log(JSON.stringify({ asked, input: readFileSync(0, 'utf8'), node: process.argv0, version: process.version }));
       console.error('on standard error');
       process.exit(7);`,
    );
    const ended = spawnSync(process.execPath, [outer, file, 'one', '--two'], {
      env,
      encoding: 'utf8',
      input: 'hello',
    });
    expect(JSON.parse(ended.stdout)).toEqual({
      asked: ['one', '--two'],
      input: 'hello',
      node: expect.stringContaining(join(root, 'node_modules')),
      version: process.version,
    });
    expect(ended.stderr).toBe('on standard error\n');
    expect(ended.status).toBe(7);
  });

  test('that a signal ended gives the code that shells give', () => {
    const file = script('dies.ts', `process.kill(process.pid, 'SIGKILL'); setInterval(() => 0, 1000);`);
    expect(spawnSync(process.execPath, [outer, file], { env }).status).toBe(137);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('gets %s, and may end as it likes', async (signal) => {
    const { process: started, inner } = await startWaiting();
    started.kill(signal);
    expect(await once(started, 'exit')).toEqual([3, null]);
    expect(startOf(inner)).toBeUndefined();
  });

  test('ends when the one that started it was killed', async () => {
    const { process: started, inner } = await startWaiting();
    started.kill('SIGKILL');
    await once(started, 'exit');
    await eventually(() => startOf(inner) === undefined);
  });

  test('under npm, ends when the shell above was killed', async () => {
    const shell = spawn('/bin/sh', ['-c', `"$0" "$@"; exit $?`, process.execPath, outer, waiting()], {
      env: { ...env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [inner, middle] = await pidsOf(shell);
    expect(middle).not.toBe(shell.pid);
    shell.kill('SIGKILL');
    await eventually(() => startOf(inner) === undefined && startOf(middle) === undefined);
  });

  test('without a Node to run on says one sentence and exits with 1', () => {
    const bare = join(root, 'bare');
    mkdirSync(bare);
    writeFileSync(join(bare, 'package.json'), '{}');
    const file = script(
      'bare.mjs',
      `Object.defineProperty(process, 'version', { value: 'v20.20.2' });
       const { runOnNode } = await import('${pathToFileURL('infra/local/run-on-node.mjs').href}');
       await runOnNode('${bare}', { script: 'never.ts', args: [] });`,
    );
    const ended = spawnSync(process.execPath, [file], { env, encoding: 'utf8' });
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
    expect(ended.stderr).toMatch(/install Node 24 or later and start again/);
    expect(ended.status).toBe(1);
  });
});

/** Says its process id and its parent's, then waits; ends with 3 on any of the three signals. */
function waiting(): string {
  return script(
    'waits.ts',
    `for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(3));
     setInterval(() => 0, 1000);
     console.log(process.pid, process.ppid);`,
  );
}

async function startWaiting(): Promise<{ process: ChildProcess; inner: number }> {
  const started = spawn(process.execPath, [outer, waiting()], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [inner, middle] = await pidsOf(started);
  expect(middle).toBe(started.pid);
  return { process: started, inner };
}

async function pidsOf({ stdout }: ChildProcess): Promise<[number, number]> {
  if (stdout === null) throw new Error('started without a standard output');
  const [chunk] = (await once(stdout, 'data')) as [Buffer];
  const [inner, middle] = chunk.toString().trim().split(' ').map(Number);
  if (inner === undefined || middle === undefined) throw new Error('it said no process ids');
  return [inner, middle];
}

async function eventually(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await sleep(50);
  }
}
