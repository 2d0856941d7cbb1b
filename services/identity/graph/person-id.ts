/** Names people: `cio_` and a hash of (workspace, number of the fact that created the person), so a replay makes the same. */
import { createHash } from 'node:crypto';
import type { PersonId } from '../../../schemas/ids.ts';

const HASH_HEX_DIGITS = 20;

export function personIdOf(workspace: string, factNumber: number): PersonId {
  const hash = createHash('sha256')
    .update(`${workspace}/${String(factNumber)}`)
    .digest('hex');
  return `cio_${hash.slice(0, HASH_HEX_DIGITS)}` as PersonId; // the one place where ids of people are made
}
