/** What the routes are given, and how they read a request. */
import type { FastifyRequest } from 'fastify';
import type { Workspace } from '../../schemas/ids.ts';
import type { KnownKey } from '../runtime/caller.ts';
import type { SegmentType } from '../runtime/segment-type.ts';
import type { WorkspaceSettings } from '../runtime/workspace-settings.ts';
import type { Keys } from './authenticate.ts';
import { formOf } from './formed.ts';
import { barredCalls } from './key-rules.ts';
import type { Deliver } from './deliver.ts';
import type { CallLimits } from './call-limits.ts';
import { RECEIVED_AT_HEADER, type ReceiveTime } from './receive-time.ts';
import type { CallContext } from './translation.ts';

/** What every route of ingest needs. */
export interface IngestRoutes {
  readonly keys: Keys;
  readonly deliver: Deliver;
  readonly receiveTime: ReceiveTime;
  readonly mintMessageId: () => string;
  readonly limits: CallLimits;
  /** In force now. */
  readonly settings: (workspace: Workspace) => WorkspaceSettings;
  /** Of a segment that is stored now. */
  readonly segmentType: (workspace: Workspace, segmentId: string) => SegmentType | undefined;
}

export function callContext(
  { mintMessageId, settings }: IngestRoutes,
  call: Pick<CallContext, 'workspace' | 'receivedAt' | 'source'>,
  key?: KnownKey,
): CallContext {
  const inForce = settings(call.workspace);
  const { guards, canonical_identifier: canonical, phone_country: country } = inForce;
  const botEventsWait = inForce.bot_events_wait;
  const phones = canonical === 'phone' ? { phones: { country } } : {};
  const placeholdersAllowed = !guards.illegal_identifiers;
  const barred = barredCalls(key, inForce);
  const form = formOf(inForce);
  return { ...call, mintMessageId, placeholdersAllowed, botEventsWait, barred, form, ...phones };
}

const nothing = Buffer.alloc(0);

export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : nothing;
}

export function receiveTimeOf(options: IngestRoutes, request: FastifyRequest): Promise<number | undefined> {
  return options.receiveTime(request.headers[RECEIVED_AT_HEADER]);
}

export const badReceiveTime = {
  meta: { error: `${RECEIVED_AT_HEADER} must be an ISO 8601 time at most 24 hours behind the clock` },
} as const;
