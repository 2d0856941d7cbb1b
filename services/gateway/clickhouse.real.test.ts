/** Reading ClickHouse for the App API, with names beyond what a URL may hold. */
import { expect, test } from '@jest/globals';
import { openClickhouse } from './clickhouse.ts';

const testMsMax = 120_000;

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; is the suite's name *.real.test.ts?`);
  return value;
}

test(
  'a long list of names is as good as a short one',
  async () => {
    const clickhouse = openClickhouse({
      clickhouse: {
        url: setting('TEST_CLICKHOUSE_URL'),
        username: setting('TEST_CLICKHOUSE_USER'),
        password: setting('TEST_CLICKHOUSE_PASSWORD'),
        database: 'default',
        layout: { type: 'single' },
        shardUrls: [],
      },
    });
    try {
      for (const count of [1, 100, 1_000, 5_000]) {
        const people = Array.from({ length: count }, (_, at) => `cio_${String(at).padStart(20, '0')}'`);
        const rows = await clickhouse.query('SELECT length({people:Array(String)}) AS names', { people });
        expect(rows.map(({ names }) => Number(names))).toEqual([count]);
      }
    } finally {
      await clickhouse.close();
    }
  },
  testMsMax,
);
