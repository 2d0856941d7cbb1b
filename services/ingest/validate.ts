/** The rules of single values, with the texts that Customer.io documents for them (spec A.0, *Limits* and texts). */
import { toUSVString } from 'node:util';
import type { Validator } from 'typebox/compile';
import {
  attributeNameBytesMax,
  attributesMax,
  attributeValueBytesMax,
  eventDataBytesMax,
  eventNameBytesMax,
  identifierBytesMax,
} from '../../schemas/http/limits.ts';
import { ownText } from '../../schemas/own-text.ts';
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

/** Free text of ours: only its size matters. */
export function textFault(what: string, text: string, bytesMax: number): Refusal | undefined {
  return isLonger(text, bytesMax) ? tooLong(what, bytesMax) : undefined;
}

/** Trimmed. `what` begins the text of a refusal: `event name`. A page's and a screen's are cut (names.ts). */
export function eventNameOr(
  value: unknown,
  kind: 'event' | 'page' | 'screen',
  field: string,
): string | Refusal {
  if (typeof value !== 'string' || value.trim() === '') {
    return refused('invalid_call', field, `${kind} name must not be blank`);
  }
  const name = toUSVString(ownText(value.trim(), value));
  if (kind !== 'event') return name;
  return isLonger(name, eventNameBytesMax) ? tooLong('event name', eventNameBytesMax, field) : name;
}

/** The text of an event's data, or null when none was sent. */
export function eventDataOr(sent: SentObject, field: string): string | null | Refusal {
  const text = sent.objectText(field);
  if (text === undefined) return null;
  return isLonger(text, eventDataBytesMax) ? tooLong('event data', eventDataBytesMax, field) : text;
}

/** Members of an identify that are not attributes. */
const CONTROLS = new Set(['id', 'anonymous_id', '_update', '_timestamp', 'cio_relationships']);

export function attributesFault(attributes: SentObject): Refusal | undefined {
  return attributeFaults(attributes)[0]?.fault;
}

/** Each with the names that a caller who takes the rest leaves out. */
export function attributeFaults(
  attributes: SentObject,
): { readonly names: readonly string[]; readonly fault: Refusal }[] {
  const names = Object.keys(attributes.value).filter((name) => !CONTROLS.has(name));
  const faults = names.flatMap((name) => {
    const fault = attributeFault(attributes, name);
    return fault === undefined ? [] : [{ names: [name], fault }];
  });
  const long = new Set(faults.map(({ names: [name] }) => name));
  const beyond = names.filter((name) => !long.has(name)).slice(attributesMax);
  if (names.length <= attributesMax) return faults;
  const text = `cannot identify more than ${String(attributesMax)} attributes in one request`;
  return [{ names: beyond, fault: refused('limit_exceeded', null, text) }, ...faults];
}

function attributeFault(attributes: SentObject, name: string): Refusal | undefined {
  if (isLonger(name, attributeNameBytesMax)) return tooLong('attribute name', attributeNameBytesMax, name);
  const value = attributes.value[name];
  const text = typeof value === 'number' ? (attributes.textOf(name) ?? '') : value;
  if (typeof text === 'string' && isLonger(text, attributeValueBytesMax)) {
    return tooLong(`value for attribute '${name}'`, attributeValueBytesMax, name);
  }
  return undefined;
}

/** A UTF-16 unit takes at most 3 bytes of UTF-8, so most texts need no count. */
export function isLonger(text: string, bytesMax: number): boolean {
  return text.length > bytesMax || (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax);
}

function tooLong(what: string, bytesMax: number, field: string = what): Refusal {
  return refused('limit_exceeded', field, `${what} cannot be longer than ${String(bytesMax)} bytes`);
}
