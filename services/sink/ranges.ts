/**
 * What the sink plans and what it writes down. A batch is a range of offsets of some partitions; before its rows are
 * inserted, the offsets are committed unchanged with the batch's name and the range's end as metadata: the intent.
 * Whoever takes over reads from it what may be half done. Pure.
 */
import type { TopicId } from '../../schemas/topics.ts';
import type { Position } from '../runtime/log/ports.ts';

/** Offsets [from, to) of a partition. */
export interface Range {
  readonly topic: TopicId;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

export interface Intent {
  readonly batchId: string;
  readonly ranges: readonly Range[];
}

export interface CommittedOffset {
  readonly topic: TopicId;
  readonly partition: number;
  /** null: this partition has no offset, or it has expired. */
  readonly offset: number | null;
  readonly metadata: string | null;
}

/** The positions to commit in one transaction: ranges that are done, and the intent for those that come next. */
export function positionsOf(
  done: readonly Range[],
  next: Intent | undefined,
): (Position & { readonly metadata: string })[] {
  const positions = new Map<string, Position & { readonly metadata: string }>();
  for (const { topic, partition, to } of done) {
    positions.set(`${topic}/${String(partition)}`, { topic, partition, offset: to, metadata: '' });
  }
  for (const { topic, partition, from, to } of next?.ranges ?? []) {
    const metadata = JSON.stringify({ batch: next?.batchId, to });
    positions.set(`${topic}/${String(partition)}`, { topic, partition, offset: from, metadata });
  }
  return [...positions.values()];
}

/** The batches that were under way when these offsets were committed. One at most, unless tasks were cut anew since. */
export function intentsOf(committed: readonly CommittedOffset[]): Intent[] {
  const batches = new Map<string, Range[]>();
  for (const { topic, partition, offset, metadata } of committed) {
    const intent = parseIntent(metadata);
    if (offset === null || intent === undefined || intent.to <= offset) continue;
    const ranges = batches.get(intent.batch) ?? [];
    batches.set(intent.batch, ranges);
    ranges.push({ topic, partition, from: offset, to: intent.to });
  }
  return [...batches].map(([batchId, ranges]) => ({ batchId, ranges }));
}

/** Name under which the engine recognises the rows of a table in a batch when they come again. A shard knows its own only. */
export function insertToken(table: string, batchId: string): string {
  return `${table}/${batchId}`;
}

/** For rows that were still missing; the same for everyone who mends this batch, so that two cannot both do it. */
export function mendToken(table: string, batchId: string, round: number): string {
  return `${insertToken(table, batchId)}/mend-${String(round)}`;
}

/**
 * The shard of a partition's rows. A partition's, so that one server answers for a range of offsets; and since a key has
 * one partition, all rows of a person (of a lane, before it has one) lie together, the latest of a key next to those that
 * it replaces.
 */
export function shardOf(partition: number, shards: number): number {
  return partition % shards;
}

/** Offsets present in a table, by partition. */
export type Present = ReadonlyMap<number, ReadonlySet<number>>;

/** Indices of the rows that the table does not have. */
export function missingRows(
  rows: { readonly rows: number; partitionOf(row: number): number; offsetOf(row: number): number },
  present: Present,
): number[] {
  const missing: number[] = [];
  for (let row = 0; row < rows.rows; row++) {
    if (present.get(rows.partitionOf(row))?.has(rows.offsetOf(row)) !== true) missing.push(row);
  }
  return missing;
}

function parseIntent(metadata: string | null): { readonly batch: string; readonly to: number } | undefined {
  if (metadata === null || metadata === '') return undefined;
  const value: unknown = JSON.parse(metadata);
  if (typeof value !== 'object' || value === null || !('batch' in value) || !('to' in value))
    return undefined;
  const { batch, to } = value;
  return typeof batch === 'string' && typeof to === 'number' ? { batch, to } : undefined;
}

export type StartPlan =
  | { readonly type: 'start'; readonly at: number }
  /** The table may have rows of this range, and nobody knows whether all: read it back, write what is missing. */
  | { readonly type: 'verify'; readonly from: number; readonly at: number }
  /** The log does not reach back to where we were: what lies between is lost to ClickHouse. */
  | { readonly type: 'truncated'; readonly lost: number; readonly at: number }
  /** ClickHouse has offsets that the log has never given out: they belong to another log. */
  | { readonly type: 'foreign'; readonly greatest: number };

/** How many offsets are read back when a partition has no committed offset: more than a batch may span. */
export const VERIFY_OFFSETS_MAX = 500_000;
/** How many of them at a time. */
export const VERIFY_CHUNK_OFFSETS_MAX = 25_000;

/** Where reading a partition starts. */
export function planStart(facts: {
  readonly committed: number | null;
  /** Greatest _offset of the partition in the topic's table. */
  readonly greatest: number | null;
  readonly logStart: number;
  readonly logEnd: number;
}): StartPlan {
  const { committed, greatest, logStart, logEnd } = facts;
  if (committed !== null) {
    if (committed > logEnd) return { type: 'foreign', greatest: committed - 1 };
    if (committed < logStart) return { type: 'truncated', lost: logStart - committed, at: logStart };
    return { type: 'start', at: committed };
  }
  if (greatest === null) return { type: 'start', at: logStart };
  if (greatest >= logEnd) return { type: 'foreign', greatest };
  const at = greatest + 1;
  if (at < logStart) return { type: 'truncated', lost: logStart - at, at: logStart };
  return { type: 'verify', from: Math.max(logStart, at - VERIFY_OFFSETS_MAX), at };
}
