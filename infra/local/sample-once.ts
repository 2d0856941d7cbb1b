/** Plays the sample storefront into workspace `sample` and tells one visitor's story, at the first start of a folder. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writePrivateFile } from './private-file.ts';

export interface SampleOptions {
  readonly root: string;
  readonly dataFolder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends it. */
  readonly stop: AbortSignal;
  readonly report: (line: string) => void;
}

/** A sample that fails is reported; the installation stays up without it. */
export async function playSampleOnce(options: SampleOptions): Promise<void> {
  const played = join(options.dataFolder, 'sample-played.json');
  if (existsSync(played)) return;
  options.report(
    'Playing the sample storefront (HINDSIGHT_SAMPLE=off leaves it out); /health/settled waits for it\n',
  );
  const how = await play(options);
  if (options.stop.aborted) return;
  if (how === undefined) {
    writePrivateFile(played, JSON.stringify({ played_at: new Date().toISOString() }));
    options.report('\nHindsight stays up. Ctrl-C stops all of it.');
  } else {
    options.report(
      `could not play the sample storefront: it ${how}. Try it again with: ${againWith(options.dataFolder)}`,
    );
  }
}

/** As a shell takes it. */
export function againWith(dataFolder: string): string {
  const command = 'npm run sample -- --story';
  if (resolve(dataFolder) === resolve('.hindsight')) return command;
  return `HINDSIGHT_DATA='${dataFolder.replaceAll("'", `'\\''`)}' ${command}`;
}

/** @returns undefined when all went well, else how it ended. */
function play({ root, dataFolder, env, stop }: SampleOptions): Promise<string | undefined> {
  const args = ['scripts/sample.ts', '--workspace', 'sample', '--story'];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...env, HINDSIGHT_DATA: dataFolder },
    stdio: ['ignore', 'inherit', 'inherit'],
    signal: stop,
  });
  return new Promise((done) => {
    child.once('error', (error) => {
      done(`could not be run: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      done(code === 0 ? undefined : `ended with ${signal ?? `code ${String(code)}`}`);
    });
  });
}
