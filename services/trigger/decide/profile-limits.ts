/**
 * What a person may have together, counted as it is published: as JSON in UTF-8, where a control character takes six
 * bytes. A profile is one record of people.changed, so without a bound of its own a person grows past what a record may
 * be, call by call, each of them within every documented limit. Pure.
 */
import { attributeValueBytesMax } from '../../../schemas/http/limits.ts';
import type { JsonObject } from '../../rules/paths.ts';
import type { Written } from './written.ts';

/** Attributes of a person, removed ones included (spec A.0, *Limits*: 300 for a person). */
export const attributesMax = 600;
/** Ours: names and values of all attributes of a person. */
export const profileBytesMax = 256 * 1_024;

/** A UTF-16 unit takes at most three bytes, and six as an escape in JSON. */
const UNIT_BYTES_MAX = 6;
/** A number or a boolean, and what stands around a name and its value. */
const REST_BYTES_MAX = 40;

type Attributes = Readonly<Record<string, Written>>;

/** A list or an object is a value too, and counts as its text. */
export function isValueTooLong(value: unknown): boolean {
  if (typeof value === 'string') return isLonger(value);
  return typeof value === 'object' && value !== null && isLonger(JSON.stringify(value));
}

function isLonger(text: string): boolean {
  if (text.length * 3 <= attributeValueBytesMax) return false;
  return text.length > attributeValueBytesMax || Buffer.byteLength(text) > attributeValueBytesMax;
}

/**
 * What a call may still write. Nothing is measured before a value is another than it was, and exactly only where the call
 * may come near the bound; so most calls cost nothing, and most others a sum.
 */
export class ProfileRoom {
  readonly #before: Attributes;
  readonly #moreAtMost: () => number;
  #attributes: number | undefined;
  /** undefined: far from the bound, whatever the call writes. */
  #bytes: number | undefined;

  /** @param moreAtMost bytes of all that the call may write. */
  constructor(before: Attributes, moreAtMost: () => number) {
    this.#before = before;
    this.#moreAtMost = moreAtMost;
  }

  /** Takes the room for this value; false when there is none. One that takes no more than before always fits. */
  takes(name: string, value: unknown, old: unknown): boolean {
    if (isValueTooLong(value)) return false;
    const attributes = this.#attributes ?? this.#measure();
    if (old === undefined && attributes >= attributesMax) return false;
    if (this.#bytes !== undefined) {
      const more = entryBytes(name, value) - (old === undefined ? 0 : entryBytes(name, old));
      if (more > 0 && this.#bytes + more > profileBytesMax) return false;
      this.#bytes += more;
    }
    this.#attributes = old === undefined ? attributes + 1 : attributes;
    return true;
  }

  #measure(): number {
    let [attributes, atMost] = [0, this.#moreAtMost()];
    for (const name in this.#before) {
      attributes += 1;
      atMost += entryBytesAtMost(name, this.#before[name]?.value);
    }
    if (atMost > profileBytesMax) this.#bytes = bytesOf(this.#before);
    return attributes;
  }
}

/** As published, and for what was removed as if it were. */
export function bytesOf(attributes: Attributes): number {
  return Object.entries(attributes).reduce((sum, [name, { value }]) => sum + entryBytes(name, value), 0);
}

function entryBytes(name: string, value: unknown): number {
  return Buffer.byteLength(JSON.stringify(name)) + Buffer.byteLength(JSON.stringify(value)) + 2;
}

/** At most what these take, without writing them. */
export function bytesAtMost(values: JsonObject): number {
  let sum = 0;
  for (const name in values) sum += entryBytesAtMost(name, values[name]);
  return sum;
}

function entryBytesAtMost(name: string, value: unknown): number {
  const rest = UNIT_BYTES_MAX * name.length + REST_BYTES_MAX;
  if (typeof value === 'string') return rest + UNIT_BYTES_MAX * value.length;
  return typeof value === 'object' && value !== null ? rest + Buffer.byteLength(JSON.stringify(value)) : rest;
}
