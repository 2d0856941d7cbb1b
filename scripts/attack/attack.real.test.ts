/**
 * The rule that nobody's input stops anybody, on a whole installation: one attack of each sort. All of them are in
 * attack.long.test.ts, and at full size in `npm run test:attack`.
 */
import { expect, test } from '@jest/globals';
import { describe as told, faultsOf, letters } from './report.ts';
import { shortRun } from './short-run.ts';

const testMsMax = 10 * 60_000;
const tried = [
  'lists that add up on one profile',
  'message ids: one again and again',
  'bodies that are none',
  'a storm of merges into one person',
];

test(
  'whatever is attacked, a bystander’s events all come through, and nothing stands, also after a start',
  async () => {
    const report = await shortRun(tried);
    expect({ faults: faultsOf(report), report: told(report) }).toMatchObject({ faults: [] });
    expect(letters(report)).toBe(0);
    // What stands is not ready any more; what gets no processor, at a look now and then.
    expect({ ...report, isReady: report.notReady < report.looks / 2 }).toMatchObject({ isReady: true });
    expect(report.bystanders.map(({ acknowledged }) => acknowledged > 2)).toEqual([true, true]);
    // Each attack was made, and met its bound: what was left out has its row.
    const calls = report.stretches.flatMap(({ answers }) => answers?.statuses.get('200') ?? []);
    expect(calls).toHaveLength(tried.length);
    expect([...report.dropped.keys()]).toEqual(
      expect.arrayContaining(['ingest: invalid_call', 'merger: duplicate_message']),
    );
  },
  testMsMax,
);
