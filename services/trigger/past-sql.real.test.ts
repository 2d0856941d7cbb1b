/**
 * Promise 5 over rules that come later, on the real engine: random rules are stored at random moments of random histories
 * of people who are merged, taken apart and deleted, and their past comes from ClickHouse at whatever time, in whatever
 * pieces, from a sink that lags. Streamed membership then equals the rule as SQL, at every moment that is asked.
 */
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import type { MergedEvent } from '../../schemas/records.ts';
import type { Segment } from '../rules/condition.ts';
import { windowTime } from '../rules/matching.ts';
import { parseSegment } from '../rules/parse.ts';
import { peopleSql } from '../rules/sql.ts';
import { migrate } from '../sink/schema/migrate.ts';
import { openTarget } from '../sink/target.ts';
import {
  attributeCondition,
  condition,
  eventCondition,
  sequenceCondition,
  stallCondition,
} from '../testing/rule-arbitraries.ts';
import { runs } from '../testing/runs.ts';
import { EngineShop, engineStep, type Engine, type StoredRule } from '../testing/scenarios/engine-shop.ts';
import { DAY, HOUR, MINUTE, SECOND, identified } from '../testing/scenarios/trigger-scenario.ts';
import { membersOf } from '../testing/scenarios/trigger-world.ts';
import { ClickhousePast } from './past/clickhouse.ts';

const RULES_A_STAGE = 4;
const STAGES = 2;
const STEPS = 45;
/** Longer than every window of the rules, so that each ends before more happens. */
const PAUSE = 70 * DAY;
const MOMENTS_A_STAGE = 2;
const RULES_A_QUERY = 10;
const testMsMax = 1_800_000;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const server = {
  url: process.env['TEST_CLICKHOUSE_URL'] ?? '',
  username: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
};

interface Rule extends StoredRule {
  readonly segment: Extract<Segment, { readonly type: 'data_driven' }>;
}

/** A database of its own, and what the views of it say, once for each time that something changed. */
class Shown {
  readonly engine: Engine;
  readonly #database: string;
  readonly #reader: ClickHouseClient;
  readonly #past: ClickhousePast;

  static async open(): Promise<Shown> {
    const database = `pasts_${randomBytes(6).toString('hex')}`;
    await migrate({ ...server, database });
    const shown = new Shown(database);
    await shown.engine.target.command(`CREATE DATABASE ${database}_shown`);
    return shown;
  }

  private constructor(database: string) {
    const address = { ...server, database };
    this.#database = database;
    this.#reader = createClient({ ...server, database: `${database}_shown` });
    this.#past = new ClickhousePast({ ...address, layout: { type: 'single' }, shardUrls: [] });
    this.engine = { target: openTarget(address, { replicated: false }), past: this.#past };
  }

  async refresh(): Promise<void> {
    for (const view of ['events', 'people', 'segment_memberships']) {
      const query = `CREATE OR REPLACE TABLE ${view} ENGINE = Memory AS SELECT * FROM ${this.#database}.${view}`;
      await this.#reader.command({ query });
    }
    const table = `${this.#database}.stored_people`;
    await this.#reader.command({ query: `CREATE OR REPLACE TABLE stored_people AS ${table}` });
    await this.#reader.command({ query: `INSERT INTO stored_people SELECT * FROM ${table}` });
  }

  /** Who is in each rule. */
  async ask(rules: readonly Rule[], now: number): Promise<Map<string, string[]>> {
    const segments = new Map(rules.map(({ id, segment }) => [id, segment]));
    const found = new Map<string, string[]>();
    for (let from = 0; from < rules.length; from += RULES_A_QUERY) {
      const queries = rules.slice(from, from + RULES_A_QUERY).map(({ id, segment: { when } }) => {
        const asked = { workspace: 'default', now, segment: (other: string) => segments.get(other) };
        return `SELECT '${id}' AS rule, groupArray(person_id) AS people FROM (${peopleSql(when, asked)})`;
      });
      const answer = await this.#reader.query({ query: queries.join(' UNION ALL '), format: 'JSONEachRow' });
      for (const { rule, people } of await answer.json<{ rule: string; people: string[] }>()) {
        found.set(rule, people.sort());
      }
    }
    return found;
  }

  async close(): Promise<void> {
    const { target } = this.engine;
    await this.#past.close();
    for (const name of [`${this.#database}_shown`, this.#database]) {
      await target.command(`DROP DATABASE IF EXISTS ${name} SYNC`);
    }
    await target.close();
    await this.#reader.close();
  }
}

function ruleOf(id: string, when: unknown): Rule {
  const parsed = parseSegment({ name: id, type: 'data_driven', when });
  if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
  return { id, when, segment: parsed.value };
}

/** Mostly what counts events, since that has a past; then rules that refer to those before them. */
function rulesOf(from: number, with_: number): Rule[] {
  const counting = fc.oneof(eventCondition, stallCondition, sequenceCondition);
  const any = fc.oneof({ weight: 3, arbitrary: counting }, condition, attributeCondition);
  const sampled: unknown[] = fc.sample(any, { seed: with_, numRuns: RULES_A_STAGE });
  // What most people have some of, so that the rules tell them apart.
  const [a, b] = [{ event: 'A' }, { event: 'B' }];
  const plain = [a, { sequence: [a, b] }, { not: { any: [a, b] } }, { ...b, without: a, for: 'PT1H' }];
  const referring = [
    { all: [{ segment: `s${String(from)}` }, { not: { segment: `s${String(from + 1)}` } }] },
    { any: [{ segment: `s${String(from + 2)}` }, { event: 'A', within: 'P1D' }] },
  ];
  return [...plain, ...sampled, ...referring].map((when, index) => ruleOf(`s${String(from + index)}`, when));
}

const WINDOWS = [SECOND, MINUTE, 30 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY];

/** Moments at which something that was done is exactly as old as a window, or a millisecond more or less. */
function momentsAfter(end: number, { world }: EngineShop, with_: number): number[] {
  const times = world.partitions.flatMap(({ log }) =>
    log.flatMap(({ value }) => {
      const { event } = value as MergedEvent; // what was written
      return event === null ? [] : [windowTime(event.timestamp, event.received_at)];
    }),
  );
  const edges = times
    .flatMap((time) => WINDOWS.flatMap((window) => [-1, 0, 1].map((by) => time + window + by)))
    .filter((moment) => moment > end && moment < end + PAUSE);
  const moments = fc.constantFrom(end + PAUSE - 1, ...edges);
  const chosen = fc.sample(moments, { seed: with_, numRuns: MOMENTS_A_STAGE - 1 });
  return [end + 1, ...chosen].sort((a, b) => a - b);
}

/** What the stream and the SQL say otherwise, and rules of some and not of all. */
interface Compared {
  readonly different: object[];
  readonly telling: Set<string>;
}

async function play(shown: Shown, of: number): Promise<Compared> {
  const choices = fc.sample(fc.nat(1_000), { seed: of, numRuns: 300 });
  const shop = new EngineShop(shown.engine, choices);
  const stored = new Map<string, Rule>();
  const compared: Compared = { different: [], telling: new Set() };
  for (let stage = 0; stage < STAGES; stage += 1) {
    const with_ = of + stage;
    // Some of before ask another thing from the second stage on.
    const edited = rulesOf(0, with_ + 500).slice(0, stage === 0 ? 0 : 2);
    const coming = [...rulesOf(100 * stage, with_), ...edited];
    for (const rule of coming) stored.set(rule.id, rule);
    for (const one of fc.sample(engineStep, { seed: with_, numRuns: STEPS })) await shop.take(one, coming);
    for (const rule of coming) shop.define(rule);
    await shop.settle();
    const end = (shop.now += 1);
    // What asks for attributes alone holds from the next record on.
    shop.world.write(
      ...shop.people.alive.map((person) =>
        identified({ person, at: end, id: `look-${String(stage)}-${person}`, properties: {} }),
      ),
    );
    for (const now of momentsAfter(end, shop, with_)) {
      shop.world.until(now);
      await shop.settle();
      await shown.refresh();
      await compare(shop, { shown, rules: [...stored.values()], now }, compared);
    }
    shop.now = end + PAUSE;
  }
  return compared;
}

async function compare(
  { world, people }: EngineShop,
  { shown, rules, now }: { readonly shown: Shown; readonly rules: readonly Rule[]; readonly now: number },
  { different, telling }: Compared,
): Promise<void> {
  const answers = await shown.ask(rules, now);
  for (const { id, when } of rules) {
    const [sql, streaming] = [answers.get(id) ?? [], membersOf(id, world.outputs)];
    const missing = sql.filter((person) => !streaming.includes(person));
    const extra = streaming.filter((person) => !sql.includes(person));
    if (sql.length > 0 && sql.length < people.alive.length) telling.add(id);
    if (missing.length + extra.length > 0) different.push({ id, now, when, missing, extra });
  }
}

test(
  `a rule whose past was read has the members that SQL says, through merges, splits and deletions (SEED=${String(seed)})`,
  async () => {
    for (let run = 0; run < runs(1); run += 1) {
      const shown = await Shown.open();
      try {
        const { different, telling } = await play(shown, seed + 1_000 * run);
        expect({ run, different: different.slice(0, 5) }).toEqual({ run, different: [] });
        expect(telling.size).toBeGreaterThan(2); // else all rules were of nobody or everybody
      } finally {
        await shown.close();
      }
    }
  },
  testMsMax,
);
