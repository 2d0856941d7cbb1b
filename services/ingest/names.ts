/**
 * What names somebody in a call, and how a page is named, in the form that is kept (schemas/identifiers.ts). What is
 * kept otherwise than it was sent is noted.
 */
import { pageNameBytesMax } from '../../schemas/http/limits.ts';
import {
  canonicalCioId,
  canonicalEmail,
  canonicalName,
  canonicalNumberName,
  isEmailShaped,
} from '../../schemas/identifiers.ts';
import { identifierByShape, type Identifier } from '../../schemas/lanes.ts';
import { isPlaceholder } from '../../schemas/placeholders.ts';
import { e164 } from '../runtime/phone.ts';
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { isRefusal, refused, type Refusal } from './translation.ts';
import { eventNameOr, isLonger, nameFault } from './validate.ts';

/** A name, or a number by its digits, in its form; null for what is absent, null or blank, and for any other value. */
export function nameIn(call: NotedCall, sent: SentObject, field: string): string | null {
  const value = sent.value[field];
  if (typeof value === 'number') {
    const digits = sent.textOf(field) ?? String(value);
    return note(call, field, digits, canonicalNumberName(digits));
  }
  if (typeof value !== 'string') return null;
  const name = canonicalName(value);
  return name === '' ? null : note(call, field, value, name);
}

/** The identifier that a text names by its shape; a cio_id, an email or an id. */
export function byShape(call: NotedCall, field: string, text: string): Identifier | Refusal {
  const identifier = identifierByShape(text);
  noteForm(call, field, text, identifier);
  return nameFault(field, identifier.value) ?? identifier;
}

const FORMS = { id: canonicalName, email: canonicalEmail, cio_id: canonicalCioId } as const;

/** The identifier of a field or path that says its kind. */
export function ofKind(
  call: NotedCall,
  field: string,
  { kind, value: sent }: Identifier,
): Identifier | Refusal {
  const identifier = ofKindLoosely(call, field, { kind, value: sent });
  return isRefusal(identifier) ? identifier : (emailFault(field, identifier) ?? identifier);
}

/** The same for a call that changes nothing of who it names: an email that is none is nobody's, and a row says so. */
export function ofKindLoosely(
  call: NotedCall,
  field: string,
  { kind, value: sent }: Identifier,
): Identifier | Refusal {
  const identifier = { kind, value: FORMS[kind](sent) };
  noteForm(call, field, sent, identifier);
  return nameFault(field, identifier.value) ?? identifier;
}

function emailFault(field: string, { kind, value }: Identifier): Refusal | undefined {
  if (kind !== 'email' || isEmailShaped(value)) return undefined;
  return refused('identifier_illegal', field, `${field} is not an email address`);
}

/** An anonymous id; null when there is none, or one that names nobody. */
export function anonymousIdIn(call: NotedCall, sent: SentObject, field: string): string | null | Refusal {
  const name = nameIn(call, sent, field);
  if (name === null) {
    const value = sent.value[field];
    if (value !== undefined && value !== null && typeof value !== 'string') noteNoName(call, field, value);
    return null;
  }
  const fault = nameFault(field, name);
  if (fault !== undefined) return fault;
  return withoutPlaceholder(call, field, name);
}

/** In E.164, where phones name people in the workspace; undefined for what is no number, and elsewhere. */
export function phoneIn(call: NotedCall, field: string, text: string): string | undefined {
  const phone = call.phones && e164(text, call.phones.country);
  if (phone !== undefined && phone !== text) {
    call.corrections.push({ field, sent: text, kept: phone, why: 'canonical_form' });
  }
  return phone;
}

/** null for a placeholder, unless the workspace lets it name people. */
export function withoutPlaceholder(call: NotedCall, field: string, name: string): string | null {
  if (call.placeholdersAllowed === true || !isPlaceholder(name)) return name;
  call.corrections.push({ field, sent: name, kept: null, why: 'placeholder' });
  return null;
}

/** Beside a visitor's name a placeholder is as if absent; alone it names nobody, and the call is refused. */
export function identifierBeside(
  call: NotedCall,
  field: string,
  identifier: Identifier,
  anonymousId: string | null,
): Identifier | null | Refusal {
  if (withoutPlaceholder(call, field, identifier.value) !== null) return identifier;
  return anonymousId === null ? placeholderRefusal(field, identifier.value) : null;
}

export function placeholderRefusal(field: string, name: string): Refusal {
  return refused('identifier_illegal', field, `${field} ${name} is a placeholder that names nobody`);
}

/**
 * What stands where an email belongs and is none, `grace@shop,example` say: it names nobody, and whoever sent it is to
 * learn so. Empty it takes the email away, which is no news.
 */
export function noteNoEmail(call: NotedCall, field: string, sent: unknown): void {
  if (sent === undefined || sent === null || (typeof sent === 'string' && sent.trim() === '')) return;
  call.strictFaults.push(refused('identifier_illegal', field, `${field} is not an email address`));
  noteNoName(call, field, sent);
}

/** It stands where a name belongs, is none and is left out: a row says so. */
export function noteNoName(call: NotedCall, field: string, sent: unknown): void {
  call.corrections.push({ field, sent, kept: null, why: 'not_a_name' });
}

/** Without white space around it. @param field where it stands. */
export function nameOfEvent(
  call: NotedCall,
  value: unknown,
  kind: 'event' | 'page' | 'screen',
  field: 'name' | 'event' = 'name',
): string | Refusal {
  const name = eventNameOr(value, kind, field);
  return isRefusal(name) || typeof value !== 'string' ? name : note(call, field, value, name);
}

/** The name of a page or screen: a long one is its address without query and fragment, cut at the limit. */
export function viewName(call: NotedCall, kind: 'page' | 'screen', name: string): string {
  if (!isLonger(name, pageNameBytesMax)) return name;
  const kept = cut(kind === 'page' ? withoutQuery(name) : name, pageNameBytesMax);
  call.corrections.push({ field: 'name', sent: name, kept: cut(kept, 200), why: 'long_page_name' });
  return kept;
}

export function isIdentifier(value: Identifier | Refusal | null): value is Identifier {
  return value !== null && !isRefusal(value);
}

function withoutQuery(url: string): string {
  const end = url.search(/[?#]/u);
  return end === -1 ? url : url.slice(0, end);
}

/** So many bytes at most, and no half of a letter. */
function cut(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  const bytes = Buffer.from(text);
  let end = bytesMax;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

function note(call: NotedCall, field: string, sent: string, kept: string): string {
  if (kept !== sent) call.corrections.push({ field, sent, kept, why: 'canonical_form' });
  return kept;
}

/** Lower case of an email is how it is compared, which is no news; and `cio_` says only what the field said. */
function noteForm(call: NotedCall, field: string, sent: string, { kind, value }: Identifier): void {
  const plain = kind === 'email' ? sent.toLowerCase() : sent;
  if (value === plain || (kind === 'cio_id' && value === canonicalCioId(sent) && value.endsWith(sent)))
    return;
  call.corrections.push({ field, sent, kept: value, why: 'canonical_form' });
}
