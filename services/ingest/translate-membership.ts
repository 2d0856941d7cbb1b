/**
 * `POST /api/v1/segments/{id}/add_customers` and `…/remove_customers` (spec A.1): who is put into a manual segment, and
 * who is taken out. Values that are not of the kind that the call names are left out, with a row. Pure.
 */
import { membershipBytesMax, membershipIdsMax } from '../../schemas/http/limits.ts';
import { identityRequest } from '../../schemas/identity-request.ts';
import type { IdentifierKind } from '../../schemas/lanes.ts';
import { membershipText, type MembershipAction } from '../../schemas/membership.ts';
import { canonicalEmail, canonicalNumberName, isEmailShaped } from '../../schemas/identifiers.ts';
import type { SegmentType } from '../runtime/segment-type.ts';
import { noted, type NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { noteNoName, ofKind } from './names.ts';
import { accepted, isRefusal, refused, type CallContext, type Translation } from './translation.ts';
import { textFault } from './validate.ts';

export interface MembershipTarget {
  readonly segmentId: string;
  /** Of the segment; undefined: there is none. */
  readonly type: SegmentType | undefined;
  readonly action: MembershipAction;
  /** `id_type` of the query; absent for id. */
  readonly idType: unknown;
}

const KINDS: readonly IdentifierKind[] = ['id', 'email', 'cio_id'];

export function translateMembership(
  call: CallContext,
  target: MembershipTarget,
  body: SentObject,
): Translation {
  return noted(call, body, (noting) => translate(noting, target, body));
}

function translate(call: NotedCall, target: MembershipTarget, body: SentObject): Translation {
  const { segmentId, type, action, idType = 'id' } = target;
  const kind = KINDS.find((each) => each === idType);
  if (kind === undefined) return refused('invalid_call', 'id_type', 'id_type must be id, email or cio_id');
  if (type === undefined)
    return refused('segment_unknown', 'segment_id', `segment ${segmentId} does not exist`);
  if (type !== 'manual') {
    const text = `segment ${segmentId} is data-driven: its rule alone says who is in it`;
    return refused('invalid_call', 'segment_id', text);
  }
  const { ids } = body.value;
  if (!Array.isArray(ids) || ids.length === 0) {
    return refused('invalid_call', 'ids', 'ids must be a list of at least one identifier');
  }
  if (ids.length > membershipIdsMax) {
    const text = `ids cannot hold more than ${String(membershipIdsMax)} identifiers: send them in several calls`;
    return refused('limit_exceeded', 'ids', text);
  }
  const values = new Set<string>();
  const texts = body.textsOf('ids');
  ids.forEach((sent: unknown, index) => {
    const text = typeof sent === 'number' ? texts[index] : sent;
    const named = typeof sent === 'number' ? canonicalNumberName(texts[index] ?? '') : sent;
    const value = valueOf(call, kind, named);
    if (value !== null && typeof sent === 'number' && value !== text) {
      const field = `ids.${String(index)}`;
      call.corrections.push({ field, sent: text, kept: value, why: 'canonical_form' });
    }
    if (value === null) {
      noteNoName(call, `ids.${String(index)}`, sent);
    } else values.add(value);
  });
  if (values.size === 0) return accepted(); // as documented: what is of another type is ignored
  const detail = membershipText({ segment_id: segmentId, action, kind, values: [...values] });
  const fault = textFault('a call about a segment', detail, membershipBytesMax);
  if (fault !== undefined) return fault;
  const request = identityRequest({
    kind: 'membership',
    workspace: call.workspace,
    received_at: call.receivedAt,
    message_id: call.mintMessageId(),
    detail,
  });
  return accepted({ type: 'control', request });
}

/** Null for what cannot be an identifier of the kind. A number is the text of its digits by now. */
function valueOf(call: NotedCall, kind: IdentifierKind, sent: unknown): string | null {
  if (typeof sent !== 'string' || sent.trim() === '') return null;
  if (kind === 'email' && !isEmailShaped(canonicalEmail(sent))) return null;
  const identifier = ofKind(call, 'ids', { kind, value: sent });
  return isRefusal(identifier) ? null : identifier.value;
}
