/**
 * A shell that outlives this process: it reads one line from a pipe that only this process holds, so its script goes on
 * past `read` when it is told to, or when this process has ended in whatever way.
 */
import { spawn } from 'node:child_process';

export interface WaitingShell {
  /** Resolves when the script has ended. @param word a line for its `read`; without one the pipe closes, as at our end. */
  tell(word?: string): Promise<void>;
}

/** @param name as it is listed among processes. @param args `$1` and on. */
export function startWaitingShell(script: string, name: string, args: readonly string[]): WaitingShell {
  const shell = spawn('/bin/sh', ['-c', script, name, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = new Promise<void>((done) => {
    shell.once('exit', () => {
      done();
    });
    shell.once('error', () => {
      done();
    });
  });
  shell.stdin.on('error', () => undefined); // it has ended by itself: nothing left to tell
  return {
    tell: (word) => {
      shell.stdin.end(word === undefined ? undefined : `${word}\n`);
      return ended;
    },
  };
}
