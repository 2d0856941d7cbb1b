/** What keeps the tables true to their promises between inserts: days leave, and the rows of deleted people leave. */
import type { Logger } from '../runtime/logger.ts';
import { expiredDays } from './expiry.ts';
import type { Target } from './target.ts';

/** Deleted people are hidden at once; their rows are off the disk within this time, and one mutation. */
export const ERASE_EVERY_MS = 3_600_000;
export const EXPIRE_EVERY_MS = 60_000;

/** Drops the days of anonymous events that lie more than 30 days before the watermark. */
export async function expireDays(target: Target, logger: Logger): Promise<readonly string[]> {
  const [at] = await target.ask('SELECT toUnixTimestamp64Milli(at) FROM watermark');
  const days = await target.partitionsOf('stored_collected');
  const expired = expiredDays(days, Number(at ?? 0));
  for (const day of expired) {
    await target.alter('stored_collected', `DROP PARTITION ${day}`);
    logger.info({ day }, 'a day of anonymous events has expired');
  }
  return expired;
}

const GONE = 'SELECT person_id FROM erased_people';
/** Table, and which of its rows belong to people who were deleted. */
const ERASED: readonly (readonly [string, string])[] = [
  ['stored_merged', '(_partition, _offset) IN (SELECT _partition, _offset FROM erased_events)'],
  ['stored_collected', '(_partition, _offset) IN (SELECT _partition, _offset FROM erased_collected)'],
  [
    'stored_people',
    `person_id IN (${GONE}) AND (attributes IS NOT NULL OR email IS NOT NULL OR id IS NOT NULL)`,
  ],
  ['stored_segment_changes', `person_id IN (${GONE})`],
  ['stored_journey_entries', `person_id IN (${GONE})`],
  ['stored_activities', `person_id IN (${GONE})`],
  ['stored_dropped', `person_id IN (${GONE})`],
  [
    'stored_facts',
    `kind IN ('identifier_added', 'identifier_moved', 'identifier_suppressed') AND person_id IN (${GONE})`,
  ],
];

/** Removes the rows of deleted people from the disk. A table without such rows is only asked. */
export async function erasePeople(target: Target, logger: Logger): Promise<number> {
  let erased = 0;
  const [anybody] = await target.ask('SELECT count() FROM deleted_people');
  if (Number(anybody ?? 0) === 0) return 0;
  for (const [table, where] of ERASED) {
    const [count] = await target.ask(`SELECT count() FROM ${table} WHERE ${where}`);
    const rows = Number(count ?? 0);
    if (rows === 0) continue;
    await target.alter(table, `DELETE WHERE ${where}`);
    logger.info({ table, rows }, 'rows of deleted people were removed');
    erased += rows;
  }
  return erased;
}
