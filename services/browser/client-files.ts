/**
 * The scripts of Customer.io's client for browsers, as its npm package has them but for its hosts (own-hosts.ts); the only
 * file that knows the package.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { withOwnHosts } from './own-hosts.ts';
import { scriptFile, type ScriptFile } from './script-file.ts';

export interface ClientFiles {
  /** By name: the chunks that the script asks for, and itself. */
  readonly scripts: ReadonlyMap<string, ScriptFile>;
  /** What a snippet loads. */
  readonly main: ScriptFile;
  readonly licence: ScriptFile;
}

const MAIN = 'standalone.js';

export function clientFiles(): ClientFiles {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@customerio/cdp-analytics-browser/package.json'));
  const built = join(folder, 'dist', 'umd');
  const names = readdirSync(built).filter((name) => name.endsWith('.js'));
  const scripts = new Map(names.map((name) => [name, scriptFile(ours(join(built, name)))]));
  const main = scripts.get(MAIN);
  if (main === undefined) throw new Error(`could not read the client for browsers: it has no ${MAIN}`);
  return { scripts, main, licence: scriptFile(readFileSync(join(folder, 'LICENSE.MD'))) };
}

function ours(path: string): Buffer {
  return Buffer.from(withOwnHosts(readFileSync(path, 'utf8')));
}
