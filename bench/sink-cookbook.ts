/** A shop of many events, made by the engine itself, and the time of each question of docs/cookbook.md over it. */
import { readFileSync } from 'node:fs';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { BenchRow } from '../scripts/bench.ts';
import type { ClickHouseAddress, Target } from '../services/clickhouse/target.ts';

const PEOPLE_SHARE = 30; // events a person
const CHUNK_ROWS = 500_000;
const RUNS = 3;
const PERSON = (number: string): string => `concat('cio_', lower(hex(sipHash64(${number}))))`;

/** A day of 30 for each event; 1 % of people merged, 0.1 % deleted; a tenth as many events of nobody. */
export async function fillShop(target: Target, events: number): Promise<void> {
  const people = Math.floor(events / PEOPLE_SHARE);
  const person = PERSON(`cityHash64(number) % ${String(people)}`);
  const visitor = `concat('v', toString(cityHash64(number) % ${String(people)}))`;
  const name =
    "['Product Viewed', 'Product Viewed', 'Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed', 'Message Eligible', 'Message Sent', 'Search', 'Quiz Completed'][1 + number % 10]";
  const at = `toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + INTERVAL intDiv(number * 2592, ${String(Math.ceil(events / 1000))}) SECOND`;
  const properties =
    'concat(\'{"product_id":"sku-\', toString(number % 5000), \'","price":\', toString((number % 20000) / 100), \',"quantity":1,"total":\', toString((number % 9000) / 50), \',"holdout":\', if(cityHash64(number) % 10 = 0, \'true\', \'false\'), \',"journey_id":"welcome"}\')';
  const context =
    'if(number % 4 = 0, concat(\'{"page":{"url":"https://shop.example/p/\', toString(number % 5000), \'"},"campaign":{"source":"s\', toString(number % 7), \'","name":"c\', toString(number % 20), \'"}}\'), NULL)';
  for (let from = 0; from < events; from += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, events - from);
    await target.command(`INSERT INTO stored_merged SELECT 'sample', ${person}, ${at} + INTERVAL 1 MINUTE, number % 2 = 0, ${at}, 'event', if(number % 2 = 0, 'none', 'id'), NULL,
      if(number % 3 = 0, ${visitor}, NULL), toString(generateUUIDv4()), ${at}, 'bench', ${name}, ${properties}, ${context}, number % 8, number
      FROM numbers(${String(from)}, ${String(rows)})`);
  }
  await target.command(`INSERT INTO stored_collected SELECT ${at}, 'page', concat('w', toString(number % 100000)), toString(number), ${at}, 'sample', 'bench', '/', ${properties}, ${context}, number % 8, number
    FROM numbers(${String(Math.floor(events / 10))})`);
  const fact = (kind: string, who: string, other: string, where: string): Promise<void> =>
    target.command(`INSERT INTO stored_facts (number, workspace, kind, at, person_id, other_person_id, identifier_kind, identifier, _partition, _offset)
      SELECT number, 'sample', '${kind}', toDateTime64('2026-03-15 00:00:00', 3), ${who}, ${other}, '${kind === 'anonymous_claimed' ? 'anonymous_id' : 'none'}', ${kind === 'anonymous_claimed' ? "concat('v', toString(number))" : 'NULL'}, 0, number
      FROM numbers(${String(people)}) WHERE ${where}`);
  await fact('anonymous_claimed', PERSON('number'), 'NULL', '1');
  await fact('person_absorbed', PERSON('number'), PERSON('number + 1'), 'number % 100 = 0');
  await fact('person_deleted', PERSON('number'), 'NULL', 'number % 1000 = 7');
  await target.command(
    `INSERT INTO stored_segment_changes SELECT 'sample', concat('segment-', toString(number % 5)), ${PERSON('intDiv(number, 3)')}, 'entered', toDateTime64('2026-03-10 00:00:00', 3), NULL, 1, 0, number FROM numbers(${String(people)})`,
  );
  await target.command(
    `INSERT INTO stored_journey_entries SELECT 'sample', 'welcome', ${PERSON('number')}, toDateTime64('2026-03-10 00:00:00', 3), NULL, 1, 0, number FROM numbers(${String(Math.floor(people / 4))})`,
  );
  await target.command(
    `INSERT INTO stored_dropped (workspace, reason, stage, at, detail, _partition, _offset) SELECT 'sample', 'duplicate_message', 'merger', ${at}, '{"partition":99,"offset":1}', 0, number FROM numbers(100000)`,
  );
}

export async function askCookbook(address: ClickHouseAddress): Promise<BenchRow[]> {
  const page = readFileSync(new URL('../docs/cookbook.md', import.meta.url), 'utf8');
  const client = createClient({
    ...address,
    request_timeout: 300_000,
    log: { level: ClickHouseLogLevel.OFF },
  });
  const rows: BenchRow[] = [];
  for (const [, title = '', query = ''] of page.matchAll(/^## (\d+\. [^\n]*)\n.*?```sql\n(.*?)```/gms)) {
    let best = Infinity;
    let read = 0;
    for (let run = 0; run < RUNS; run++) {
      const start = performance.now();
      const result = await client.query({
        query,
        query_params: { workspace: 'sample', now: '2026-03-31 00:00:00.000' },
        format: 'JSON',
      });
      const { statistics } = await result.json();
      best = Math.min(best, performance.now() - start);
      read = statistics?.rows_read ?? 0;
    }
    rows.push({ what: title, value: Math.round(best), unit: 'ms', detail: `${String(read)} rows read` });
  }
  await client.close();
  return rows;
}
