/**
 * Somebody who did more than a condition keeps: the past of a rule is counted in the order in which it happened, however
 * ClickHouse has it, so that what decides is not forgotten before its neighbours come.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient, ClickHouseLogLevel, type ClickHouseClient } from '@clickhouse/client';
import { isCounted, leavesOf, type CountedCondition } from '../../rules/condition.ts';
import { stallMarksMax } from '../../rules/limits.ts';
import { verdictOf } from '../../rules/memory.ts';
import { parseSegment } from '../../rules/parse.ts';
import type { Marks } from '../../rules/windows.ts';
import { migrate } from '../../sink/schema/migrate.ts';
import { HOUR, MINUTE, T0 } from '../../testing/scenarios/trigger-scenario.ts';
import { apartMessages } from './apart-messages.ts';
import { ClickhousePast } from './clickhouse.ts';
import { stretches } from './stretches.ts';

const address = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  database: `order_${String(process.pid)}_${String(Date.now())}`,
};
const workspace = 'w';
const PERSON = 'cio_a';
/** None is thinned: they are further apart than the time. */
const ANSWERS = 3 * stallMarksMax;
let client: ClickHouseClient;
let past: ClickhousePast;

beforeAll(async () => {
  await migrate(address);
  client = createClient({ ...address, log: { level: ClickHouseLogLevel.OFF } });
  past = new ClickhousePast({ ...address, layout: { type: 'single' }, shardUrls: [] });
}, 120_000);
afterAll(async () => {
  await past.close();
  await client.command({ query: `DROP DATABASE IF EXISTS ${address.database} SYNC` });
  await client.close();
});

const conditions = conditionsOf({ event: 'A', without: { event: 'B' }, for: 'PT10M' });
function conditionsOf(when: unknown): readonly CountedCondition[] {
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
  return leavesOf(parsed.value.when).filter(isCounted);
}

/** ClickHouse lays what comes in one piece in the order of the times sent, not of when it was received. */
async function insertAll(): Promise<void> {
  const rows = [
    ['A', 0] as const,
    ['B', -120] as const,
    ['B', -60] as const,
    ['B', 5] as const,
    ...Array.from({ length: ANSWERS }, later),
  ];
  const values = rows.map(([name, minutes], offset) => {
    const at = new Date(T0 + minutes * MINUTE).toISOString().replace('T', ' ').replace('Z', '');
    // The first is from a device whose clock is ahead.
    const timestamp =
      offset < 1 ? new Date(T0 + 900 * HOUR + offset).toISOString().replace('T', ' ').replace('Z', '') : at;
    return {
      ...{
        workspace,
        _partition: 1,
        _offset: offset,
        person_id: PERSON,
        type: 'event',
        name,
        decided_as_of: 1,
      },
      ...{
        message_id: `m${String(offset)}`,
        received_at: at,
        timestamp,
        merged_at: at,
        identifier_kind: 'none',
      },
    };
  });
  await client.insert({ table: 'stored_merged', values, format: 'JSONEachRow' });
}
function later(_: unknown, index: number) {
  return ['B', 60 * (index + 1)] as const;
}

test('an answer of long ago is not forgotten before what it answers has come', async () => {
  await insertAll();
  const [condition] = conditions;
  if (condition === undefined) throw new Error('there is one');
  const rules = [{ key: 's:x', version: 1, fence: 10_000, after: '', conditions }];
  const told: Marks[] = [];
  for await (const { message } of stretches([{ workspace, partition: 1, rules }], past, 1_000)) {
    if (message.type === 'stretch') told.push(...message.found.map(({ marks }) => marks));
  }
  const apart = { workspace, personId: PERSON, clearedBy: 0 };
  for await (const message of apartMessages({ workspace, partition: 1, rules, apart }, past, 1_000)) {
    if (message.type === 'apart') told.push(...message.told.found.map(({ marks }) => marks));
  }
  expect(told.map((marks) => verdictOf(condition, marks, T0 + 1_000 * HOUR).result)).toEqual([false, false]);
});
