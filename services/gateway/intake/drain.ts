/**
 * Sends what the spool holds, from its start, step after step: each is on the log before the next is read. A step that
 * fails is halved, so that a log that loses one record in ten, say, has all of them in the end: whole steps of many
 * would hardly ever get through.
 */
import type { TakenRecord } from '../../runtime/taken-records.ts';
import type { Producer } from '../../runtime/log/ports.ts';
import type { TimePort } from '../../runtime/time.ts';
import { frameBytesOf } from './frames.ts';
import type { Spool } from './spool.ts';

export interface DrainOptions {
  readonly spool: Spool;
  readonly producer: Pick<Producer, 'post' | 'giveUp'>;
  readonly time: Pick<TimePort, 'sleep'>;
  readonly signal: AbortSignal;
  /** A step failed; it is tried again. */
  readonly failed: (error: unknown) => void;
}

const STEP_BYTES_MAX = 1 << 20;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 2_000;

/** Resolves at once when nothing is held any more, or when it is told to stop. */
export async function drain({ spool, producer, time, signal, failed }: DrainOptions): Promise<void> {
  let pauseMs = PAUSE_MS_MIN;
  let stepBytes = STEP_BYTES_MAX;
  for (;;) {
    if (signal.aborted) return;
    const step = spool.read(stepBytes);
    if (step === undefined) {
      if (spool.isEmpty) return;
      await spool.written();
      continue;
    }
    const fault = await sendAll(producer, step.records);
    if (fault === undefined) {
      spool.passed(step);
      pauseMs = PAUSE_MS_MIN;
      stepBytes = Math.min(stepBytes * 2, STEP_BYTES_MAX);
      continue;
    }
    failed(fault);
    const bytes = step.records.reduce((sum, each) => sum + frameBytesOf(each), 0);
    stepBytes = Math.max(1, Math.floor(Math.min(stepBytes, bytes) / 2)); // one record at least is read
    await time.sleep(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
  }
}

/**
 * Resolves when the log has all of them, or with the first failure. Then nothing that stands behind a record that failed
 * is sent before it: all that is not under way is taken back at once.
 */
function sendAll(producer: DrainOptions['producer'], records: readonly TakenRecord[]): Promise<unknown> {
  if (records.length === 0) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    let left = records.length;
    let fault: unknown;
    const done = (): void => {
      left -= 1;
      if (left === 0) resolve(fault);
    };
    const waiter = {
      resolve: done,
      reject: (error: unknown): void => {
        const isFirst = fault === undefined;
        fault ??= error;
        if (isFirst) producer.giveUp();
        done();
      },
    };
    for (const record of records) {
      if (fault === undefined) producer.post(record.topic, record, waiter, 0);
      else done();
    }
  });
}
