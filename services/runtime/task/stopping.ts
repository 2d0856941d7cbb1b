/** Ending soon what a stop finds under way. */
import { CodedError } from '../errors.ts';
import type { TimePort } from '../time.ts';

/** What notices a stop by itself gets this long; what hangs on a broker is left behind. */
const GRACE_MS = 1_500;

/** Waits for the work, and after the signal for a moment more. Answers whether it ended, one way or the other. */
export async function endsInTime(
  work: Promise<unknown>,
  signal: AbortSignal,
  time: Pick<TimePort, 'sleep'>,
): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  const done = new AbortController();
  const late = aborted(signal, done.signal)
    .then(() => time.sleep(GRACE_MS, done.signal))
    .then(() => false);
  const inTime = await Promise.race([ended, late]);
  done.abort();
  return inTime;
}

/**
 * The work's result; rejects with `task_stopped` a moment after the signal. @param discard gets a result that comes
 * later.
 */
export async function unlessStopped<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  time: Pick<TimePort, 'sleep'>,
  discard: (result: Result) => void,
): Promise<Result> {
  if (await endsInTime(work, signal, time)) return await work;
  work.then(discard, () => undefined); // nobody waits for it any more
  throw stopped();
}

export function assertNotStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw stopped();
}

function aborted(signal: AbortSignal, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const listen = (): void => {
      resolve();
    };
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', listen, { once: true, signal: until });
  });
}

function stopped(): CodedError {
  return new CodedError('task_stopped', 'could not go on: the task was told to stop');
}
