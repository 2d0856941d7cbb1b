/** The rules of single values, with the texts that Customer.io documents for them (spec A.0, *Limits* and texts). */
import { createHash } from 'node:crypto';
import { toUSVString } from 'node:util';
import type { Validator } from 'typebox/compile';
import {
  attributeNameBytesMax,
  attributesMax,
  attributeValueBytesMax,
  eventDataBytesMax,
  eventNameBytesMax,
  identifierBytesMax,
  messageIdBytesMax,
  pageNameBytesMax,
  timestampMsMax,
  timestampMsMin,
} from '../../schemas/http/limits.ts';
import { canonicalIdentifier, type Identifier } from '../../schemas/lanes.ts';
import type { SentObject } from './json-text.ts';
import { refused, type Refusal } from './translation.ts';

/** Texts for members that are missing or of the wrong type. */
export type Texts = Readonly<Record<string, string>>;

/** Undefined when the value fits the schema, else the refusal for its first fault. */
export function shapeFault(validator: Pick<Validator, 'Check' | 'Errors'>, value: unknown, texts: Texts) {
  if (validator.Check(value)) return undefined;
  const fault = validator.Errors(value)[0];
  const missing =
    fault?.keyword === 'required'
      ? (fault.params as { requiredProperties?: string[] }).requiredProperties?.[0]
      : '';
  const field = missing === '' || missing === undefined ? (fault?.instancePath.split('/')[1] ?? '') : missing;
  const text = texts[field] ?? `${field === '' ? 'the call' : field} ${fault?.message ?? 'is not valid'}`;
  return refused('invalid_call', field === '' ? null : field, text);
}

/** What can name a visitor or a person: not empty, no NUL, no half of a surrogate pair, and short enough. */
export function nameFault(field: string, value: string): Refusal | undefined {
  if (value === '') return refused('invalid_call', field, `${field} attribute cannot be an empty string`);
  if (value.includes('\0') || toUSVString(value) !== value) {
    return refused('identifier_illegal', field, `${field} contains characters that are not allowed`);
  }
  if (isLonger(value, identifierBytesMax)) return tooLong(field, identifierBytesMax);
  return undefined;
}

export function identifierOr(field: string, identifier: Identifier): Identifier | Refusal {
  return nameFault(field, canonicalIdentifier(identifier).value) ?? identifier;
}

/** An anonymous id as text; null when there is none. A number is taken in the digits that were sent. */
export function anonymousIdOf(sent: SentObject, field: string): string | null | Refusal {
  const text = textOrNumber(sent, field);
  if (text === null) return null;
  return nameFault(field, text) ?? text;
}

/** A string, or a number in the digits that were sent; null for what is absent, null or blank. */
export function textOrNumber(sent: SentObject, field: string): string | null {
  const value = sent.value[field];
  if (typeof value === 'number') return sent.textOf(field) ?? String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** Trimmed. `what` begins the text of a refusal: `event name`. */
export function eventNameOr(value: unknown, kind: 'event' | 'page' | 'screen'): string | Refusal {
  if (typeof value !== 'string' || value.trim() === '') {
    return refused('invalid_call', 'name', `${kind} name must not be blank`);
  }
  const name = toUSVString(value.trim());
  const bytesMax = kind === 'event' ? eventNameBytesMax : pageNameBytesMax;
  return isLonger(name, bytesMax) ? tooLong(`${kind} name`, bytesMax, 'name') : name;
}

/** The text of an event's data, or null when none was sent. */
export function eventDataOr(sent: SentObject, field: string): string | null | Refusal {
  const data = sent.object(field);
  if (data === undefined) return null;
  const text = data.text;
  return isLonger(text, eventDataBytesMax) ? tooLong('event data', eventDataBytesMax, field) : text;
}

/** Members of an identify that are not attributes. */
const CONTROLS = new Set(['id', 'anonymous_id', '_update', '_timestamp', 'cio_relationships']);

export function attributesFault(attributes: SentObject): Refusal | undefined {
  const names = Object.keys(attributes.value).filter((name) => !CONTROLS.has(name));
  if (names.length > attributesMax) {
    const text = `cannot identify more than ${String(attributesMax)} attributes in one request`;
    return refused('limit_exceeded', null, text);
  }
  for (const name of names) {
    if (isLonger(name, attributeNameBytesMax)) return tooLong('attribute name', attributeNameBytesMax, name);
    const value = attributes.value[name];
    const text = typeof value === 'number' ? (attributes.textOf(name) ?? '') : value;
    if (typeof text === 'string' && isLonger(text, attributeValueBytesMax)) {
      return tooLong(`value for attribute '${name}'`, attributeValueBytesMax, name);
    }
  }
  return undefined;
}

/** The client's message id, undefined when it sent none. A long one is replaced by its digest: repeats still match. */
export function sentMessageId(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  const id = toUSVString(text);
  if (!isLonger(id, messageIdBytesMax)) return id;
  return `sha256-${createHash('sha256').update(id).digest('hex')}`;
}

/** Track's unix seconds as ms; undefined for what is not a time, which then counts as absent. */
export function fromUnixSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
  return within(Math.round(seconds * 1_000));
}

const ISO_8601 =
  /^[+-]?\d{4,6}-\d{2}(-\d{2})?([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/** Pipelines' ISO 8601 as ms; undefined for what is not a time, which then counts as absent. Without a zone: UTC. */
export function fromIso8601(value: unknown): number | undefined {
  if (typeof value !== 'string' || !ISO_8601.test(value)) return undefined;
  const text = value.replace(' ', 'T').replace(',', '.').toUpperCase();
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text.slice(text.indexOf('T') + 1)) || !text.includes('T');
  const time = Date.parse((zoned ? text : `${text}Z`).replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(time) ? undefined : within(time);
}

function within(time: number): number {
  return Math.min(Math.max(time, timestampMsMin), timestampMsMax);
}

/** A UTF-16 unit takes at most 3 bytes of UTF-8, so most texts need no count. */
function isLonger(text: string, bytesMax: number): boolean {
  return text.length > bytesMax || (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax);
}

function tooLong(what: string, bytesMax: number, field: string = what): Refusal {
  return refused('limit_exceeded', field, `${what} cannot be longer than ${String(bytesMax)} bytes`);
}
