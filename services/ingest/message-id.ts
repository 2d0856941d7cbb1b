/**
 * The message id that a client sent, by which repeats are recognised: text as it is, a number by its digits. A long one is
 * replaced by its digest, so that repeats still match. Pure.
 */
import { createHash } from 'node:crypto';
import { toUSVString } from 'node:util';
import type { CorrectionCode } from '../../schemas/correction-codes.ts';
import { messageIdBytesMax } from '../../schemas/http/limits.ts';
import { canonicalNumber } from '../../schemas/json-numbers.ts';
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { isLonger } from './validate.ts';

/** What the call brought; a fresh one for a call that brought none, or what cannot be one. */
export function messageIdIn(call: NotedCall, sent: SentObject, field: string): string {
  const value = sent.value[field];
  const kept = sentMessageId(sent, field);
  const written = typeof value === 'number' ? sent.textOf(field) : value;
  const isAbsent =
    value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
  if (!isAbsent && kept !== written) {
    call.corrections.push({ field, sent: value, kept: kept ?? null, why: whyOther(value, kept) });
  }
  return kept ?? call.mintMessageId();
}

/** undefined when none was sent. */
export function sentMessageId(sent: SentObject, field: string): string | undefined {
  const value = sent.value[field];
  const text = typeof value === 'number' ? canonicalNumber(sent.textOf(field) ?? String(value)) : value;
  return typeof text !== 'string' || text.trim() === '' ? undefined : storedMessageId(text);
}

/** As it is kept: well-formed Unicode, and no longer than a message id may be. */
export function storedMessageId(text: string): string {
  const id = toUSVString(text);
  if (!isLonger(id, messageIdBytesMax)) return id;
  return `sha256-${createHash('sha256').update(id).digest('hex')}`;
}

function whyOther(value: unknown, kept: string | undefined): CorrectionCode {
  if (kept === undefined) return 'not_a_name';
  if (typeof value === 'number') return 'canonical_form';
  return kept.startsWith('sha256-') ? 'long_message_id' : 'not_unicode';
}
