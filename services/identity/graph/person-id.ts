/**
 * Names people: `cio_` and a hash of the workspace, of the number of the fact that created the person, and of the call that
 * did. A replay makes the same, and nobody else can: the number alone tells one person from another, but anybody can count,
 * and whoever has a person's cio_id may write to them and, by the right key, rename them. What a call says is known to
 * those who made it: its message id, and a visitor's anonymous id, are random where clients or ingest made them up.
 */
import { createHash } from 'node:crypto';
import type { PersonId } from '../../../schemas/ids.ts';
import type { IdentityRequest } from '../../../schemas/records.ts';

const HASH_HEX_DIGITS = 20;

/** The call that makes a person. */
export type MakingCall = Pick<
  IdentityRequest,
  'message_id' | 'lane' | 'anonymous_id' | 'identifier' | 'received_at' | 'request_number'
>;

export function personIdOf(workspace: string, factNumber: number, call: MakingCall): PersonId {
  const { message_id, lane, anonymous_id, identifier, received_at, request_number } = call;
  const said = [
    workspace,
    factNumber,
    message_id,
    lane,
    anonymous_id,
    identifier,
    received_at,
    request_number,
  ];
  const hash = createHash('sha256').update(JSON.stringify(said)).digest('hex');
  return `cio_${hash.slice(0, HASH_HEX_DIGITS)}` as PersonId; // the one place where ids of people are made
}
