/** Reading ClickHouse for the App API: names beyond what a URL may hold, and what one workspace may take of the engine. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../testing/eventually.ts';
import { silentLogger } from '../runtime/logger.ts';
import { openClickhouse, type Clickhouse } from './clickhouse.ts';
import { questionBounds, questionLimits } from './questions/question-settings.ts';
import { QuietLog } from './quiet-log.ts';

const testMsMax = 600_000;
const secondsMax = 3;

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; is the suite's name *.real.test.ts?`);
  return value;
}

let clickhouse: Clickhouse;
beforeAll(() => {
  const address = {
    url: setting('TEST_CLICKHOUSE_URL'),
    username: setting('TEST_CLICKHOUSE_USER'),
    password: setting('TEST_CLICKHOUSE_PASSWORD'),
    database: 'default',
  };
  clickhouse = openClickhouse(
    { clickhouse: { ...address, layout: { type: 'single' }, shardUrls: [] } },
    {
      log: new QuietLog(silentLogger),
      limits: { ...questionLimits, workspaceWaitingMax: 2 },
      bounds: { ...questionBounds, secondsMax },
    },
  );
});
afterAll(() => clickhouse.close());

const workspace = 'shop';

test(
  'a long list of names is as good as a short one',
  async () => {
    for (const count of [1, 100, 1_000, 5_000]) {
      const people = Array.from({ length: count }, (_, at) => `cio_${String(at).padStart(20, '0')}'`);
      const rows = await clickhouse.query('SELECT length({people:Array(String)}) AS names', {
        workspace,
        people,
      });
      expect(rows.map(({ names }) => Number(names))).toEqual([count]);
    }
  },
  testMsMax,
);

describe('a workspace', () => {
  /** Reads few rows, and would take hours. */
  const endless =
    'SELECT sum(sin(a.number * b.number)) AS n FROM numbers(2000000) AS a CROSS JOIN numbers(2000000) AS b';
  const refusal = (error: unknown): string => (error as { code: string }).code;

  test(
    'that asks very much is told so, and others and readiness are answered meanwhile',
    async () => {
      const places = questionLimits.workspaceRunningMax + 2;
      let ended = 0;
      const loud = Array.from({ length: places + 3 }, () =>
        clickhouse.query(endless, { workspace: 'loud' }).catch(refusal),
      );
      for (const each of loud.slice(0, places)) void each.finally(() => (ended += 1));
      expect(await Promise.all(loud.slice(places))).toEqual(Array(3).fill('questions_share_full'));
      await eventually(() => clickhouse.questions.counts.running === questionLimits.workspaceRunningMax);
      expect(await clickhouse.query('SELECT 1 AS one', { workspace: 'quiet' })).toEqual([{ one: 1 }]);
      await clickhouse.answers();
      // All of that while they ran.
      expect(ended).toBe(0);
      const answers = await Promise.all(loud.slice(0, places));
      expect(answers).toEqual(Array(places).fill('question_too_slow'));
      expect(clickhouse.questions.counts).toEqual({ running: 0, waiting: 0, refused: 3 });
    },
    testMsMax,
  );

  test.each([
    [
      'memory',
      "SELECT length(groupArray(repeat('x', 1000000))) AS n FROM numbers(10000)",
      'question_too_large',
    ],
    ['rows to read', 'SELECT count() AS n FROM numbers(100000000000)', 'question_too_large'],
    ['rows of its answer', 'SELECT number AS n FROM numbers(200000)', 'question_too_large'],
    [
      'threads',
      "SELECT value AS n FROM system.settings WHERE name = 'max_threads'",
      questionBounds.threadsMax,
    ],
  ])('has its bound of %s', async (_what, sql, outcome) => {
    const answer = await clickhouse.query(sql, { workspace }).catch(refusal);
    expect(typeof answer === 'string' ? answer : Number(answer[0]?.['n'])).toBe(outcome);
    expect(await clickhouse.query('SELECT 1 AS one', { workspace })).toEqual([{ one: 1 }]);
  });
});
