/** The one maker of records for identity.requests: fields that a kind of request does not use are as the schema says. */
import type { IdentityRequest } from './records.ts';

const empty: Omit<IdentityRequest, 'kind' | 'workspace' | 'received_at'> = {
  lane: null,
  request_number: 0,
  source_partition: null,
  source_offset: -1,
  positions: [],
  anonymous_id: null,
  identifier_kind: 'none',
  identifier: null,
  id: null,
  email: null,
  cio_id: null,
  update_only: false,
  message_id: '',
  other_kind: 'none',
  other: null,
  detail: null,
};

type Named = Pick<IdentityRequest, 'kind' | 'workspace' | 'received_at'>;

export function identityRequest(fields: Named & Partial<IdentityRequest>): IdentityRequest {
  return { ...empty, ...fields };
}
