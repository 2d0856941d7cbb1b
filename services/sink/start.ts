/** Where the sink goes on: ends what a predecessor left half done, and says from where to read each partition. */
import { randomUUID } from 'node:crypto';
import { UnknownSchemaError, type Codecs } from '../../schemas/codec.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Log, Position, RecordSlice } from '../runtime/log/ports.ts';
import { Batch } from './batch.ts';
import {
  intentsOf,
  missingRows,
  planStart,
  shardOf,
  VERIFY_CHUNK_OFFSETS_MAX,
  type CommittedOffset,
  type Intent,
  type Range,
} from './ranges.ts';
import { settle, tellLeftOut, type SettleOptions } from './settle.ts';
import { sinkTopics, tables } from './tables.ts';

export interface StartOptions extends SettleOptions {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly group: string;
  /** Partitions of each topic that are this task's. */
  readonly isMine: (partition: number) => boolean;
  readonly learn: (schemaId: number) => Promise<void>;
}

const READ_BUFFER_BYTES_MAX = 16 * 1024 * 1024;
const READ_FETCH_BYTES_MAX = 2 * 1024 * 1024;
const READ_WAIT_MS = 500;

/** Runs after the producer's init, which fenced older owners and ended their transactions. */
export async function findStart(options: StartOptions): Promise<{
  readonly positions: readonly Position[];
  /** Ranges whose rows are in now but whose offsets are not committed yet. */
  readonly settled: readonly { readonly batch: Batch; readonly ranges: readonly Range[] }[];
}> {
  const { log, logger, codecs } = options;
  const committed = await committedOffsets(options);
  const intents = intentsOf(committed);
  const settled: { batch: Batch; ranges: readonly Range[] }[] = [];
  for (const intent of intents) {
    logger.info(
      { batch: intent.batchId, ranges: intent.ranges.length },
      'a batch was under way; it is ended first',
    );
    const batch = await readRanges(intent.ranges, options);
    await settle(batch, intent.batchId, true, options);
    settled.push({ batch, ranges: intent.ranges });
  }
  tellLeftOut(await options.target.refreshToday('all'), logger);
  const positions: Position[] = [];
  for (const topic of sinkTopics) {
    const own = committed.filter((each) => each.topic === topic);
    const greatest = own.some(({ offset }) => offset === null)
      ? await greatestOf(topic, options.target)
      : new Map<number, number>();
    // After the greatest: a newer sink may write meanwhile, and its rows would seem to be those of another log.
    const [starts, ends] = await Promise.all([log.admin.startOffsets(topic), log.admin.endOffsets(topic)]);
    for (const { partition, offset } of own) {
      const done = settledTo(intents, topic, partition);
      const plan = planStart({
        committed: done ?? offset,
        greatest: greatest.get(partition) ?? null,
        logStart: starts[partition] ?? 0,
        logEnd: ends[partition] ?? 0,
      });
      if (plan.type === 'foreign') throw foreign(topic, partition, plan.greatest, ends[partition] ?? 0);
      if (plan.type === 'truncated') {
        logger.error(
          { topic, partition, lost: plan.lost },
          'the log was cut before ClickHouse had these offsets',
        );
      }
      if (plan.type === 'verify') {
        await verifyInChunks({ topic, partition, from: plan.from, to: plan.at }, options, codecs);
      }
      positions.push({ topic, partition, offset: plan.at });
    }
  }
  return { positions, settled };
}

async function verifyInChunks(range: Range, options: StartOptions, codecs: Codecs): Promise<void> {
  for (let from = range.from; from < range.to; from += VERIFY_CHUNK_OFFSETS_MAX) {
    const to = Math.min(from + VERIFY_CHUNK_OFFSETS_MAX, range.to);
    await verify({ ...range, from, to }, options, codecs);
  }
}

/** A partition without a committed offset whose table has rows: the last ones may have holes, from a batch cut short. */
async function verify(range: Range, options: StartOptions, codecs: Codecs): Promise<void> {
  const { target, logger } = options;
  const batch = await readRanges([range], options, codecs);
  for (const { spec, plan, rows } of batch.tables) {
    if (spec.topic !== range.topic || rows.rows === 0) continue;
    const missing = spec.keepsLatest ? [] : missingRows(rows, await target.present(spec.table, [range]));
    if (missing.length === 0) continue;
    logger.warn(
      { ...range, rows: missing.length },
      'rows below the greatest offset were missing; they are inserted',
    );
    await target.insert({
      table: spec.table,
      columns: plan.columns,
      rows: rows.pick(missing),
      token: `verify/${randomUUID()}`,
      shard: shardOf(range.partition, target.shards),
    });
  }
}

/** The rows of the ranges, read from the log again. What the log no longer has is not in it. */
export async function readRanges(
  ranges: readonly Range[],
  options: Pick<StartOptions, 'log' | 'codecs' | 'learn' | 'signal'>,
  codecs: Codecs = options.codecs,
): Promise<Batch> {
  const { log, signal } = options;
  const batch = new Batch(codecs);
  const left = new Map<string, Range>();
  const positions: Position[] = [];
  for (const range of ranges) {
    const start = (await log.admin.startOffsets(range.topic))[range.partition] ?? 0;
    if (start >= range.to) continue;
    left.set(`${range.topic}/${String(range.partition)}`, range);
    positions.push({ topic: range.topic, partition: range.partition, offset: Math.max(range.from, start) });
  }
  if (positions.length === 0) return batch;
  const reader = log.reader({
    bufferBytesMax: READ_BUFFER_BYTES_MAX,
    fetchBytesMax: READ_FETCH_BYTES_MAX,
    waitMsMax: READ_WAIT_MS,
  });
  try {
    await reader.start(positions);
    while (left.size > 0) {
      signal.throwIfAborted();
      await reader.wait(READ_WAIT_MS);
      for (const slice of reader.take(READ_FETCH_BYTES_MAX)) {
        await addWanted(batch, slice, { left, learn: options.learn });
        slice.release();
      }
    }
  } finally {
    await reader.close();
  }
  return batch;
}

/** Adds what the slice has of the ranges that are still left. */
async function addWanted(
  batch: Batch,
  slice: RecordSlice,
  { left, learn }: { readonly left: Map<string, Range>; readonly learn: StartOptions['learn'] },
): Promise<void> {
  const key = `${slice.topic}/${String(slice.partition)}`;
  const range = left.get(key);
  if (range === undefined) return;
  await addLearning(batch, slice, range.to, learn);
  if (slice.next >= range.to) left.delete(key);
}

/** Adds the slice, fetching schemas that are not loaded yet. */
export async function addLearning(
  batch: Batch,
  slice: RecordSlice,
  to: number,
  learn: (schemaId: number) => Promise<void>,
): Promise<void> {
  let unknown: number | undefined;
  for (;;) {
    try {
      batch.add(slice, to);
      return;
    } catch (error) {
      if (!(error instanceof UnknownSchemaError) || error.schemaId === unknown) throw error;
      unknown = error.schemaId;
      await learn(unknown);
    }
  }
}

async function committedOffsets({ log, group, isMine }: StartOptions): Promise<CommittedOffset[]> {
  const all = await Promise.all(
    sinkTopics.map(async (topic) => {
      const offsets = await log.admin.committedOffsets(group, topic);
      return offsets.map((committed, partition) => ({ topic, partition, ...committed }));
    }),
  );
  return all.flat().filter(({ partition }) => isMine(partition));
}

function settledTo(intents: readonly Intent[], topic: string, partition: number): number | undefined {
  return intents
    .flatMap(({ ranges }) => ranges)
    .find((range) => range.topic === topic && range.partition === partition)?.to;
}

/** Of whichever table of the topic. */
async function greatestOf(topic: string, target: StartOptions['target']): Promise<Map<number, number>> {
  const greatest = new Map<number, number>();
  for (const { table } of tables.filter((each) => each.topic === topic)) {
    for (const [partition, offset] of await target.greatest(table)) {
      greatest.set(partition, Math.max(offset, greatest.get(partition) ?? offset));
    }
  }
  return greatest;
}

function foreign(topic: string, partition: number, greatest: number, logEnd: number): CodedError {
  const where = `${topic}/${String(partition)}`;
  return new CodedError(
    'clickhouse_ahead_of_log',
    `could not start: ClickHouse has offset ${String(greatest)} of ${where}, but the log ends at ${String(logEnd)}`,
  );
}
