/** Promise 5 on the real engine: streaming segment membership equals the same rule as SQL over ClickHouse. */
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { migrate } from '../sink/schema/migrate.ts';
import { of, type Output } from '../testing/processor-harness.ts';
import { attributeCondition, condition, eventCondition, happening } from '../testing/rule-arbitraries.ts';
import { parseSegment } from './parse.ts';
import { peopleSql } from './sql.ts';
import { T0, Trigger, happened } from '../testing/scenarios/trigger-scenario.ts';
import { membersOf } from '../testing/scenarios/trigger-world.ts';

const PEOPLE = 60;
const RULES = 60;
const NOW = T0;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const database = `rules_${randomBytes(6).toString('hex')}`;
const server = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
};
let client: ClickHouseClient;

beforeAll(async () => {
  await migrate({ ...server, database });
  client = createClient({ ...server, database });
});

afterAll(async () => {
  await client.command({ query: `DROP DATABASE IF EXISTS ${database}` });
  await client.close();
});

test(`streaming membership equals the rule as SQL, rule by rule (SEED=${String(seed)})`, async () => {
  const rules = [
    ...fc.sample(fc.oneof(condition, eventCondition, attributeCondition), { seed, numRuns: RULES }),
    ...['b$', 'é$'].map((value) => ({ attribute: 'plan', operator: 'matches', value })), // where a text is cut
  ].map((when, index) => ({ id: `s${String(index)}`, when }));
  const histories = fc.sample(fc.array(happening, { minLength: 1, maxLength: 20 }), {
    seed,
    numRuns: PEOPLE,
  });
  const trigger = new Trigger();
  for (const { id, when } of rules) trigger.segment(id, when);
  const records = histories.flatMap((history, person) => {
    // Every history ends at one time, so that windows catch something of each.
    let at = NOW - history.reduce((sum, { afterMs }) => sum + afterMs, 0);
    return history.map((what, index) => {
      at += what.afterMs;
      const { type, name } = what;
      return happened({
        person: `cio_${String(person)}`,
        id: `${String(person)}-${String(index).padStart(3, '0')}`,
        at,
        timestamp: at - what.ageMs,
        type,
        name,
        properties: type === 'identify' ? what.attributes : what.properties,
      });
    });
  });
  const last = histories.map((_, person) =>
    happened({ person: `cio_${String(person)}`, name: 'Last', at: NOW, id: `${String(person)}-last` }),
  );
  trigger.feed(...records, ...last);
  await insert([...records, ...last], trigger.harness.outputs);

  const different: unknown[] = [];
  let telling = 0;
  for (const { id, when } of rules) {
    const parsed = parseSegment({ name: id, type: 'data_driven', when });
    if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
    const query = peopleSql(parsed.value.when, { workspace: 'default', now: NOW, segment: () => undefined });
    const answer = await client.query({ query, format: 'JSONEachRow' });
    const rows = await answer.json<{ person_id: string }>();
    const sql = rows.map((row) => row.person_id).sort();
    const streaming = membersOf(id, trigger.harness.outputs);
    if (sql.length > 0 && sql.length < PEOPLE) telling += 1;
    if (JSON.stringify(sql) !== JSON.stringify(streaming)) different.push({ when, sql, streaming });
  }
  expect(different).toEqual([]);
  expect(telling).toBeGreaterThan(RULES / 10);
});

async function insert(
  records: readonly ReturnType<typeof happened>[],
  outputs: readonly Output[],
): Promise<void> {
  const settings = { date_time_input_format: 'best_effort' } as const;
  const merged = records.flatMap(({ value }, offset) => {
    if (value?.event?.type === undefined || value.event.type === 'identify') return [];
    const { event, person_id: person, merged_at: mergedAt } = value;
    const { message_id, type, name, properties, workspace, source, identifier_kind } = event;
    return {
      ...{ workspace, message_id, type, name, properties, source, identifier_kind, person_id: person },
      timestamp: iso(event.timestamp),
      received_at: iso(event.received_at),
      merged_at: iso(mergedAt),
      previously_anonymous: false,
      _partition: 0,
      _offset: offset,
    };
  });
  const people = of('peopleChanged', outputs).map(({ value }, offset) => ({
    ...value,
    at: iso(value.at),
    created_at: value.created_at === null ? null : iso(value.created_at),
    first_seen_at: value.first_seen_at === null ? null : iso(value.first_seen_at),
    absorbed_into: undefined,
    _partition: 0,
    _offset: offset,
  }));
  const graph = people.map((row) => ({ ...row, aspect: 'graph', attributes: null, version: 1 }));
  const options = { format: 'JSONEachRow', clickhouse_settings: settings } as const;
  await client.insert({ table: 'stored_merged', values: merged, ...options });
  await client.insert({ table: 'stored_people', values: [...people, ...graph], ...options });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
