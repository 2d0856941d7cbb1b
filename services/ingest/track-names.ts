/** Whom a Track call names: the path, the identifiers of an operation, the sides of a merge, members among attributes. */
import { canonicalEmail, canonicalName, isEmailShaped } from '../../schemas/identifiers.ts';
import type { Identifier } from '../../schemas/lanes.ts';
import type { NotedCall } from './corrections.ts';
import { emptyObject, type SentObject } from './json-text.ts';
import {
  anonymousIdIn,
  byShape,
  identifierBeside,
  nameIn,
  noteNoEmail,
  noteNoName,
  ofKind,
  ofKindLoosely,
  phoneIn,
  placeholderRefusal,
  withoutPlaceholder,
} from './names.ts';
import { isRefusal, refused, type Refusal } from './translation.ts';

export interface Who {
  readonly identifier: Identifier | null;
  readonly anonymousId: string | null;
}

const V2_KINDS = { id: 'id', email: 'email', cio_id: 'cio_id', phone: 'id' } as const;

/** Exactly one of id, email, phone (an id to us) and cio_id, or an anonymous_id, or that beside one of them. */
export function identifiersOf(
  call: NotedCall,
  operation: SentObject,
  /** A person of that name may be there from when it was allowed, and is to be deleted. */
  isControl: boolean,
): Who | Refusal {
  const identifiers = operation.object('identifiers');
  if (identifiers === undefined)
    return refused('invalid_call', 'identifiers', 'id attribute must be present');
  const anonymousId = anonymousIdIn(call, identifiers, 'anonymous_id');
  if (isRefusal(anonymousId)) return anonymousId;
  const present = kindsIn(identifiers, V2_KINDS);
  if (present.length > 1) return refused('invalid_call', 'identifiers', 'only one identifier can be given');
  const [field] = present;
  if (field === undefined) {
    if (anonymousId !== null) return { identifier: null, anonymousId };
    return refused('invalid_call', 'identifiers', 'id attribute must be present');
  }
  const identifier = identifierIn(call, identifiers, { field, kind: V2_KINDS[field] });
  if (isRefusal(identifier)) return identifier;
  if (isControl && anonymousId === null) return { identifier, anonymousId };
  const named = identifierBeside(call, field, identifier, anonymousId);
  return isRefusal(named) ? named : { identifier: named, anonymousId };
}

const V1_KINDS = { id: 'id', email: 'email', cio_id: 'cio_id' } as const;

export function sideOf(
  call: NotedCall,
  body: SentObject,
  side: 'primary' | 'secondary',
): Identifier | Refusal {
  const identifiers = body.object(side) ?? emptyObject;
  const [field, ...more] = kindsIn(identifiers, V1_KINDS);
  if (field === undefined || more.length > 0) {
    return refused('invalid_call', side, `${side} must have exactly one of id, email or cio_id`);
  }
  return identifierIn(call, identifiers, { field, kind: V1_KINDS[field] }, ofKindLoosely);
}

/** Whom a call names beside what it is about: one of id, email and cio_id at most. */
export function namedBeside(call: NotedCall, body: SentObject): Identifier | null | Refusal {
  const [field, ...more] = kindsIn(body, V1_KINDS);
  if (more.length > 0) return refused('invalid_call', 'id', 'only one identifier can be given');
  return field === undefined ? null : identifierIn(call, body, { field, kind: V1_KINDS[field] });
}

function kindsIn<Field extends string>(sent: SentObject, kinds: Readonly<Record<Field, unknown>>): Field[] {
  const fields = Object.keys(kinds) as Field[]; // the keys of a record of Field
  return fields.filter((field) => sent.value[field] !== undefined && sent.value[field] !== null);
}

function identifierIn(
  call: NotedCall,
  sent: SentObject,
  { field, kind }: { readonly field: string; readonly kind: Identifier['kind'] },
  checked: typeof ofKind = ofKind,
): Identifier | Refusal {
  const value = sent.value[field];
  if (typeof value !== 'string' && typeof value !== 'number') {
    return refused('invalid_call', field, `${field} attribute must be a string value`);
  }
  const text = typeof value === 'number' ? (nameIn(call, sent, field) ?? '') : value;
  const phone = field === 'phone' ? phoneIn(call, field, text) : undefined;
  return checked(call, field, { kind, value: phone ?? text });
}

export function pathIdentifier(call: NotedCall, path: string): Identifier | Refusal {
  if (path === '') return refused('invalid_call', 'id', 'id attribute must be present');
  return byShape(call, 'id', path);
}

/** Of a call about a person whom nothing but its path names. */
export function pathPerson(call: NotedCall, path: string): Identifier | Refusal {
  const identifier = pathIdentifier(call, path);
  if (isRefusal(identifier) || withoutPlaceholder(call, 'id', identifier.value) !== null) return identifier;
  return placeholderRefusal('id', identifier.value);
}

/** An identifier among the attributes; null when absent, or what cannot name anybody, which costs no more than itself. */
export function bodyIdentifier(
  call: NotedCall,
  kind: Identifier['kind'],
  value: unknown,
): string | null | Refusal {
  if (kind === 'email' && !(typeof value === 'string' && isEmailShaped(canonicalEmail(value)))) {
    noteNoEmail(call, kind, value);
    return null;
  }
  if (typeof value !== 'string') {
    if (value !== undefined && value !== null) noteNoName(call, kind, value);
    return null;
  }
  if (kind === 'cio_id' && canonicalName(value) === '') return null;
  const checked = ofKind(call, kind, { kind, value });
  return isRefusal(checked) ? checked : withoutPlaceholder(call, kind, checked.value);
}
