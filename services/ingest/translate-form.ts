/**
 * `POST /api/v1/forms/{form_id}/submit` (spec A.1): the person is identified, claiming what `anonymous_id` did, and
 * then `Form Submitted` says which form it was and with what. Pure.
 */
import { noted, type NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { nameIn, ofKind, placeholderRefusal, withoutPlaceholder } from './names.ts';
import { identify } from './translate-track.ts';
import {
  accepted,
  eventOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Translation,
} from './translation.ts';
import { eventDataOr, nameFault } from './validate.ts';

const KINDS = ['id', 'email'] as const;

/** `path` is decoded. */
export function translateForm(call: CallContext, path: string, body: SentObject): Translation {
  return noted(call, body, (noting) => form(noting, path, body));
}

function form(call: NotedCall, path: string, body: SentObject): Translation {
  const formId = path.trim();
  if (formId !== path) {
    call.corrections.push({ field: 'form_id', sent: path, kept: formId, why: 'canonical_form' });
  }
  const fault = nameFault('form_id', formId);
  if (fault !== undefined) return fault;
  const data = body.object('data');
  if (data === undefined) return refused('invalid_call', 'data', 'data must be an object');
  const named = KINDS.filter((kind) => nameIn(call, data, kind) !== null);
  const [kind] = named;
  if (kind === undefined || named.length > 1) {
    return refused('invalid_call', 'data', 'data must have exactly one of id and email');
  }
  const identifier = ofKind(call, kind, { kind, value: nameIn(call, data, kind) ?? '' });
  if (isRefusal(identifier)) return identifier;
  if (withoutPlaceholder(call, kind, identifier.value) === null)
    return placeholderRefusal(kind, identifier.value);
  const text = eventDataOr(body, 'data');
  if (isRefusal(text)) return text;
  const others = KINDS.filter((other) => other !== kind && Object.hasOwn(data.value, other));
  // A number names somebody by its digits, and among attributes an id is a text.
  const digits = typeof data.value[kind] === 'number' ? { [kind]: identifier.value } : {};
  const attributes = data.amended(others, digits);
  const person = identify(call, { identifier, attributes, sent: data, timestamp: undefined });
  if (isRefusal(person)) return person;
  const submitted = eventOutcome(call, {
    type: 'event',
    identifier,
    anonymousId: null,
    messageId: call.mintMessageId(),
    timestamp: undefined,
    name: 'Form Submitted',
    properties: `{"form_id":${JSON.stringify(formId)},"data":${text ?? '{}'}}`,
    context: null,
  });
  return accepted(...person.outcomes, submitted);
}
