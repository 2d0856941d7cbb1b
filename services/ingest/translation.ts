/**
 * What a call becomes. Translators are pure: they are told the time and draw message ids from what they are given;
 * the shell (deliver.ts) sends.
 */
import { eventTextBytesMax } from '../../schemas/http/limits.ts';
import { identityRequest } from '../../schemas/identity-request.ts';
import type { Workspace } from '../../schemas/ids.ts';
import { laneKey, type Identifier } from '../../schemas/lanes.ts';
import type { Reason } from '../../schemas/reasons.ts';
import { droppedEvent } from '../../schemas/dropped-event.ts';
import type { CollectedEvent, DroppedEvent, IdentityRequest } from '../../schemas/records.ts';
import type { BarredCall } from './barred-call.ts';
import type { CallForm } from './call-form.ts';

export interface CallContext {
  readonly workspace: Workspace;
  /** ms. */
  readonly receivedAt: number;
  /** The route, for example track.v1.event. */
  readonly source: string;
  /** A fresh message id, for a call that brings none. */
  readonly mintMessageId: () => string;
  /** The workspace lets placeholders name people (guards.illegal_identifiers: false). */
  readonly placeholdersAllowed?: boolean;
  /** The workspace lets a phone name people; the country of numbers that do not say theirs. */
  readonly phones?: { readonly country: string | null };
  /** Its user agent says that a program makes it. */
  readonly isBot?: boolean;
  /** The workspace lets what bots do wait for whoever they turn out to be; undefined: it does. */
  readonly botEventsWait?: boolean;
  /** How the workspace wants events kept; undefined: as they are sent. */
  readonly form?: CallForm | undefined;
  /** What the key of the call may not do. */
  readonly barred?: ReadonlySet<BarredCall>;
}

/** A control call but for its number and positions, which the shell gives it with its markers. */
export type ControlRequest = Omit<IdentityRequest, 'request_number' | 'positions'>;

export type Outcome =
  | { readonly type: 'event'; readonly event: CollectedEvent }
  | { readonly type: 'control'; readonly request: ControlRequest }
  | { readonly type: 'dropped'; readonly key: string; readonly dropped: DroppedEvent };

/** What a call that is refused was, as far as it could be read. */
export interface About {
  readonly type: string | null;
  readonly name: string | null;
  readonly messageId: string | null;
  readonly anonymousId: string | null;
  /** As it was sent. */
  readonly identifier: string | null;
}

/** Why a call is not taken, in the API's words. */
export interface Refusal {
  readonly type: 'refused';
  readonly reason: Reason;
  /** Member that is wrong, where there is one. */
  readonly field: string | null;
  readonly message: string;
  /** Of a call in a batch: from 0. */
  readonly batchIndex?: number;
  /** What the call was, for whoever watches the door. */
  readonly about?: About;
}

export type Translation =
  | {
      readonly type: 'accepted';
      readonly outcomes: readonly Outcome[];
      /** Parts that were left out, as strict mode refuses the whole call for them. */
      readonly strictFaults?: readonly Refusal[];
    }
  | Refusal;

/** The one way in for events of every route, so that none is larger than what all behind it can pass on. */
export function accepted(...outcomes: readonly Outcome[]): Translation {
  for (const outcome of outcomes) {
    if (outcome.type !== 'event' || !isTooLarge(outcome.event)) continue;
    const text = `an event cannot be larger than ${String(eventTextBytesMax)} bytes: it has ${String(bytesOf(outcome.event))}`;
    return refused('limit_exceeded', null, text);
  }
  return { type: 'accepted', outcomes };
}

/** A UTF-16 unit takes at most 3 bytes of UTF-8, so most events need no count. */
function isTooLarge({ properties, context }: CollectedEvent): boolean {
  const units = (properties?.length ?? 0) + (context?.length ?? 0);
  if (units * 3 <= eventTextBytesMax) return false;
  return bytesOf({ properties, context }) > eventTextBytesMax;
}

function bytesOf({ properties, context }: Pick<CollectedEvent, 'properties' | 'context'>): number {
  return Buffer.byteLength(properties ?? '') + Buffer.byteLength(context ?? '');
}

export function refused(reason: Reason, field: string | null, message: string): Refusal {
  return { type: 'refused', reason, field, message };
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'refused';
}

/** The parts of an event that its translator has judged. */
export interface EventParts {
  readonly type: CollectedEvent['type'];
  readonly identifier: Identifier | null;
  readonly anonymousId: string | null;
  readonly messageId: string;
  /** ms; undefined: the receive time. */
  readonly timestamp: number | undefined;
  readonly name: string | null;
  readonly properties: string | null;
  readonly context: string | null;
}

export interface IdentifyParts {
  readonly id: string | null;
  readonly email: string | null;
  readonly cioId: string | null;
  readonly updateOnly: boolean;
  /** ms. */
  readonly attributesAt: number | null;
}

const noIdentify: IdentifyParts = {
  id: null,
  email: null,
  cioId: null,
  updateOnly: false,
  attributesAt: null,
};

export function eventOutcome(call: CallContext, parts: EventParts, identify = noIdentify): Outcome {
  const event: CollectedEvent = {
    received_at: call.receivedAt,
    type: parts.type,
    identifier_kind: parts.identifier?.kind ?? 'none',
    identifier: parts.identifier?.value ?? null,
    anonymous_id: parts.anonymousId,
    message_id: parts.messageId,
    timestamp: parts.timestamp ?? call.receivedAt,
    workspace: call.workspace,
    source: call.source,
    name: parts.name,
    id: identify.id,
    email: identify.email,
    cio_id: identify.cioId,
    update_only: identify.updateOnly,
    attributes_at: identify.attributesAt,
    properties: parts.properties,
    context: parts.context,
    bot: call.isBot === true,
    waits: call.isBot !== true || call.botEventsWait !== false,
  };
  return { type: 'event', event };
}

export interface ControlParts {
  readonly messageId: string;
  /** For a merge the primary. */
  readonly identifier: Identifier;
  /** merge: the secondary. */
  readonly other?: Identifier;
  /** Alias: previousId, which may have been a visitor's; then the claim sent before is all that there is to do. */
  readonly anonymousId?: string;
  /** JSON. */
  readonly detail?: string;
}

type ControlKind = 'merge' | 'delete' | 'suppress' | 'unsuppress' | 'split';

export function controlOutcome(call: CallContext, kind: ControlKind, parts: ControlParts): Outcome {
  const { identifier, other } = parts;
  const request = identityRequest({
    kind,
    workspace: call.workspace,
    received_at: call.receivedAt,
    anonymous_id: parts.anonymousId ?? null,
    identifier_kind: identifier.kind,
    identifier: identifier.value,
    message_id: parts.messageId,
    other_kind: other?.kind ?? 'none',
    other: other?.value ?? null,
    detail: parts.detail ?? null,
  });
  return { type: 'control', request };
}

export interface DroppedParts {
  readonly reason: Reason;
  readonly messageId: string | null;
  readonly anonymousId: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A row for what is answered 200 and left out all the same. Its key is the lane where one is known. */
export function droppedOutcome(call: CallContext, parts: DroppedParts): Outcome {
  const { anonymousId, messageId } = parts;
  const key =
    anonymousId === null && messageId === null
      ? call.workspace
      : laneKey(call.workspace, { anonymousId, identifier: null, messageId: messageId ?? '' });
  const dropped = droppedEvent({
    workspace: call.workspace,
    reason: parts.reason,
    stage: 'ingest',
    at: call.receivedAt,
    message_id: messageId,
    anonymous_id: anonymousId,
    detail: JSON.stringify({ source: call.source, ...parts.detail }),
  });
  return { type: 'dropped', key, dropped };
}
