/** Brokers of a cluster of three die, one by one and all at once: what was acknowledged is there once, in its place. */
import { expect, test } from '@jest/globals';
import { runBrokerOutage, type BrokerOutage, type BrokerOutageReport } from './broker-outages.ts';
import { chaosFaultsOf } from './run.ts';

const seed = Math.floor(Math.random() * 1_000_000);
const TEST_MS_MAX = 10 * 60_000;

async function outage(which: BrokerOutage): Promise<BrokerOutageReport> {
  const story: string[] = [];
  const print = (line: string): void => void story.push(line);
  const report = await runBrokerOutage(which, { seed, visitors: 30, rate: 60, print });
  const { examples, merged, acknowledgedMeanwhile, ingestMeanwhile, wrong } = report;
  const told = { seed, story, acknowledgedMeanwhile, ingestMeanwhile };
  expect({ ...told, wrong, examples: [...merged.examples, ...examples] }).toMatchObject({
    wrong: [],
    examples: [],
  });
  expect(chaosFaultsOf(report)).toBe(0);
  expect(report.found).toBe(report.expected);
  expect(merged.found).toBe(merged.expected);
  return report;
}

test(
  `one of three brokers gone, each in its turn: calls are acknowledged meanwhile, and none is lost, doubled or out of order (seed ${String(seed)})`,
  async () => {
    const { acknowledgedMeanwhile } = await outage('one-gone');
    expect(acknowledgedMeanwhile).toHaveLength(3);
    expect(Math.min(...acknowledgedMeanwhile)).toBeGreaterThan(0);
  },
  TEST_MS_MAX,
);

test(
  `the whole cluster restarted, in order and by kill -9: what was acknowledged before, meanwhile and after is there once, in order (seed ${String(seed)})`,
  async () => {
    const { acknowledgedMeanwhile, ingestMeanwhile } = await outage('all-restarted');
    expect(ingestMeanwhile).toHaveLength(2);
    for (const said of ingestMeanwhile) expect(said).toContain('spooling');
    expect(Math.min(...acknowledgedMeanwhile)).toBeGreaterThan(0);
  },
  TEST_MS_MAX,
);
