/**
 * Brings a batch's rows into ClickHouse, each once, however often this is interrupted.
 *
 * An insert whose answer is lost may have happened, may be happening, or may never happen. A read-back alone cannot
 * tell: the insert may land after it. So the same rows go in again under the same token first. Once that is answered,
 * the table has them under this token, or a part that had them was lost after the token was noted (it happens on a
 * kill); whatever still runs under the token is recognised as a repeat. Then the read-back is stable, and what it shows
 * as missing is inserted under a token of its own.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '../runtime/logger.ts';
import type { TimePort } from '../runtime/time.ts';
import type { Batch, TableRows } from './batch.ts';
import { insertToken, mendToken, missingRows, shardOf, type Range } from './ranges.ts';
import type { RowBuffer } from './row-buffer.ts';
import type { Target } from './target.ts';

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 5_000;
/** Tables that are written at the same time. */
const INSERTS_AT_ONCE_MAX = 3;
/** A table that still misses rows after so many rounds is not what we take it for. */
const MEND_ROUNDS_MAX = 20;

export interface SettleOptions {
  readonly target: Target;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly gauges: SettleGauges;
  readonly time: Pick<TimePort, 'monotonicMs' | 'sleep'>;
}

export interface SettleGauges {
  inserts: number;
  insertErrors: number;
  /** Rows that were missing after their insert had been answered. */
  rowsMended: number;
  /** Set while ClickHouse does not answer: monotonic time of the first failure. */
  failingSince: number | undefined;
}

/**
 * Resolves when every row of the batch is in its table. Tries for as long as it takes: nothing may be left out, and
 * memory is bounded since nothing more is read meanwhile. Rejects only when the signal aborts.
 * @param doubtful the batch may have been inserted before, in part or whole.
 */
export async function settle(
  batch: Batch,
  batchId: string,
  doubtful: boolean,
  options: SettleOptions,
): Promise<void> {
  const waiting = batch.tables
    .filter(({ rows }) => rows.rows > 0)
    .flatMap((entry) => portionsOf(entry, batch.ranges, options.target.shards));
  const atOnce = Math.min(INSERTS_AT_ONCE_MAX, waiting.length);
  const workers = Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await settlePortion(next, { batchId, doubtful }, options);
    }
  });
  await Promise.all(workers);
  const facts = batch.resolvingRanges;
  if (facts.length > 0) {
    await untilDone(options, async () => {
      tellLeftOut(await options.target.refreshToday(facts), options.logger);
    });
  }
  if (batch.watermarks.size > 0) {
    await untilDone(options, async () => options.target.writeWatermarks(batch.watermarks));
  }
}

/** What refreshToday returns. Their rows are whose they were before what could not be followed, and nobody else's are concerned. */
export function tellLeftOut(workspaces: readonly string[], logger: Pick<Logger, 'error'>): void {
  if (workspaces.length === 0) return;
  logger.error(
    { workspaces },
    'merges and splits of workspaces are too many to follow: what they changed since is not seen in ClickHouse',
  );
}

/** A table's rows of one shard. */
interface Portion {
  readonly entry: TableRows;
  readonly shard: number;
  readonly bytes: Buffer;
  /** Of the table's topic and the shard. */
  readonly ranges: readonly Range[];
}

function portionsOf(entry: TableRows, ranges: readonly Range[], shards: number): Portion[] {
  const { spec, rows } = entry;
  const own = ranges.filter(({ topic }) => topic === spec.topic);
  if (shards === 1) return [{ entry, shard: 0, bytes: rows.bytes, ranges: own }];
  const ofShard = ({ partition }: Range, shard: number): boolean => shardOf(partition, shards) === shard;
  return rowsByShard(rows, shards).flatMap((indices, shard) =>
    indices.length === 0
      ? []
      : [{ entry, shard, bytes: rows.pick(indices), ranges: own.filter((range) => ofShard(range, shard)) }],
  );
}

function rowsByShard(rows: RowBuffer, shards: number): number[][] {
  const byShard = Array.from({ length: shards }, (): number[] => []);
  for (let row = 0; row < rows.rows; row++) byShard[shardOf(rows.partitionOf(row), shards)]?.push(row);
  return byShard;
}

async function settlePortion(
  portion: Portion,
  { batchId, ...insert }: { readonly batchId: string; readonly doubtful: boolean },
  options: SettleOptions,
): Promise<void> {
  const { entry, shard, bytes } = portion;
  const { table } = entry.spec;
  const { columns } = entry.plan;
  const { target, gauges } = options;
  let { doubtful } = insert;
  await untilDone(
    options,
    async () => {
      gauges.inserts += 1;
      await target.insert({ table, columns, rows: bytes, token: insertToken(table, batchId), shard });
      if (doubtful) await mend(portion, batchId, options);
    },
    () => {
      doubtful = true;
    },
  );
}

/** Rows that the table does not have although their token is noted there, put in under tokens of their own. */
async function mend(
  { entry, shard, bytes, ranges }: Portion,
  batchId: string,
  { target, gauges, logger }: SettleOptions,
): Promise<void> {
  const { spec, plan, rows } = entry;
  const { table } = spec;
  const { columns } = plan;
  if (spec.keepsLatest) {
    // Older rows of a key go away, so a read-back says nothing; but a row that is there twice counts once.
    const token = `${mendToken(table, batchId, 0)}/${randomUUID()}`;
    await target.insert({ table, columns, rows: bytes, token, shard });
    return;
  }
  for (let round = 1; round <= MEND_ROUNDS_MAX; round++) {
    const present = await target.present(table, ranges);
    const missing = missingRows(rows, present).filter(
      (row) => shardOf(rows.partitionOf(row), target.shards) === shard,
    );
    if (missing.length === 0) return;
    gauges.rowsMended += missing.length;
    logger.warn(
      { table, batch: batchId, rows: missing.length, round },
      'rows were missing after their insert; they are inserted again',
    );
    const token = mendToken(table, batchId, round);
    await target.insert({ table, columns, rows: rows.pick(missing), token, shard });
  }
  throw new Error(`${table} still misses rows of batch ${batchId} after ${String(MEND_ROUNDS_MAX)} rounds`);
}

async function untilDone(
  { signal, logger, gauges, time }: SettleOptions,
  attempt: () => Promise<void>,
  onError?: () => void,
): Promise<void> {
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    signal.throwIfAborted();
    try {
      await attempt();
      gauges.failingSince = undefined;
      return;
    } catch (error) {
      onError?.();
      gauges.insertErrors += 1;
      if (gauges.failingSince === undefined) {
        gauges.failingSince = time.monotonicMs();
        logger.warn({ error }, 'ClickHouse did not take an insert; it is tried until it does');
      }
      await time.sleep(pauseMs, signal);
    }
  }
}
