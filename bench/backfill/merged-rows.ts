/** What people did in a month, as the sink writes it, made by the engine itself. */
import { createClient } from '@clickhouse/client';
import type { ClickHouseAddress, Target } from '../../services/sink/target.ts';
import { PERSON_DIGITS, START, WORKSPACE } from '../trigger/trigger-processor.ts';
import type { Shop } from './backfilled-trigger.ts';

/** What the segment counts. */
export const NAMED = {
  event: 'Added to Cart',
  where: [{ property: 'price', operator: 'gt', value: 0 }],
} as const;

const CHUNK_ROWS = 250_000;
const requestMsMax = 300_000;
const MONTH_MS = 29 * 86_400_000;

export async function fillMerged(
  target: Target,
  { events, people, named }: Omit<Shop, 'eventsPerSecond'>,
  partitions: number,
): Promise<void> {
  const person = `concat('cio_', leftPad(toString(cityHash64(number) % ${String(people)}), ${String(PERSON_DIGITS)}, '0')) AS person_id`;
  const partition = `bitAnd(kafkaMurmurHash(concat('${WORKSPACE}:', person_id)), 0x7fffffff) % ${String(partitions)}`;
  const at = `fromUnixTimestamp64Milli(toInt64(${String(START - MONTH_MS)} + intDiv(number * ${String(MONTH_MS)}, ${String(events)})), 'UTC') AS at`;
  const name = `if(number % ${String(named)} = 0, '${NAMED.event}', concat('Product Viewed ', toString(number % 7)))`;
  const properties = `concat('{"product_id":"sku-', toString(number % 5000), '","price":', toString(1 + number % 100), '}')`;
  for (let from = 0; from < events; from += CHUNK_ROWS) {
    await target.command(`INSERT INTO stored_merged (workspace, person_id, merged_at, previously_anonymous, received_at, type, identifier_kind, identifier, anonymous_id, message_id, timestamp, source, name, properties, context, _partition, _offset)
      SELECT '${WORKSPACE}', ${person}, ${at}, false, at, 'event', 'id', NULL, NULL, concat('past-', toString(number)), at, 'bench', ${name}, ${properties}, NULL, ${partition}, number
      FROM numbers(${String(from)}, ${String(Math.min(CHUNK_ROWS, events - from))})`);
  }
}

/** As the segment counts, without a look at how long ago it was: all of it is in its month. */
export async function membersByEngine(address: ClickHouseAddress): Promise<number> {
  const client = createClient({ ...address, request_timeout: requestMsMax });
  try {
    const query = `SELECT count() AS members FROM (
      SELECT person_id FROM stored_merged WHERE name = '${NAMED.event}' GROUP BY person_id HAVING count() >= 2)`;
    const answer = await client.query({ query, format: 'JSONEachRow' });
    const [row] = await answer.json<{ readonly members: string }>();
    return Number(row?.members);
  } finally {
    await client.close();
  }
}
