/** What one reading of the past gets of ClickHouse, whose answers to everybody and whose inserts go on beside it. */
import { availableParallelism } from 'node:os';

export interface ReadingBounds {
  /** Above it the engine gives up, and the reading begins again where the partition is. */
  readonly memoryBytesMax: number;
  /** From there on what is sorted or grouped goes to the disk. */
  readonly spillBytesMin: number;
  readonly diskBytesMax: number;
  readonly threadsMax: number;
}

const MIB = 1_024 * 1_024;

/** One partition of one workspace is read at a time; no time is set, since its rows come as fast as they are taken. */
export const readingBounds: ReadingBounds = {
  memoryBytesMax: 1_024 * MIB,
  spillBytesMin: 256 * MIB,
  diskBytesMax: 8 * 1_024 * MIB,
  /** Of a machine that has the engine as well: three quarters of it are others'. */
  threadsMax: Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4))),
};

/** As settings of a query: ClickHouse itself ends what goes beyond. */
export function readingSettings(bounds: ReadingBounds) {
  return {
    max_memory_usage: String(bounds.memoryBytesMax),
    max_bytes_before_external_sort: String(bounds.spillBytesMin),
    max_bytes_before_external_group_by: String(bounds.spillBytesMin),
    max_temporary_data_on_disk_size_for_query: String(bounds.diskBytesMax),
    max_threads: bounds.threadsMax,
    // A server ends a reading whose asker is gone; the embedded engine does so by itself.
    cancel_http_readonly_queries_on_client_close: 1,
  } as const;
}

/** READONLY and SETTING_CONSTRAINT_VIOLATION: the account may not set these, and has bounds of its own. */
const UNSETTABLE: ReadonlySet<unknown> = new Set(['164', '452']);

export function isUnsettable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNSETTABLE.has(error.code); // ClickHouseError
}
