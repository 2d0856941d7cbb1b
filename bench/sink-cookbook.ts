/** A shop of many events, made by the engine itself, and the time of each question of docs/cookbook.md over it. */
import { readFileSync } from 'node:fs';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { BenchRow } from '../scripts/bench.ts';
import { expireDays } from '../services/sink/chores.ts';
import { silentLogger } from '../services/runtime/logger.ts';
import type { ClickHouseAddress, Target } from '../services/sink/target.ts';

const PEOPLE_SHARE = 30; // events a person
const CHUNK_ROWS = 500_000;
const RUNS = 3;
/** A hash depends on the width of what is hashed: a person has to have the same name in every table. */
const PERSON = (number: string): string => `concat('cio_', lower(hex(sipHash64(toUInt64(${number})))))`;
const NAMES = `['Product Viewed', 'Product Viewed', 'Product Viewed', 'Added to Cart', 'Checkout Started', 'Order Completed', 'Message Eligible', 'Message Sent', 'Search', 'Quiz Completed']`;
const PROPERTIES = `concat('{"product_id":"sku-', toString(number % 5000), '","price":', toString((number % 20000) / 100), ',"quantity":1,"total":', toString((number % 9000) / 50), ',"holdout":', if(cityHash64(number) % 10 = 0, 'true', 'false'), ',"journey_id":"welcome"}')`;
const CONTEXT = `if(number % 4 = 0, concat('{"page":{"url":"https://shop.example/p/', toString(number % 5000), '"},"campaign":{"source":"s', toString(number % 7), '","name":"c', toString(number % 20), '"}}'), NULL)`;

/**
 * 30 days. Seven events of ten come from a browser and have an anonymous id, half of these from before the person was
 * known; every twentieth person has a second device. 1 % of people are merged, 0.1 % deleted, a few split. A tenth as
 * many events of nobody, and as many that a claim covers; every question has an answer.
 */
export async function fillShop(target: Target, events: number): Promise<void> {
  const people = Math.floor(events / PEOPLE_SHARE);
  const who = `cityHash64(number) % ${String(people)}`;
  const at = `toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + INTERVAL intDiv(number * 2592, ${String(Math.ceil(events / 1000))}) SECOND`;
  const browser = 'number % 10 NOT IN (5, 6, 7)';
  const before = `${browser} AND intDiv(number, 10) % 2 = 0`;
  const visitor = `concat(if(${who} % 20 = 0 AND intDiv(number, 20) % 2 = 0, 'u', 'v'), toString(${who}))`;
  const merged = `${at} + INTERVAL if(${before}, 1 + cityHash64(number, 1) % 86400, 1) SECOND`;
  for (let from = 0; from < events; from += CHUNK_ROWS) {
    await target.command(`INSERT INTO stored_merged (workspace, person_id, merged_at, previously_anonymous, received_at, type, identifier_kind, identifier, anonymous_id, message_id, timestamp, source, name, properties, context, _partition, _offset)
      SELECT 'sample', ${PERSON(who)}, ${merged}, ${before}, ${at}, 'event', if(${before}, 'none', 'id'), if(${before}, NULL, toString(${who})),
      if(${browser}, ${visitor}, NULL), toString(generateUUIDv4()), ${at}, 'bench', ${NAMES}[1 + number % 10], ${PROPERTIES}, ${CONTEXT}, number % 8, number
      FROM numbers(${String(from)}, ${String(Math.min(CHUNK_ROWS, events - from))})`);
  }
  await fillIdentity(target, people);
  await fillAnonymous(target, events / 5, people);
  await target.command(
    `INSERT INTO stored_segment_changes (workspace, segment_id, person_id, change, at, cause_message_id, rule_version, _partition, _offset) SELECT 'sample', concat('segment-', toString(number % 5)), ${PERSON('intDiv(number, 3)')}, 'entered', toDateTime64('2026-03-10 00:00:00', 3), NULL, 1, 0, number FROM numbers(${String(people)})`,
  );
  await target.command(
    `INSERT INTO stored_journey_entries (workspace, journey_id, person_id, entered_at, trigger_message_id, rule_version, _partition, _offset) SELECT 'sample', 'welcome', ${PERSON('number')}, toDateTime64('2026-03-10 00:00:00', 3), NULL, 1, 0, number FROM numbers(${String(Math.floor(people / 4))})`,
  );
  const told = `['shown', 'shown', 'shown', 'clicked', 'held_out', 'converted'][1 + number % 6]`;
  await target.command(
    `INSERT INTO stored_message_events (workspace, message_id, version, variant, anonymous_id, event, at, cause_message_id, value, currency, _partition, _offset)
     SELECT 'sample', 'offer', 1, if(number % 6 = 4, 'holdout', 'main'), concat('v', toString(intDiv(number, 2))), ${told} AS event, toDateTime64('2026-03-10 00:00:00', 3),
       if(event = 'converted', toString(number), NULL), if(event = 'converted', '20', NULL), if(event = 'converted', 'EUR', NULL), 0, number FROM numbers(${String(people)})`,
  );
  await target.command(
    `INSERT INTO stored_dropped (workspace, reason, stage, at, detail, _partition, _offset) SELECT 'sample', 'duplicate_message', 'merger', ${at.replaceAll('number', '(number * 90)')}, '{"partition":99,"offset":1}', 0, number FROM numbers(${String(Math.floor(events / 100))})`,
  );
}

/** Facts in the order in which identity would have had them: claims, then merges, splits and deletions. */
async function fillIdentity(target: Target, people: number): Promise<void> {
  const fact = (kind: string, fields: Facts, where = '1'): Promise<void> =>
    target.command(`INSERT INTO stored_facts (number, workspace, kind, at, person_id, other_person_id, identifier_kind, identifier, _partition, _offset)
      SELECT ${String(fields.place)} * ${String(people)} + number, 'sample', '${kind}', toDateTime64('2026-03-15 00:00:00', 3, 'UTC'), ${fields.person}, ${fields.other ?? 'NULL'},
      '${fields.name === undefined ? 'none' : 'anonymous_id'}', ${fields.name ?? 'NULL'}, 0, ${String(fields.place)} * ${String(people)} + number
      FROM numbers(${String(people)}) WHERE ${where}`);
  const name = "concat('v', toString(number))";
  const second = "concat('u', toString(number))";
  await target.command(`INSERT INTO stored_people (aspect, workspace, person_id, at, version, state, id, email, _partition, _offset)
    SELECT 'graph', 'sample', ${PERSON('number')}, toDateTime64('2026-03-15 00:00:00', 3, 'UTC'), 1, multiIf(number % 1000 = 7, 'deleted', number % 100 = 0, 'absorbed', 'alive') AS state,
      if(state = 'alive', toString(number), NULL), if(state = 'alive', concat('person', toString(number), '@shop.example'), NULL), 0, number
    FROM numbers(${String(people)})`);
  await fact('anonymous_claimed', { place: 0, person: PERSON('number'), name });
  await fact('anonymous_claimed', { place: 1, person: PERSON('number'), name: second }, 'number % 20 = 0');
  await fact(
    'person_absorbed',
    { place: 2, person: PERSON('number'), other: PERSON('number + 1') },
    'number % 100 = 0',
  );
  const split = { person: PERSON('number + 3'), other: PERSON('number') };
  await fact('person_split', { place: 3, ...split }, 'number % 20000 = 40');
  await fact('anonymous_moved', { place: 4, ...split, name: second }, 'number % 20000 = 40');
  await fact('person_deleted', { place: 5, person: PERSON('number') }, 'number % 1000 = 7');
}
interface Facts {
  readonly place: number;
  readonly person: string;
  readonly other?: string;
  readonly name?: string;
}

/** Half are of visitors whom somebody claimed on the 30th, half of a third as many whom nobody did. */
export async function fillAnonymous(target: Target, rows: number, people: number): Promise<void> {
  const at = `toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + INTERVAL intDiv(number * 2592, ${String(Math.ceil(rows / 1000))}) SECOND`;
  const visitor = `if(number % 2 = 0, concat('v', toString(cityHash64(number) % ${String(people)})), concat('w', toString(cityHash64(number) % ${String(Math.ceil(people / 3))})))`;
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    await target.command(`INSERT INTO stored_collected (received_at, type, anonymous_id, message_id, timestamp, workspace, source, name, properties, context, _partition, _offset)
      SELECT ${at}, 'page', ${visitor}, toString(generateUUIDv4()), ${at}, 'sample', 'bench', '/', ${PROPERTIES}, ${CONTEXT}, number % 8, number
      FROM numbers(${String(from)}, ${String(Math.min(CHUNK_ROWS, rows - from))})`);
  }
  await target.command(`INSERT INTO stored_decisions (kind, workspace, lane, request_number, person_id, claimed_at, _partition, _offset)
    SELECT 'granted', 'sample', concat('sample:a:v', toString(number)), number, ${PERSON('number')}, toDateTime64('2026-03-30 00:00:00', 3, 'UTC'), 0, number FROM numbers(${String(people)})`);
}

/** CPU seconds that the engine has used so far. */
export type EngineSeconds = () => number;

/** The best of three runs each, by the engine's own clock: what the client adds is not the question's. */
export async function askCookbook(
  address: ClickHouseAddress,
  engineSeconds: EngineSeconds,
): Promise<BenchRow[]> {
  const page = readFileSync(new URL('../docs/cookbook.md', import.meta.url), 'utf8');
  const questions = [...page.matchAll(/^## (\d+\. [^\n]*)\n.*?```sql\n(.*?)```/gms)];
  return askAll(
    address,
    engineSeconds,
    questions.map(([, title = '', query = '']) => ({ title, query })),
  );
}

/** What nobody has claimed, among as many visits: how long the view takes, and a day to leave. */
export async function askAnonymous(
  address: ClickHouseAddress,
  engineSeconds: EngineSeconds,
  target: Target,
): Promise<BenchRow[]> {
  const rows = await askAll(address, engineSeconds, [
    { title: 'anonymous_events: all', query: 'SELECT count(), max(received_at) FROM anonymous_events' },
    {
      title: "anonymous_events: one visitor's",
      query: "SELECT * FROM anonymous_events WHERE workspace = 'sample' AND anonymous_id = 'w7'",
    },
  ]);
  await target.writeWatermarks(new Map([[0, Date.UTC(2026, 3, 1)]])); // the first day of the shop is over for 30 days
  const start = performance.now();
  const days = await expireDays(target, silentLogger);
  rows.push({
    what: 'anonymous_events: a day leaves',
    value: Math.round(performance.now() - start),
    unit: 'ms',
    detail: `partition ${days.join(', ')}`,
  });
  return rows;
}

async function askAll(
  address: ClickHouseAddress,
  engineSeconds: EngineSeconds,
  questions: readonly { readonly title: string; readonly query: string }[],
): Promise<BenchRow[]> {
  const client = createClient({
    ...address,
    request_timeout: 300_000,
    log: { level: ClickHouseLogLevel.OFF },
  });
  const rows: BenchRow[] = [];
  for (const { title, query } of questions) {
    const best = { elapsed: Infinity, cpu: Infinity, read: 0, bytes: 0 };
    for (let run = 0; run < RUNS; run++) {
      const cpu = engineSeconds();
      const result = await client.query({
        query,
        query_params: { workspace: 'sample', now: '2026-03-31 00:00:00.000' },
        format: 'JSON',
        // What an earlier run has learnt would be left out of the next.
        clickhouse_settings: { use_query_condition_cache: 0 },
      });
      const { statistics } = await result.json();
      best.elapsed = Math.min(best.elapsed, statistics?.elapsed ?? Infinity);
      best.cpu = Math.min(best.cpu, engineSeconds() - cpu);
      best.read = statistics?.rows_read ?? 0;
      best.bytes = statistics?.bytes_read ?? 0;
    }
    rows.push({
      what: title,
      value: Math.round(best.elapsed * 1000),
      unit: 'ms',
      detail: `${best.cpu.toFixed(2)} s of CPU; ${String(best.read)} rows, ${String(Math.round(best.bytes / 1e6))} MB read`,
    });
  }
  await client.close();
  return rows;
}
