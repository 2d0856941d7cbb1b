/** Structured logs, rare by intent. The only importer of pino. */
import { pino, stdTimeFunctions } from 'pino';
import { CodedError } from './errors.ts';

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** error: data at risk, someone wakes. warn: look tomorrow. info: life changes. */
export interface Logger {
  readonly error: Write;
  readonly warn: Write;
  readonly info: Write;
}

/** Lines go to standard output as JSON. `error` in the fields is written with its code, hint, causes and stack. */
export function createLogger(service: string): Logger {
  const log = pino({
    base: { service, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    serializers: { error: describeError },
  });
  return {
    error: (fields, message) => {
      log.error(fields, message);
    },
    warn: (fields, message) => {
      log.warn(fields, message);
    },
    info: (fields, message) => {
      log.info(fields, message);
    },
  };
}

/** For tests and tools that show failures in another way. */
export const silentLogger: Logger = { error: ignore, warn: ignore, info: ignore };

const CAUSES_MAX = 5;

function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  return {
    message: error.message,
    stack: error.stack,
    ...(error instanceof CodedError && { code: error.code, hint: error.hint, retryable: error.retryable }),
    ...(error.cause !== undefined && depth < CAUSES_MAX && { cause: describeError(error.cause, depth + 1) }),
  };
}

function ignore(): void {
  return undefined;
}
