/**
 * JSON as the client wrote it. Values are parsed to be judged, but what is stored is the client's own text, sliced from
 * the body: a number of 30 digits, `1.0`, `-0` and the order of members survive, which parsing and writing again loses.
 * One repair: the escape of a lone surrogate becomes \ufffd, since readers behind us refuse the whole document over it.
 * All functions but `readJson` take text that JSON.parse has accepted.
 */
import { isUtf8 } from 'node:buffer';
import { nestingMax } from '../../schemas/http/limits.ts';
import { assert } from '../runtime/errors.ts';
import { jsonFaultPlace } from '../runtime/json-fault.ts';
import { elementsOf, ObjectSpan, skipSpace, type Span } from './json-spans.ts';
import { withoutNotNumbers } from './not-numbers.ts';

export type ReadJson =
  | {
      readonly type: 'object';
      readonly sent: SentObject;
      /** Where NaN or an infinity stood and null is read, when it was asked to read these. */
      readonly unread: readonly number[];
    }
  | { readonly type: 'malformed'; readonly message: string };

/** What was sent, or what is put in the place of a part of it. */
interface Source {
  readonly text: string;
  /** Most texts have none, which is found out once for all of their parts. */
  readonly hasSurrogateEscapes: boolean;
}

function sourceOf(text: string): Source {
  return { text, hasSurrogateEscapes: SURROGATE_ESCAPE.test(text) };
}

const nothingGiven: ReadonlyMap<string, string> = new Map();
const asSent: Amendment = { given: nothingGiven, isAmended: false };

interface Amendment {
  /** Members whose text is another than the client's. */
  readonly given: ReadonlyMap<string, string>;
  /** Its members are not those of its text. */
  readonly isAmended: boolean;
}

/** A JSON object: its parsed members beside their exact text. */
export class SentObject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly #source: Source;
  readonly #start: number;
  readonly #end: number;
  readonly #amendment: Amendment;
  #members: ObjectSpan | undefined;

  constructor(
    value: Readonly<Record<string, unknown>>,
    source: Source,
    span: Span | ObjectSpan,
    amendment = asSent,
  ) {
    this.value = value;
    this.#source = source;
    this.#start = span.start;
    this.#end = span.end;
    this.#amendment = amendment;
    this.#members = span instanceof ObjectSpan ? span : undefined;
  }

  /** The whole object, well-formed. */
  get text(): string {
    if (!this.#amendment.isAmended) return this.#cut(this.#start, this.#end);
    const members = Object.keys(this.value).map(
      (key) => `${JSON.stringify(key)}:${this.textOf(key) ?? 'null'}`,
    );
    return wellFormed(`{${members.join(',')}}`);
  }

  /** More bytes than this, as it was sent. A UTF-16 unit takes at most 3 of UTF-8, so most need no count. */
  isLonger(bytesMax: number): boolean {
    const units = this.#end - this.#start;
    return units > bytesMax || (units * 3 > bytesMax && this.bytes > bytesMax);
  }

  /** Bytes of the whole object as sent. */
  get bytes(): number {
    return Buffer.byteLength(this.#source.text.slice(this.#start, this.#end));
  }

  /** Halves of surrogate pairs stand in it, which its text has as \ufffd. */
  get hasHalves(): boolean {
    if (!this.#source.hasSurrogateEscapes) return false;
    const source = this.#source.text.slice(this.#start, this.#end);
    return wellFormed(source) !== source;
  }

  /** Exact text of a member; undefined when there is none. */
  textOf(key: string): string | undefined {
    const given = this.#amendment.given.get(key);
    if (given !== undefined) return given;
    const span = this.#spanOf(key);
    return span === undefined ? undefined : this.#cut(span.start, span.end);
  }

  object(key: string): SentObject | undefined {
    const value = this.value[key];
    if (!isObject(value)) return undefined;
    const given = this.#amendment.given.get(key);
    if (given !== undefined) return new SentObject(value, sourceOf(given), { start: 0, end: given.length });
    const span = this.#spanOf(key);
    return span === undefined ? undefined : new SentObject(value, this.#source, span);
  }

  /** `object(key)?.text`, without an object for it. */
  objectText(key: string): string | undefined {
    if (this.#amendment.given.has(key)) return this.object(key)?.text;
    return isObject(this.value[key]) ? this.textOf(key) : undefined;
  }

  /** Elements of a list; undefined in the place of one that is not an object. */
  objects(key: string): (SentObject | undefined)[] {
    const span = this.#spanOf(key);
    const values = this.value[key];
    if (span === undefined || !Array.isArray(values)) return [];
    const spans = elementsOf(this.#source.text, span.start);
    return values.map((value: unknown, index) => {
      const at = spans[index];
      return at !== undefined && isObject(value) ? new SentObject(value, this.#source, at) : undefined;
    });
  }

  /** Exact text of each element of a list. */
  textsOf(key: string): string[] {
    const span = this.#spanOf(key);
    if (span === undefined || !Array.isArray(this.value[key])) return [];
    const { text } = this.#source;
    return elementsOf(text, span.start).map(({ start, end }) => text.slice(start, end));
  }

  /** The same without some members, and with others whose value is this one. What is not named keeps its text. */
  amended(without: readonly string[], given: Readonly<Record<string, unknown>> = {}): SentObject {
    const left = new Set(without);
    const before = Object.entries(this.value);
    const entries = before.filter(([key]) => !left.has(key) && !Object.hasOwn(given, key));
    const texts = new Map([...this.#amendment.given].filter(([key]) => !left.has(key)));
    for (const [key, value] of Object.entries(given)) texts.set(key, JSON.stringify(value));
    const value = Object.fromEntries([...entries, ...Object.entries(given)]);
    const isAmended = this.#amendment.isAmended || texts.size > 0 || entries.length < before.length;
    return new SentObject(value, this.#source, this.span, { given: texts, isAmended });
  }

  /** The same with another object in the place of a member. */
  replaced(key: string, by: SentObject): SentObject {
    return this.#with(key, by.value, by.text);
  }

  /** The same with a member whose value has this text, which must be JSON. */
  withText(key: string, text: string): SentObject {
    return this.#with(key, JSON.parse(text), text);
  }

  /** Where it stands in the body, for what the body's reader found there. */
  get span(): Span {
    return { start: this.#start, end: this.#end };
  }

  #with(key: string, member: unknown, text: string): SentObject {
    const given = new Map(this.#amendment.given).set(key, text);
    return new SentObject({ ...this.value, [key]: member }, this.#source, this.span, {
      given,
      isAmended: true,
    });
  }

  #cut(start: number, end: number): string {
    const text = this.#source.text.slice(start, end);
    return this.#source.hasSurrogateEscapes ? wellFormed(text) : text;
  }

  #spanOf(key: string): Span | undefined {
    if (!Object.hasOwn(this.value, key)) return undefined;
    this.#members ??= new ObjectSpan(this.#source.text, this.#start);
    return this.#members.valueOf(key);
  }
}

/** @param text of a JSON object, as `SentObject.text` gives it. */
export function objectIn(text: string): SentObject {
  const value: unknown = JSON.parse(text);
  assert(isObject(value), 'the text of an object is one');
  return new SentObject(value, sourceOf(text), { start: 0, end: text.length });
}

export const emptyObject = new SentObject(
  {},
  { text: '{}', hasSurrogateEscapes: false },
  { start: 0, end: 2 },
);

/**
 * A body that must be a JSON object; an empty one counts as `{}`. `lenient`: numbers that JSON does not have are null, as
 * Python's and other writers print them unasked.
 */
export function readJson(bytes: Uint8Array, { lenient = false } = {}): ReadJson {
  if (bytes.length === 0) return { type: 'object', sent: emptyObject, unread: [] };
  if (!isUtf8(bytes)) return malformed('the body is not UTF-8');
  let source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  let unread: readonly number[] = [];
  let value = parsed(source);
  if (value === undefined && lenient) {
    ({ text: source, at: unread } = withoutNotNumbers(source));
    if (unread.length > 0) value = parsed(source);
  }
  if (value === undefined) {
    return malformed(`the body is not valid JSON${unread.length > 0 ? '' : jsonFaultPlace(source)}`);
  }
  if (!isObject(value)) return malformed('the body must be a JSON object');
  // It is one object and white space, by the grammar.
  const span = new ObjectSpan(source, skipSpace(source, 0));
  if (span.depth > nestingMax) {
    return malformed(`the body is nested deeper than ${String(nestingMax)} levels`);
  }
  return { type: 'object', sent: new SentObject(value, sourceOf(source), span), unread };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch {
    return undefined;
  }
}

function malformed(message: string): ReadJson {
  return { type: 'malformed', message };
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
/** A pair of escapes, a lone one, or any other escape (taken whole, so that an escaped backslash is not misread). */
const ESCAPES =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\[^]/g;
const LONE_ESCAPE_LENGTH = 6;

function wellFormed(text: string): string {
  if (!SURROGATE_ESCAPE.test(text)) return text;
  return text.replace(ESCAPES, (escape) => (escape.length === LONE_ESCAPE_LENGTH ? '\\ufffd' : escape));
}
