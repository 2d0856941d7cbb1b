/**
 * Tells whoever sits before `npm start` that calls were refused, once a minute and only then: most routes of Pipelines
 * answer 200 to what they do not take, and nobody reads a log that they do not know of. The gateway counts; its status
 * says what came in its last minute.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { printable } from '../../services/runtime/printable.ts';

const askPauseMs = 10_000;
const askMsMax = 2_000;
const textsShownMax = 3;
const textCharsMax = 120;

/** As the gateway's status has it. */
export interface RefusedMinute {
  readonly ended_at: string;
  readonly refused: number;
  readonly refusals: readonly {
    readonly reason: string;
    readonly message: string | null;
    readonly count: number;
  }[];
}

/** undefined: none was refused. */
export function refusalsLine({ refused, refusals }: RefusedMinute): string | undefined {
  if (refused === 0) return undefined;
  const texts = refusals.slice(0, textsShownMax).map(({ reason, message, count }) => {
    const text = printable(message ?? reason, textCharsMax);
    return refusals.length === 1 ? text : `${text} (${String(count)})`;
  });
  const others = refusals.length > textsShownMax ? ', and others' : '';
  const calls = refused === 1 ? '1 call' : `${String(refused)} calls`;
  return `${calls} refused in the last minute: ${texts.join('; ')}${others}`;
}

export interface TellRefusalsOptions {
  readonly dataFolder: string;
  readonly report: (line: string) => void;
  readonly stop: AbortSignal;
  /** Between two looks; 10 s unless a test says otherwise. */
  readonly pauseMs?: number;
}

/** Until it is told to stop. A gateway that does not answer is asked again. */
export async function tellRefusals({
  dataFolder,
  report,
  stop,
  pauseMs = askPauseMs,
}: TellRefusalsOptions): Promise<void> {
  let told = (await lastMinute(dataFolder))?.ended_at;
  for (;;) {
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    const minute = await lastMinute(dataFolder);
    if (minute === undefined || minute.ended_at === told) continue;
    told = minute.ended_at;
    const line = refusalsLine(minute);
    if (line !== undefined) report(`  ${line}`);
  }
}

async function lastMinute(dataFolder: string): Promise<RefusedMinute | undefined> {
  try {
    const file = JSON.parse(await readFile(join(dataFolder, 'run', 'gateway.json'), 'utf8')) as {
      url: string;
    };
    const answer = await fetch(`${file.url}/status`, { signal: AbortSignal.timeout(askMsMax) });
    const status = (await answer.json()) as { service?: string; last_minute?: RefusedMinute | null }; // our own
    return status.service === 'gateway' ? (status.last_minute ?? undefined) : undefined;
  } catch {
    return undefined; // it starts, or is started again
  }
}
