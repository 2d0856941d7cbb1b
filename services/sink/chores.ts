/** What keeps the tables true to their promises between inserts: days leave, and the rows of deleted people and of withdrawn visitors leave. */
import type { Logger } from '../runtime/logger.ts';
import { expiredDays } from './expiry.ts';
import { tellLeftOut } from './settle.ts';
import type { Target } from './target.ts';

const ROUND_EVERY_MS = 60_000;
const ERASE_EVERY_MS = 3_600_000;
/**
 * Deleted people are hidden at once. This is stated to whoever asks when their rows are off the disk: an erasure an
 * hour, a round's pause before it, and time for the mutation. While ClickHouse is away or the sink stands, it waits.
 */
export const ERASED_WITHIN_MS = 65 * 60_000;
/** Tells an operator that ClickHouse has not taken rows for so long. */
const ALARM_AFTER_MS = 60_000;

export interface ChoreRounds {
  readonly target: Target;
  readonly logger: Logger;
  /** Of the sink: whether it reads and writes, and since when ClickHouse takes nothing. */
  readonly sink: () => { readonly isRunning: boolean; readonly failingSince: number | undefined };
  /** Milliseconds of a clock that only goes forward, that of failingSince. */
  readonly now: () => number;
  /** Returns early when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A round a minute until the signal aborts: expiry in each, an erasure an hour, the first of them in the first round. */
export async function runChores(rounds: ChoreRounds, signal: AbortSignal): Promise<void> {
  const { target, logger, sink, now, pause } = rounds;
  let eraseAt = now();
  let alarmed = false;
  while (!signal.aborted) {
    await pause(ROUND_EVERY_MS, signal);
    const { isRunning, failingSince } = sink();
    if (failingSince !== undefined) {
      const ms = Math.round(now() - failingSince);
      if (!alarmed && ms > ALARM_AFTER_MS) {
        logger.error({ ms }, 'ClickHouse takes no rows; nothing is lost while the log keeps them');
        alarmed = true;
      }
      continue;
    }
    alarmed = false;
    if (!isRunning) continue;
    try {
      await expireDays(target, logger);
      if (now() < eraseAt) continue;
      tellLeftOut(await target.refreshToday('all'), logger); // what is erased goes by it, so it is worked out anew
      await erasePeople(target, logger);
      await eraseWithdrawn(target, logger);
      eraseAt = now() + ERASE_EVERY_MS;
    } catch (error) {
      logger.warn({ error }, 'a chore failed; it is done again later');
    }
  }
}

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

const GONE = 'person_id IN (SELECT person_id FROM erased_people)';
const DELETE = 'DELETE';
/** Table, which of its rows are about people who were deleted, and what is done to them. */
const ERASED: readonly (readonly [string, string, string])[] = [
  ['stored_merged', '(_partition, _offset) IN (SELECT _partition, _offset FROM erased_events)', DELETE],
  [
    'stored_identifies',
    '(_partition, _offset) IN (SELECT _partition, _offset FROM erased_identifies)',
    DELETE,
  ],
  ['stored_collected', '(_partition, _offset) IN (SELECT _partition, _offset FROM erased_collected)', DELETE],
  ['stored_people', `${GONE} AND (attributes IS NOT NULL OR email IS NOT NULL OR id IS NOT NULL)`, DELETE],
  ['stored_segment_changes', GONE, DELETE],
  ['stored_journey_entries', GONE, DELETE],
  ['stored_journey_skips', GONE, DELETE],
  ['stored_activities', GONE, DELETE],
  ['stored_dropped', GONE, DELETE],
  // Answers to a lane that is an identifier's own; those of anonymous ids are the claims.
  ['stored_decisions', `NOT startsWith(lane, concat(workspace, ':a:')) AND ${GONE}`, DELETE],
  ['stored_facts', `kind IN ('identifier_added', 'identifier_suppressed') AND ${GONE}`, DELETE],
  // By these other people's rows are followed, in an order that has no gaps: they stay, and say no name.
  [
    'stored_facts',
    `kind IN ('identifier_moved', 'person_split', 'person_absorbed', 'person_deleted') AND ${GONE} AND (identifier IS NOT NULL OR detail IS NOT NULL)`,
    'UPDATE identifier = NULL, detail = NULL',
  ],
];

/** Of visitors who withdrew their consent, up to then. */
const WITHDRAWN = ['stored_collected', 'stored_message_events'] as const;

/** Removes them from the disk; what a person was merged with is the person's, and goes with them. */
export async function eraseWithdrawn(target: Target, logger: Logger): Promise<number> {
  const [anybody] = await target.ask('SELECT count() FROM withdrawals');
  if (Number(anybody ?? 0) === 0) return 0;
  let erased = 0;
  for (const table of WITHDRAWN) {
    const view = table.replace('stored_', 'withdrawn_');
    const where = `(_partition, _offset) IN (SELECT _partition, _offset FROM ${view})`;
    erased += await erase(target, logger, { table, where, change: DELETE, of: 'visitors without consent' });
  }
  return erased;
}

interface Erasure {
  readonly table: string;
  readonly where: string;
  readonly change: string;
  readonly of: string;
}

async function erase(target: Target, logger: Logger, { table, where, change, of }: Erasure): Promise<number> {
  const [count] = await target.ask(`SELECT count() FROM ${table} WHERE ${where}`);
  const rows = Number(count ?? 0);
  if (rows === 0) return 0;
  await target.alter(table, `${change} WHERE ${where}`);
  logger.info({ table, rows }, `rows of ${of} were removed`);
  return rows;
}

/** Removes the rows of deleted people from the disk. A table without such rows is only asked. */
export async function erasePeople(target: Target, logger: Logger): Promise<number> {
  let erased = 0;
  const [anybody] = await target.ask('SELECT count() FROM deleted_people');
  if (Number(anybody ?? 0) === 0) return 0;
  for (const [table, where, change] of ERASED) {
    erased += await erase(target, logger, { table, where, change, of: 'deleted people' });
  }
  return erased;
}
