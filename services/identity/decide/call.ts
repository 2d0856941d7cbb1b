/** Reads a lane's request as the call behind it, with identifiers in their canonical form. Pure. */
import type { Workspace } from '../../../schemas/ids.ts';
import { canonicalIdentifier, type Identifier } from '../../../schemas/lanes.ts';
import type { IdentityRequest } from '../../../schemas/records.ts';
import type { Call } from './outcome.ts';

/** Null when the request names nobody. */
export function callOf(request: IdentityRequest): Call | null {
  const path = identifierIn(request.identifier_kind, request.identifier);
  if (path === null) return null;
  const body: Identifier[] = [];
  if (request.kind !== 'resolve') {
    for (const kind of ['cio_id', 'id', 'email'] as const) {
      const identifier = identifierIn(kind, request[kind]);
      if (identifier === null || (kind === path.kind && identifier.value === path.value)) continue;
      body.push(identifier);
    }
  }
  return {
    path,
    body,
    updateOnly: request.kind === 'claim' && request.update_only,
    anonymousId: anonymousIdOf(request),
    receivedAt: request.received_at,
  };
}

export function identifierIn(
  kind: IdentityRequest['identifier_kind'],
  value: string | null,
): Identifier | null {
  return kind === 'none' || value === null ? null : canonicalIdentifier({ kind, value });
}

/** The anonymous id of a claim, or the one whose lane asks. */
function anonymousIdOf(request: IdentityRequest): string | null {
  if (request.anonymous_id !== null) return request.anonymous_id;
  const prefix = `${request.workspace as Workspace}:a:`;
  return request.lane?.startsWith(prefix) === true ? request.lane.slice(prefix.length) : null;
}
