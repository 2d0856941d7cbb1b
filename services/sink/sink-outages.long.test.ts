/** The sink's promise where its parts die: whatever is killed or away, every record is a row, once. */
import { expect, test } from '@jest/globals';
import { chaosSink } from '../testing/sink/chaos.ts';
import { outageOfClickHouse } from '../testing/sink/outage.ts';

const env = process.env;
const brokers = (env['TEST_KAFKA_BROKERS'] ?? '').split(',');
const registryUrl = env['TEST_SCHEMA_REGISTRY_URL'] ?? '';
/** Node, the code and its libraries, the buffers of the reader and two batches. */
const MEMORY_MB_MAX = 400;
const EXACT = { lost: 0, doubled: 0, wrong: 0 };

test('kills of the sink and of ClickHouse at random moments lose and double nothing', async () => {
  const seed = Number(env['SEED'] ?? Date.now() % 1_000_000);
  const report = await chaosSink({ kills: 10, seed, brokers, registryUrl, eventsPerSecond: 1_000 });
  // A failure prints the seed: SEED=… repeats it.
  expect(report).toMatchObject({ seed, ...EXACT });
  expect(report.sinkKills + report.engineKills).toBeGreaterThanOrEqual(10);
}, 600_000);

test('ClickHouse away under load: nothing is lost, memory stays, and the sink catches up', async () => {
  const report = await outageOfClickHouse({
    outageMs: 5_000,
    eventsPerSecond: 1_000,
    catchUpUnderLoad: false,
    seed: 1,
    brokers,
    registryUrl,
  });
  expect(report).toMatchObject(EXACT);
  expect(report.behind).toBeGreaterThan(1_000);
  expect(Math.max(...report.memoryMbDuring)).toBeLessThan(MEMORY_MB_MAX);
}, 600_000);
