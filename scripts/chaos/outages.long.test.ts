/** The log dies, hangs and comes back, and the gateway dies meanwhile: what it acknowledged is there once, in order. */
import { expect, test } from '@jest/globals';
import { runOutages } from './outages.ts';

test(
  'what is acknowledged while the broker is dead, hangs, or the gateway is killed with its spool half drained is in ClickHouse once and in order; a full spool is 503',
  async () => {
    const story: string[] = [];
    const report = await runOutages({ visitors: 40, print: (line) => story.push(line) });
    expect({ story, ...report }).toMatchObject({
      wrong: [],
      refusal: '503 spool_full 1',
      readyWhileSpooling: true,
    });
    expect(report.found).toBeGreaterThanOrEqual(report.acknowledged);
    expect(report.whileDead).toBeGreaterThan(0);
    const [left, of] = report.drained;
    expect({ left, of, isHalf: 0 < left && left < of }).toMatchObject({ isHalf: true });
  },
  10 * 60_000,
);
