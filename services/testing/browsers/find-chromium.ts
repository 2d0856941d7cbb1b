/** Chromium of this machine; where there is none and packages may be installed, Debian's. */
import { spawnSync } from 'node:child_process';
import { getuid } from 'node:process';

const names = ['chromium', 'chromium-browser', 'google-chrome'];
const installMsMax = 600_000;

/** Its path; undefined, with a line that says so, when there is none to be had. */
export function findChromium(): string | undefined {
  const found = onPath();
  if (found !== undefined) return found;
  if (getuid?.() === 0 && runs('apt-get', ['--version'])) {
    runs('apt-get', ['update', '-qq']);
    runs('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
  }
  const installed = onPath();
  if (installed === undefined) {
    process.stderr.write(
      'SKIPPED: what is shown in Chromium; install it (Debian: apt-get install chromium)\n',
    );
  }
  return installed;
}

function onPath(): string | undefined {
  return names.find((name) => runs(name, ['--version']));
}

function runs(program: string, args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(program, args, { stdio: 'ignore', timeout: installMsMax, env }).status === 0;
}
