/**
 * What the pages tell outsiders to run, run as it stands there: curl and clickhouse-connect against ClickHouse, and the
 * reader in Python. The Python parts need `pip install -r examples/python/requirements.txt clickhouse-connect` for the
 * python3 of the PATH; where that is not done they are skipped, and say so.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { migrate } from '../services/sink/schema/migrate.ts';
import { topics } from '../schemas/topics.ts';
import { sampleMerged } from '../services/testing/sink/sample-load.ts';
import { openTarget, type Target } from '../services/sink/target.ts';
import { openLog } from '../services/runtime/log/open-log.ts';
import { registerSchemas } from '../services/runtime/registry.ts';

const run = promisify(execFile);
const env = process.env;
const address = {
  url: env['TEST_CLICKHOUSE_URL'] ?? '',
  username: env['TEST_CLICKHOUSE_USER'] ?? '',
  password: env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  database: `outside_${String(process.pid)}_${String(Date.now())}`,
};
const page = readFileSync(new URL('../docs/cookbook.md', import.meta.url), 'utf8');
/** Where `npm start` is called: its folder has what it has written down. */
const checkout = mkdtempSync(join(tmpdir(), 'hindsight-outside-'));
let target: Target;

beforeAll(async () => {
  const { url, username: user, password, database } = address;
  mkdirSync(join(checkout, '.hindsight'));
  writeFileSync(
    join(checkout, '.hindsight', 'endpoints.json'),
    JSON.stringify({ clickhouse_reader: { url, database, user, password } }),
  );
  await migrate(address);
  target = openTarget(address, { replicated: false });
  await target.command(`INSERT INTO stored_merged (workspace, person_id, name, message_id, _partition, _offset)
    VALUES ('sample', 'cio_1', 'Product Viewed', 'm1', 0, 1), ('sample', 'cio_1', 'Product Viewed', 'm2', 0, 2)`);
});
afterAll(async () => {
  await target.command(`DROP DATABASE IF EXISTS ${address.database} SYNC`);
  await target.close();
  rmSync(checkout, { recursive: true, force: true });
});

/** The first block of a language on the page, for this test's database instead of the one there. */
function block(language: string): string {
  const text = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? '';
  expect(text).toContain('.hindsight/endpoints.json');
  return text.replace('database=hindsight', `database=${address.database}`);
}

function testWithPython(title: string, modules: readonly string[], body: () => Promise<void>): void {
  let found = true;
  try {
    execFileSync('python3', ['-c', modules.map((each) => `import ${each}`).join('\n')], { stdio: 'ignore' });
  } catch {
    found = false;
  }
  if (found) test(title, body);
  else test.skip(`${title}: python3 has no ${modules.join(', ')}`, body);
}

test('curl asks ClickHouse as the cookbook says', async () => {
  const { stdout } = await run('sh', ['-ec', block('sh')], { env, cwd: checkout });
  expect(stdout).toMatch(/\bevents\b[^]*\bProduct Viewed\b[^]*\b2\b/);
});

testWithPython(
  'clickhouse-connect asks ClickHouse as the cookbook says',
  ['clickhouse_connect'],
  async () => {
    const { stdout } = await run('python3', ['-c', block('python')], { env, cwd: checkout });
    expect(stdout.trim()).toBe("[('Product Viewed', 2)]");
  },
);

testWithPython(
  'the reader in Python sees committed events in order, and nothing of an aborted transaction',
  ['confluent_kafka', 'fastavro', 'requests'],
  async () => {
    const brokers = env['TEST_KAFKA_BROKERS'] ?? '';
    const registryUrl = env['TEST_SCHEMA_REGISTRY_URL'] ?? '';
    const prefix = `python-${String(process.pid)}-${String(Date.now())}.`;
    const codecs = await registerSchemas({ url: registryUrl });
    const log = await openLog({ brokers: brokers.split(','), clientId: 'example-test', prefix });
    await log.admin.createTopics(1);
    const producer = await log.transactionalProducer({ transactionalId: 'python', timeoutMs: 30_000 });
    await producer.init();
    for (const [numbers, end] of [
      [[1, 2], 'commit'],
      [[901, 902], 'abort'],
      [[3], 'commit'],
    ] as const) {
      const outputs = log.newOutputBuffer();
      for (const number of numbers) {
        const value = codecs.MergedEvent.encode(sampleMerged(number, 1_000));
        outputs.append('eventsMerged', 0, Buffer.from('sample:x'), value);
      }
      await producer.send(outputs);
      await producer[end]();
    }
    await producer.close();
    await log.close();
    const script = fileURLToPath(new URL('./python/read_merged.py', import.meta.url));
    const { stdout } = await run('python3', [script], {
      timeout: 90_000,
      env: {
        ...env,
        KAFKA_BROKERS: brokers,
        SCHEMA_REGISTRY_URL: registryUrl,
        READ_TOPIC: prefix + topics.eventsMerged.name,
        READ_GROUP: `${prefix}reader`,
        READ_COUNT: '3',
      },
    });
    const lines = stdout.trim().split('\n');
    const read = lines.map(
      (line) => JSON.parse(line) as { message_id: string; properties: { note: string } },
    );
    expect(read.map(({ message_id }) => message_id)).toEqual(['message-1', 'message-2', 'message-3']);
    expect(read[0]?.properties.note).toBe('größe 42\t\n\0');
  },
);
