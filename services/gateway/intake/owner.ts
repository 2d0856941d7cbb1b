/**
 * One process has the spool. A second on the same folder would send the first one's files and remove them while they are
 * written to: what was acknowledged would be gone.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isAlive, type ProcessIdentity } from '../../../infra/local/process-identity.mjs';
import { CodedError } from '../../runtime/errors.ts';

/** @throws CodedError `spool_in_use` while another process lives that has it. */
export function ownSpool(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'owner.json');
  const owner = ownerIn(file);
  if (owner !== undefined && owner.pid !== process.pid && isAlive(owner)) {
    const message = `could not open ${folder}: process ${String(owner.pid)} has it`;
    throw new CodedError('spool_in_use', message);
  }
  // Renamed into place, so that nobody meets half a file.
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, JSON.stringify(identityOf(process.pid)), { mode: 0o600 });
  renameSync(draft, file);
}

function ownerIn(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity; // written above
  } catch {
    return undefined;
  }
}
