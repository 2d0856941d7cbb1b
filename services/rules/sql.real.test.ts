/**
 * Promise 5 on the real engine: streaming segment membership equals the same rule as SQL over ClickHouse, at every moment
 * that is asked: that of the latest record, and moments between records, most of them where a window or a stall may turn.
 */
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { migrate } from '../sink/schema/migrate.ts';
import { of, type Output } from '../testing/processor-harness.ts';
import {
  attributeCondition,
  condition,
  deviceCondition,
  eventCondition,
  fieldsOf,
  happening,
  relationshipCondition,
  sequenceCondition,
  stallCondition,
  type Happening,
} from '../testing/rule-arbitraries.ts';
import type { Segment } from './condition.ts';
import { windowTime } from './matching.ts';
import { parseSegment } from './parse.ts';
import { peopleSql } from './sql.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  SECOND,
  T0,
  Trigger,
  happened,
  identified,
} from '../testing/scenarios/trigger-scenario.ts';
import { membersOf } from '../testing/scenarios/trigger-world.ts';

const PEOPLE = 30;
const RULES = Number(process.env['RULES'] ?? 40);
const STAGES = 2;
/** Longer than every window of the rules, so that each ends before more happens. */
const PAUSE = 70 * DAY;
const MOMENTS_A_STAGE = 4;
const RULES_A_QUERY = 10;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const database = `rules_${randomBytes(6).toString('hex')}`;
const server = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
};
/** What the views say, once for each time that something changed: else every rule would work them out again. */
const shown = `${database}_shown`;
let client: ClickHouseClient;
let reader: ClickHouseClient;

beforeAll(async () => {
  await migrate({ ...server, database });
  client = createClient({ ...server, database });
  await client.command({ query: `CREATE DATABASE ${shown}` });
  reader = createClient({ ...server, database: shown });
});

afterAll(async () => {
  for (const name of [shown, database]) await client.command({ query: `DROP DATABASE IF EXISTS ${name}` });
  await client.close();
  await reader.close();
});

async function show(): Promise<void> {
  for (const view of ['events', 'people', 'segment_memberships']) {
    const query = `CREATE OR REPLACE TABLE ${view} ENGINE = Memory AS SELECT * FROM ${database}.${view}`;
    await reader.command({ query });
  }
  await reader.command({ query: `CREATE OR REPLACE TABLE stored_people AS ${database}.stored_people` });
  await reader.command({ query: `INSERT INTO stored_people SELECT * FROM ${database}.stored_people` });
}

interface Rule {
  readonly id: string;
  readonly when: unknown;
  readonly segment: Extract<Segment, { readonly type: 'data_driven' }>;
}

/** Every kind of condition, then rules that refer to those before them. */
function rulesOf(): Rule[] {
  const kinds = [condition, eventCondition, stallCondition, sequenceCondition, attributeCondition];
  const others = [relationshipCondition, deviceCondition];
  const sampled: unknown[] = [
    ...fc.sample(fc.oneof(...kinds, ...others), { seed, numRuns: RULES }),
    ...['b$', 'é$'].map((value) => ({ attribute: 'plan', operator: 'matches', value })), // where a text is cut
    { all: [{ segment: 's0' }, { not: { segment: 's1' } }] },
    { any: [{ segment: `s${String(RULES + 2)}` }, { segment: 's2' }, { segment: 'nowhere' }] },
  ];
  return sampled.map((when, index) => {
    const id = `s${String(index)}`;
    const parsed = parseSegment({ name: id, type: 'data_driven', when });
    if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
    return { id, when, segment: parsed.value };
  });
}

interface Stage {
  readonly records: readonly ReturnType<typeof happened>[];
  /** Of its latest record, ms. */
  readonly end: number;
}

function stagesOf(): Stage[] {
  const stages = fc.sample(
    fc.tuple(...Array.from({ length: STAGES }, () => fc.array(happening, { maxLength: 10 }))),
    { seed, numRuns: PEOPLE },
  );
  let start = T0;
  return Array.from({ length: STAGES }, (_, stage) => {
    const records = stages.flatMap((histories, person) =>
      recordsOf(histories[stage] ?? [], `${String(stage)}-${String(person)}`, `cio_${String(person)}`, start),
    );
    const end = Math.max(start, ...records.map(({ value }) => value?.event?.received_at ?? 0));
    start = end + PAUSE;
    return { records, end };
  });
}

function recordsOf(history: readonly Happening[], id: string, person: string, start: number) {
  let at = start;
  return history.map((what, index) => {
    at += what.afterMs;
    const messageId = `${id}-${String(index).padStart(3, '0')}`;
    return happened({ person, id: messageId, at, timestamp: at - what.ageMs, fields: fieldsOf(what) });
  });
}

const WINDOWS = [SECOND, MINUTE, 30 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY];

/**
 * From the millisecond after a stage's end, since what was up when it came begins a moment later (look.ts, `notBefore`).
 * Moments at which something of it is exactly as old as a window, or a millisecond more or less.
 */
function momentsAfter({ records, end }: Stage): number[] {
  const times = records.flatMap(({ value }) => {
    const event = value?.event;
    return event ? [windowTime(event.timestamp, event.received_at)] : [];
  });
  const edges = times
    .flatMap((time) => WINDOWS.flatMap((window) => [-1, 0, 1].map((by) => time + window + by)))
    .filter((moment) => moment > end && moment < end + PAUSE);
  const chosen = fc.sample(fc.constantFrom(end + PAUSE - 1, ...edges), {
    seed,
    numRuns: MOMENTS_A_STAGE - 1,
  });
  return [end + 1, ...chosen].sort((a, b) => a - b);
}

test(`streaming membership equals the rule as SQL, rule by rule and moment by moment (SEED=${String(seed)})`, async () => {
  const rules = rulesOf();
  const trigger = new Trigger();
  for (const { id, when } of rules) trigger.segment(id, when);
  const different: unknown[] = [];
  const telling = new Set<string>();
  for (const stage of stagesOf()) {
    await insert(stage.records, trigger.feed(...stage.records));
    for (const now of momentsAfter(stage)) {
      await insert([], trigger.feed(...looksAt(now)));
      await show();
      const answers = await ask(rules, now);
      const told = rules.map(({ id, when }) => {
        const [sql, streaming] = [answers.get(id) ?? [], membersOf(id, trigger.harness.outputs)];
        return { id, when, now, sql, streaming };
      });
      const some = told.filter(({ sql }) => sql.length > 0 && sql.length < PEOPLE);
      for (const { id } of some) telling.add(id);
      different.push(...told.filter(({ sql, streaming }) => sql.join() !== streaming.join()));
    }
  }
  expect(different.slice(0, 5)).toEqual([]);
  expect(telling.size).toBeGreaterThan(RULES / 10); // else all rules were of nobody or everybody
}, 600_000);

/** Looks at everybody, and is no row of `events`. */
function looksAt(now: number) {
  return Array.from({ length: PEOPLE }, (_, person) => {
    const id = `look-${String(now)}-${String(person)}`;
    return identified({ person: `cio_${String(person)}`, at: now, id, properties: {} });
  });
}

/** Who is in each rule. */
async function ask(rules: readonly Rule[], now: number): Promise<Map<string, string[]>> {
  const segments = new Map(rules.map(({ id, segment }) => [id, segment]));
  const found = new Map<string, string[]>();
  for (let from = 0; from < rules.length; from += RULES_A_QUERY) {
    const queries = rules.slice(from, from + RULES_A_QUERY).map(({ id, segment }) => {
      const people = peopleSql(segment.when, {
        workspace: 'default',
        now,
        segment: (other) => segments.get(other),
      });
      return `SELECT '${id}' AS rule, groupArray(person_id) AS people FROM (${people})`;
    });
    const answer = await reader.query({ query: queries.join(' UNION ALL '), format: 'JSONEachRow' });
    for (const { rule, people } of await answer.json<{ rule: string; people: string[] }>()) {
      found.set(rule, people.sort());
    }
  }
  return found;
}

let rows = 0;

async function insert(
  records: readonly ReturnType<typeof happened>[],
  outputs: readonly Output[],
): Promise<void> {
  const settings = { date_time_input_format: 'best_effort' } as const;
  const merged = records.flatMap(({ value }) => {
    if (!value?.event || value.event.type === 'identify' || value.event.type === 'relate') return [];
    const { event, person_id: person, merged_at: mergedAt } = value;
    const { message_id, type, name, properties, context, workspace, source, identifier_kind, bot } = event;
    return {
      ...{ workspace, message_id, type, name, properties, source, identifier_kind, person_id: person, bot },
      context,
      timestamp: iso(event.timestamp),
      received_at: iso(event.received_at),
      merged_at: iso(mergedAt),
      previously_anonymous: false,
      _partition: 0,
      _offset: (rows += 1),
    };
  });
  const people = of('peopleChanged', outputs).map(({ value }) => ({
    ...value,
    at: iso(value.at),
    created_at: value.created_at === null ? null : iso(value.created_at),
    first_seen_at: value.first_seen_at === null ? null : iso(value.first_seen_at),
    absorbed_into: undefined,
    _partition: 0,
    _offset: (rows += 1),
  }));
  const graph = people.map((row) => ({ ...row, aspect: 'graph', attributes: null, version: 1 }));
  const options = { format: 'JSONEachRow', clickhouse_settings: settings } as const;
  if (merged.length > 0) await client.insert({ table: 'stored_merged', values: merged, ...options });
  if (people.length > 0)
    await client.insert({ table: 'stored_people', values: [...people, ...graph], ...options });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
