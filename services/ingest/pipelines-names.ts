/** Whom a Pipelines call names: userId and anonymousId, and what an identify says among its traits. Pure. */
import { canonicalEmail, isEmailShaped } from '../../schemas/identifiers.ts';
import type { Identifier } from '../../schemas/lanes.ts';
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import {
  byShape,
  isIdentifier,
  nameIn,
  noteNoEmail,
  noteNoName,
  ofKind,
  phoneIn,
  withoutPlaceholder,
} from './names.ts';
import { isRefusal, refused, type Refusal } from './translation.ts';

export interface Who {
  readonly userId: Identifier | null;
  readonly anonymousId: string | null;
}

/**
 * A blank userId names nobody: browsers send null, others an empty string. Nor does a placeholder. What cannot be a name
 * costs the call no other name that it has, such as the email of an identify.
 */
export function whoOf(call: NotedCall, body: SentObject, hasEmail: boolean): Who | Refusal {
  const [userId, anonymousId] = [nameOf(call, body, 'userId'), nameOf(call, body, 'anonymousId')];
  if (!isRefusal(userId) && !isRefusal(anonymousId)) {
    return { userId, anonymousId: anonymousId === null ? null : anonymousId.value };
  }
  const names = [userId, anonymousId];
  const faults = names.filter(isRefusal);
  const [fault] = faults;
  if (fault !== undefined && !hasEmail && !names.some(isIdentifier)) return fault;
  for (const each of faults) {
    call.strictFaults.push(each);
    const field = each.field ?? '';
    noteNoName(call, field, body.value[field]);
  }
  return {
    userId: isIdentifier(userId) ? userId : null,
    anonymousId: isIdentifier(anonymousId) ? anonymousId.value : null,
  };
}

/** Of a call that names nobody. A name that was sent and is a placeholder is said to be one. */
export function namesNobody(call: NotedCall, field: string, text: string): Refusal {
  const sent = call.corrections.filter((each) => each.why === 'placeholder' && NAMES.has(each.field));
  const told = sent.map((each) => `${each.field} ${String(each.sent)} is a placeholder that names nobody`);
  const misspelt = call.corrections.filter((each) => each.why === 'misspelt_name');
  const unread = misspelt.map((each) => `${each.field} is not read`);
  return refused('invalid_call', field, [text, ...told, ...unread].join('; '));
}
const NAMES: ReadonlySet<string> = new Set(['userId', 'anonymousId', 'traits.email']);

function nameOf(
  call: NotedCall,
  body: SentObject,
  field: 'userId' | 'anonymousId',
): Identifier | Refusal | null {
  const text = nameIn(call, body, field);
  if (text === null) return null;
  const named =
    field === 'userId' ? byShape(call, field, text) : ofKind(call, field, { kind: 'id', value: text });
  return isRefusal(named) || withoutPlaceholder(call, field, named.value) !== null ? named : null;
}

/** The email among the traits, in its form. One that cannot name anybody is left out: an email is no attribute like others. */
export function emailOf(call: NotedCall, traits: SentObject): string | null {
  const { email } = traits.value;
  if (!isEmail(email)) {
    noteNoEmail(call, 'traits.email', email);
    return null;
  }
  const named = ofKind(call, 'traits.email', { kind: 'email', value: email });
  if (!isRefusal(named)) return named.value;
  call.strictFaults.push(named);
  noteNoName(call, 'traits.email', email);
  return null;
}

export function isEmail(value: unknown): value is string {
  return typeof value === 'string' && isEmailShaped(canonicalEmail(value));
}

/** The phone among the traits, where it names people in the workspace and nothing else names anybody. */
export function phoneOf(call: NotedCall, traits: SentObject): Identifier | null {
  const { phone } = traits.value;
  const value = typeof phone === 'string' ? phoneIn(call, 'traits.phone', phone) : undefined;
  return value === undefined ? null : { kind: 'id', value };
}
