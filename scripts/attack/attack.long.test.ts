/** The rule that nobody's input stops anybody, on a whole installation: every attack of `npm run test:attack`, each a little. */
import { expect, test } from '@jest/globals';
import { describe as told, faultsOf, letters } from './report.ts';
import { shortRun } from './short-run.ts';

const testMsMax = 20 * 60_000;
/** Of the process of a service; in these tests two of them share a core with all else. */
const memoryBytesMax = 1_024 * 1_048_576;

test(
  'whatever is attacked, a bystander’s events all come through, nothing stands, and nothing grows without bound',
  async () => {
    const report = await shortRun();
    expect({ faults: faultsOf(report), report: told(report) }).toMatchObject({ faults: [] });
    expect(letters(report)).toBe(0);
    // What stands is not ready any more; what gets no processor, at a look now and then.
    expect({ ...report, isReady: report.notReady < report.looks / 2 }).toMatchObject({ isReady: true });
    expect(report.bystanders.map(({ acknowledged }) => acknowledged > 10)).toEqual([true, true]);
    for (const bytes of report.memory.values()) expect(bytes).toBeLessThan(memoryBytesMax);
    // Each attack was made, and met its bound: what was left out has its row.
    const calls = report.stretches.flatMap(({ answers }) => answers?.statuses.get('200') ?? []);
    expect(calls).toHaveLength(19);
    expect([...report.dropped.keys()]).toEqual(
      expect.arrayContaining([
        'ingest: invalid_call',
        'merger: duplicate_message',
        'trigger: limit_exceeded',
        'trigger: patterns_too_costly',
      ]),
    );
  },
  testMsMax,
);
