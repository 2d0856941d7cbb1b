/** A process of ours: started into a log file of its own, watched, stopped. Knows nothing of restarts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import { identityOf, type ProcessIdentity } from './process-identity.mjs';
import { startWaitingShell } from './waiting-shell.ts';

export interface ProcessSpec {
  /** As in processes.json. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error are added to it. */
  readonly logFile: string;
  /**
   * Parts: a session of their own, so that the terminal's signals reach the launcher only, and a watchdog, since they
   * do not look whether the launcher lives. Services look for themselves and ignore the terminal's signal.
   */
  readonly part: boolean;
  readonly readyMsMax: number;
  readonly stopMsMax: number;
  /** Longest pause before it is started again; left out: that of restart-pause.ts. */
  readonly restartPauseMsMax?: number;
  /** Asked again and again until it says yes. */
  readonly isReady: (pid: number) => Promise<boolean>;
}

export interface RunningProcess {
  readonly pid: number;
  readonly identity: ProcessIdentity;
  /** Says how it ended; never rejects. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL when it is still there after stopMsMax. */
  stop(): Promise<void>;
}

const LOG_BYTES_MAX = 32 << 20;
const READY_POLL_MS = 50;

/** @throws CodedError `process_failed` when the command cannot be run at all. */
export function startProcess(spec: ProcessSpec): RunningProcess {
  const log = openLogFile(spec.logFile);
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['ignore', log, log],
    detached: spec.part,
  });
  closeSync(log);
  const ended = endOf(child);
  if (child.pid === undefined) {
    throw new CodedError('process_failed', `could not start ${spec.name}: ${spec.command} cannot be run`);
  }
  const watchdog = spec.part ? startWatchdog(child.pid) : undefined;
  return {
    pid: child.pid,
    identity: identityOf(child.pid),
    ended: ended.then(async (how) => {
      await watchdog?.release();
      return how;
    }),
    stop: () => stopChild(child, ended, spec.stopMsMax),
  };
}

/** It ended by itself before it was ready. */
export class EndedEarly extends CodedError {
  /** Such as `ended with code 1`. */
  readonly how: string;
  constructor({ name, logFile }: ProcessSpec, how: string) {
    super('process_failed', `could not start ${name}: it ${how}`, { hint: logHint(logFile) });
    this.how = how;
  }
}

/**
 * @throws CodedError `process_failed` with the end of its log when it ends first (EndedEarly), or is not ready in
 * readyMsMax.
 */
export async function waitUntilReady(spec: ProcessSpec, running: RunningProcess): Promise<void> {
  let end: string | undefined;
  void running.ended.then((how) => {
    end = how;
  });
  const deadline = performance.now() + spec.readyMsMax;
  while (end === undefined && performance.now() < deadline) {
    if (await spec.isReady(running.pid)) return;
    await sleep(READY_POLL_MS);
  }
  if (end !== undefined) throw new EndedEarly(spec, end);
  const seconds = String(spec.readyMsMax / 1000);
  throw new CodedError(
    'process_failed',
    `could not start ${spec.name}: it was not ready after ${seconds} s`,
    {
      hint: logHint(spec.logFile),
    },
  );
}

function logHint(logFile: string): string {
  return `Its log is ${logFile}, which ends with:\n${endOfLog(logFile)}`;
}

async function stopChild(child: ChildProcess, ended: Promise<unknown>, stopMsMax: number): Promise<void> {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
  await ended;
  clearTimeout(kill);
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((done) => {
    child.once('error', (error) => {
      done(`could not be run: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      done(signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}${causeOf(signal)}`);
    });
  });
}

/** A file that is mapped into memory and ends too early is met with a signal, and nothing can be written about it. */
function causeOf(signal: NodeJS.Signals): string {
  return signal === 'SIGBUS'
    ? ', which comes of a file under state/ that is cut short, or of a full disk (docs/operate.md, Damaged state)'
    : '';
}

/**
 * A shell that outlives a launcher that was killed: it reads from a pipe that only the launcher holds, and ends the
 * part when the pipe closes without a word. A word on it means that the part has ended already.
 */
function startWatchdog(pid: number): { release(): Promise<void> } {
  const script = `read -r _ && exit 0
kill -TERM "$1" || exit 0
i=0; while [ $i -lt 50 ]; do kill -0 "$1" || exit 0; sleep 0.2; i=$((i + 1)); done
kill -KILL "$1"`;
  const shell = startWaitingShell(script, 'hindsight-watchdog', [String(pid)]);
  return { release: () => shell.tell('ended') };
}

/** One older file is kept beside it. */
function openLogFile(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

const LOG_LINES_SHOWN = 12;
const LOG_CHARS_SHOWN = 4_000;

export function endOfLog(file: string): string {
  const text = readFileSync(file, 'utf8').trimEnd().slice(-LOG_CHARS_SHOWN);
  return text
    .split('\n')
    .slice(-LOG_LINES_SHOWN)
    .map((line) => `  | ${line}`)
    .join('\n');
}
