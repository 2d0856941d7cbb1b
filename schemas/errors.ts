/**
 * Every code that an error can have: what it means, what follows by itself, what a person can do. Whoever asks whether an
 * error passes, asks this table (services/runtime/errors.ts, the task, the gateway); docs/errors.md is made from it.
 */

import { callsErrors } from './errors/calls.ts';
import { clickhouseErrors } from './errors/clickhouse.ts';
import { commandsErrors } from './errors/commands.ts';
import { logErrors } from './errors/log.ts';
import { startingErrors } from './errors/starting.ts';
import { storesErrors } from './errors/stores.ts';
import { tasksErrors } from './errors/tasks.ts';
import type { ErrorEntry } from './errors/entry.ts';

/** By what they are about, in the order of docs/errors.md. */
export const errorGroups = {
  'The log: brokers, topics, schemas.': logErrors,
  'Tasks, their journal and their state.': tasksErrors,
  'Stores on the disk.': storesErrors,
  'Records and calls.': callsErrors,
  'Starting: settings, ports, parts.': startingErrors,
  'ClickHouse and its migrations.': clickhouseErrors,
  'Commands: sample, apply, chaos, bench.': commandsErrors,
} as const;

export const errorCodes = {
  ...logErrors,
  ...tasksErrors,
  ...storesErrors,
  ...callsErrors,
  ...startingErrors,
  ...clickhouseErrors,
  ...commandsErrors,
} as const;

export type ErrorCode = keyof typeof errorCodes;

export function errorEntry(code: ErrorCode): ErrorEntry {
  return errorCodes[code];
}
