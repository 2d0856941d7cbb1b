/**
 * Global set-up of the tests that need real parts: a process (infra/local/hold-parts.ts) starts them and holds them for
 * this run, and ends them when this process ends, however it ends. TEST_KAFKA_BROKERS, TEST_SCHEMA_REGISTRY_URL,
 * TEST_CLICKHOUSE_URL, _USER and _PASSWORD say where they are; those that are set already are used as they are.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

declare global {
  /** Left for parts-teardown.ts. */
  var testParts: ChildProcess | undefined;
}

const startMsMax = 600_000; // the first run downloads them

export default async function startParts(globalConfig: { readonly rootDir: string }): Promise<void> {
  const holder = spawn(process.execPath, ['infra/local/hold-parts.ts'], {
    cwd: globalConfig.rootDir,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  globalThis.testParts = holder;
  Object.assign(process.env, JSON.parse(await firstLine(holder)));
}

function firstLine(holder: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    const late = setTimeout(() => {
      holder.kill();
      fail(new Error(`could not start the parts for tests in ${String(startMsMax / 1000)} s`));
    }, startMsMax);
    holder.once('exit', (code) => {
      clearTimeout(late);
      fail(new Error(`could not start the parts for tests: hold-parts ended with code ${String(code)}`));
    });
    if (holder.stdout === null) return;
    createInterface(holder.stdout).on('line', (line) => {
      // Progress of a download comes on the same stream.
      if (!line.startsWith('{')) {
        process.stderr.write(`${line}\n`);
        return;
      }
      clearTimeout(late);
      done(line);
    });
  });
}
