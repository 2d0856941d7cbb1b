/** Installs the npm packages when node_modules is missing, half made or not what package-lock.json says. */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { runLong } from './long-command.mjs';

export async function installNodeModules(root) {
  if (hasNodeModules(root)) return;
  const onWait = (holder) => console.log(`  waiting for process ${holder.pid}, which installs npm packages`);
  await withLock(join(root, '.parts', 'npm.lock'), onWait, async () => {
    if (hasNodeModules(root)) return;
    const command = {
      file: 'npm',
      // No package needs its install script: binaries come as packages of their own.
      args: ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      cwd: root,
      env: process.env,
    };
    const text = async () => `${Math.round((await bytesIn(join(root, 'node_modules'))) / 1e6)} MB`;
    await runLong('installing npm packages', command, { text });
  });
}

/** npm writes node_modules/.package-lock.json last, so an installation that was killed has none. */
export function hasNodeModules(root) {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  // An image for production is built without what only development needs.
  const mayLack = ({ optional, dev, devOptional }) =>
    optional === true || (process.env.NODE_ENV === 'production' && (dev === true || devOptional === true));
  return Object.entries(wanted).every(
    ([folder, entry]) =>
      folder === '' ||
      (installed[folder] === undefined ? mayLack(entry) : installed[folder].version === entry.version),
  );
}

async function bytesIn(folder) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesIn(path);
    else if (entry.isFile()) bytes += (await stat(path).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}
