/**
 * Starts a broker, a registry and an engine on free ports in a folder of its own, says where they are as one line of
 * JSON, and keeps them until its standard input ends; then stops them and removes the folder. What has an address in
 * TEST_… already is not started. Used by the tests' global set-up; by hand, to keep parts across test runs:
 *
 *   node infra/local/hold-parts.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../../services/runtime/errors.ts';
import { startOwnParts, type OwnParts } from './own-parts.ts';
import { Supervisor } from './supervisor.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dataFolder = mkdtempSync(join(tmpdir(), 'hindsight-test-'));
const stop = new AbortController();
const supervisor = new Supervisor({ restart: true, report: say, onChange: () => undefined });

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stop.abort();
  });
}
process.stdin.on('end', () => {
  stop.abort();
});
process.stdin.on('error', () => {
  stop.abort();
});
process.stdin.resume();
process.stdout.on('error', () => {
  stop.abort();
});
const stopped = new Promise<void>((done) => {
  stop.signal.addEventListener('abort', () => {
    done();
  });
});

let code = 0;
try {
  const own = startOwnParts({
    root,
    env,
    dataFolder,
    supervisor,
    signal: stop.signal,
    report: say,
    wanted: {
      kafka: env.TEST_KAFKA_BROKERS === undefined,
      registry: env.TEST_SCHEMA_REGISTRY_URL === undefined,
      clickhouse: env.TEST_CLICKHOUSE_URL === undefined,
    },
  });
  const addresses = await Promise.race([addressesOf(own), stopped]);
  if (addresses !== undefined) console.log(JSON.stringify(addresses));
  await stopped;
} catch (error) {
  const told = error instanceof CodedError ? [error.message, error.hint].filter(Boolean).join('. ') : error;
  if (!stop.signal.aborted) console.error(told);
  code = 1;
}
await supervisor.close();
rmSync(dataFolder, { recursive: true, force: true });
process.exit(code);

async function addressesOf(own: OwnParts): Promise<Record<string, string>> {
  const [kafka, registry, clickhouse] = await Promise.all([own.kafka, own.registry, own.clickhouse]);
  return {
    ...(kafka !== undefined && { TEST_KAFKA_BROKERS: kafka }),
    ...(registry !== undefined && { TEST_SCHEMA_REGISTRY_URL: registry }),
    ...(clickhouse !== undefined && {
      TEST_CLICKHOUSE_URL: clickhouse.url,
      TEST_CLICKHOUSE_USER: clickhouse.user,
      TEST_CLICKHOUSE_PASSWORD: clickhouse.password,
    }),
  };
}

/** Standard output is for the addresses. */
function say(line: string): void {
  console.error(line);
}
