/** A folder for one run of a bench, which can be gigabytes: what a run that was killed left behind goes at the next. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isAlive, type ProcessIdentity } from '../infra/local/process-identity.mjs';

const OWNER = 'owner.json';

/** Removed by who asked for it. */
export function openBenchFolder(parent: string, bench: string): string {
  mkdirSync(parent, { recursive: true });
  const prefix = `hindsight-bench-${bench}-`;
  for (const name of readdirSync(parent)) {
    const left = join(parent, name);
    if (name.startsWith(prefix) && !hasLivingOwner(left)) rmSync(left, { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(parent, prefix));
  writeFileSync(join(folder, OWNER), JSON.stringify(identityOf(process.pid)));
  return folder;
}

/** A folder without an owner may have been made in this very moment: it stays until it has one, or for a person. */
function hasLivingOwner(folder: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(join(folder, OWNER), 'utf8')) as ProcessIdentity); // written above
  } catch {
    return true;
  }
}
