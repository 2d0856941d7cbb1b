/** Promises 1, 2 and 4 under kill -9: a short run of what `npm run test:chaos` does at length. */
import { expect, test } from '@jest/globals';
import { chaosFaultsOf, runChaos } from './run.ts';

const seed = Math.floor(Math.random() * 1_000_000);

test(
  `nothing acknowledged is lost, doubled or out of order, whatever is killed when (seed ${String(seed)})`,
  async () => {
    const killed: string[] = [];
    const report = await runChaos({
      kills: 10,
      seed,
      pauseMs: [800, 2_500],
      visitors: 40,
      rate: 120,
      print: (line) => killed.push(line),
    });
    const examples = [...report.merged.examples, ...report.examples];
    expect({ seed, killed, examples }).toMatchObject({ examples: [] });
    expect(chaosFaultsOf(report)).toBe(0);
    expect(report.found).toBe(report.expected);
    expect(report.merged.found).toBe(report.merged.expected);
    expect(report.merged.expected).toBeGreaterThan(report.expected / 4);
    expect(report.longestStallMs).toBeGreaterThan(0);
    expect(Object.values(report.kills).reduce((sum, count) => sum + count, 0)).toBe(10);
  },
  8 * 60_000,
);
