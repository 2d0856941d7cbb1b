/** What one question of a workspace gets of ClickHouse, and how the engine's word for a limit reads as an error of ours. */
import { availableParallelism } from 'node:os';
import type { ErrorCode } from '../../../schemas/errors.ts';
import type { QueueLimits } from './fair-queue.ts';

/** The sink asks by connections of its own and never waits for these. */
export const questionLimits: QueueLimits = {
  runningMax: 6,
  workspaceRunningMax: 2,
  waitingMax: 1_000,
  workspaceWaitingMax: 32,
  waitMsMax: 10_000,
};

export interface QuestionBounds {
  readonly secondsMax: number;
  readonly memoryBytesMax: number;
  readonly diskBytesMax: number;
  readonly rowsReadMax: number;
  readonly rowsAnsweredMax: number;
  readonly threadsMax: number;
}

export const questionBounds: QuestionBounds = {
  secondsMax: 9,
  memoryBytesMax: 512 * 1_024 * 1_024,
  diskBytesMax: 1_024 * 1_024 * 1_024,
  rowsReadMax: 500_000_000,
  /** The largest answer is a report's, of a few thousand. */
  rowsAnsweredMax: 100_000,
  /** Of a machine that has the engine as well: what runs at once for one workspace leaves half of it to the others. */
  threadsMax: Math.min(4, Math.max(1, Math.floor(availableParallelism() / 4))),
};

/** As settings of a query: ClickHouse itself ends what goes beyond. */
export function questionSettings(bounds: QuestionBounds) {
  return {
    max_execution_time: bounds.secondsMax,
    max_memory_usage: String(bounds.memoryBytesMax),
    max_temporary_data_on_disk_size_for_query: String(bounds.diskBytesMax),
    max_rows_to_read: String(bounds.rowsReadMax),
    max_result_rows: String(bounds.rowsAnsweredMax),
    max_threads: bounds.threadsMax,
    // A server ends a question whose asker has given up; the embedded engine does so by itself.
    cancel_http_readonly_queries_on_client_close: 1,
  } as const;
}

/** ClickHouse's codes: TIMEOUT_EXCEEDED and TOO_SLOW. */
const SLOW = new Set(['159', '160']);
/** TOO_MANY_ROWS, TOO_MANY_BYTES, MEMORY_LIMIT_EXCEEDED, TOO_MANY_ROWS_OR_BYTES, and no room left for sorting on disk. */
const LARGE = new Set(['158', '307', '241', '396', '243']);
/** READONLY and SETTING_CONSTRAINT_VIOLATION: the account may not set these. */
const UNSETTABLE = new Set(['164', '452']);

export function isUnsettable(error: unknown): boolean {
  return UNSETTABLE.has(codeOf(error));
}

/** undefined: it says nothing of a limit. */
export function limitOf(
  error: unknown,
): Extract<ErrorCode, 'question_too_slow' | 'question_too_large'> | undefined {
  const code = codeOf(error);
  if (SLOW.has(code)) return 'question_too_slow';
  return LARGE.has(code) ? 'question_too_large' : undefined;
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined; // ClickHouseError
  return typeof code === 'string' ? code : '';
}
