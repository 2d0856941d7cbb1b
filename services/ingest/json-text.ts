/**
 * JSON as the client wrote it. Values are parsed to be judged, but what is stored is the client's own text, sliced from
 * the body: a number of 30 digits, `1.0`, `-0` and the order of members survive, which parsing and writing again loses.
 * One repair: the escape of a lone surrogate becomes \ufffd, since readers behind us refuse the whole document over it.
 * All functions but `readJson` take text that JSON.parse has accepted.
 */
import { isUtf8 } from 'node:buffer';
import { nestingMax } from '../../schemas/http/limits.ts';
import { assert } from '../runtime/errors.ts';
import { withoutNotNumbers } from './not-numbers.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

export type ReadJson =
  | {
      readonly type: 'object';
      readonly sent: SentObject;
      /** Where NaN or an infinity stood and null is read, when it was asked to read these. */
      readonly unread: readonly number[];
    }
  | { readonly type: 'malformed'; readonly message: string };

const nothingGiven: ReadonlyMap<string, string> = new Map();

/** A JSON object: its parsed members beside their exact text. */
export class SentObject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly #source: string;
  readonly #start: number;
  readonly #end: number;
  /** Members whose text is another than the client's. */
  readonly #given: ReadonlyMap<string, string>;
  #members: ReadonlyMap<string, Span> | undefined;

  constructor(
    value: Readonly<Record<string, unknown>>,
    source: string,
    span: Span | ObjectSpan,
    given: ReadonlyMap<string, string> = nothingGiven,
  ) {
    this.value = value;
    this.#source = source;
    this.#start = span.start;
    this.#end = span.end;
    this.#given = given;
    if ('members' in span) this.#members = span.members;
  }

  /** The whole object, well-formed. */
  get text(): string {
    if (!this.#isAmended) return wellFormed(this.#source.slice(this.#start, this.#end));
    const members = Object.keys(this.value).map(
      (key) => `${JSON.stringify(key)}:${this.textOf(key) ?? 'null'}`,
    );
    return wellFormed(`{${members.join(',')}}`);
  }

  /** Bytes of the whole object as sent. */
  get bytes(): number {
    return Buffer.byteLength(this.#source.slice(this.#start, this.#end));
  }

  /** Halves of surrogate pairs stand in it, which its text has as \ufffd. */
  get hasHalves(): boolean {
    const source = this.#source.slice(this.#start, this.#end);
    return wellFormed(source) !== source;
  }

  /** Exact text of a member; undefined when there is none. */
  textOf(key: string): string | undefined {
    const given = this.#given.get(key);
    if (given !== undefined) return given;
    const span = this.#spanOf(key);
    return span === undefined ? undefined : wellFormed(this.#source.slice(span.start, span.end));
  }

  object(key: string): SentObject | undefined {
    const value = this.value[key];
    if (!isObject(value)) return undefined;
    const given = this.#given.get(key);
    if (given !== undefined) return new SentObject(value, given, { start: 0, end: given.length });
    const span = this.#spanOf(key);
    return span === undefined ? undefined : new SentObject(value, this.#source, span);
  }

  /** Elements of a list; undefined in the place of one that is not an object. */
  objects(key: string): (SentObject | undefined)[] {
    const span = this.#spanOf(key);
    const values = this.value[key];
    if (span === undefined || !Array.isArray(values)) return [];
    const spans = elementsOf(this.#source, span.start);
    return values.map((value: unknown, index) => {
      const at = spans[index];
      return at !== undefined && isObject(value) ? new SentObject(value, this.#source, at) : undefined;
    });
  }

  /** Exact text of each element of a list. */
  textsOf(key: string): string[] {
    const span = this.#spanOf(key);
    if (span === undefined || !Array.isArray(this.value[key])) return [];
    return elementsOf(this.#source, span.start).map(({ start, end }) => this.#source.slice(start, end));
  }

  /** The same without some members, and with others whose value is this one. What is not named keeps its text. */
  amended(without: readonly string[], given: Readonly<Record<string, unknown>> = {}): SentObject {
    const left = new Set(without);
    const entries = Object.entries(this.value).filter(
      ([key]) => !left.has(key) && !Object.hasOwn(given, key),
    );
    const texts = new Map([...this.#given].filter(([key]) => !left.has(key)));
    for (const [key, value] of Object.entries(given)) texts.set(key, JSON.stringify(value));
    const value = Object.fromEntries([...entries, ...Object.entries(given)]);
    return new SentObject(value, this.#source, { start: this.#start, end: this.#end }, texts);
  }

  /** The same with another object in the place of a member. */
  replaced(key: string, by: SentObject): SentObject {
    const texts = new Map(this.#given).set(key, by.text);
    const value = { ...this.value, [key]: by.value };
    return new SentObject(value, this.#source, { start: this.#start, end: this.#end }, texts);
  }

  /** The same with a member whose value has this text, which must be JSON. */
  withText(key: string, text: string): SentObject {
    const value: unknown = JSON.parse(text);
    const texts = new Map(this.#given).set(key, text);
    const span = { start: this.#start, end: this.#end };
    return new SentObject({ ...this.value, [key]: value }, this.#source, span, texts);
  }

  /** Where it stands in the body, for what the body's reader found there. */
  get span(): Span {
    return { start: this.#start, end: this.#end };
  }

  get #isAmended(): boolean {
    this.#members ??= objectAt(this.#source, this.#start).members;
    return this.#given.size > 0 || Object.keys(this.value).length !== this.#members.size;
  }

  #spanOf(key: string): Span | undefined {
    if (!Object.hasOwn(this.value, key)) return undefined;
    this.#members ??= objectAt(this.#source, this.#start).members;
    return this.#members.get(key);
  }
}

/** @param text of a JSON object, as `SentObject.text` gives it. */
export function objectIn(text: string): SentObject {
  const value: unknown = JSON.parse(text);
  assert(isObject(value), 'the text of an object is one');
  return new SentObject(value, text, { start: 0, end: text.length });
}

export const emptyObject = new SentObject({}, '{}', { start: 0, end: 2 });

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
  if (value === undefined) return malformed('the body is not valid JSON');
  if (!isObject(value)) return malformed('the body must be a JSON object');
  if (isNestedDeeper(source, nestingMax)) {
    return malformed(`the body is nested deeper than ${String(nestingMax)} levels`);
  }
  // It is one object and white space, by the grammar.
  const span = { start: skipSpace(source, 0), end: skipSpaceBack(source, source.length) };
  return { type: 'object', sent: new SentObject(value, source, span), unread };
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

export interface Span {
  readonly start: number;
  readonly end: number;
}

interface ObjectSpan extends Span {
  readonly members: ReadonlyMap<string, Span>;
}

/** Where each member's value lies, and the object ends. Of a repeated key the last counts, as for JSON.parse. */
function objectAt(source: string, start: number): ObjectSpan {
  const members = new Map<string, Span>();
  let at = skipSpace(source, start + 1);
  while (source.charCodeAt(at) !== CLOSE_BRACE) {
    const keyEnd = skipString(source, at);
    const key = stringAt(source, at, keyEnd);
    const valueStart = skipSpace(source, skipSpace(source, keyEnd) + 1);
    const valueEnd = skipValue(source, valueStart);
    members.set(key, { start: valueStart, end: valueEnd });
    at = skipSpace(source, valueEnd);
    if (source.charCodeAt(at) === COMMA) at = skipSpace(source, at + 1);
  }
  return { start, end: at + 1, members };
}

/** What the string between these quotes says; mostly that is what stands there. */
function stringAt(source: string, start: number, end: number): string {
  const text = source.slice(start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(source.slice(start, end)) as string) : text; // a JSON string, by the grammar
}

/** Of an object its members too: what finds its end has found them. */
function elementsOf(source: string, start: number): (Span | ObjectSpan)[] {
  const elements: (Span | ObjectSpan)[] = [];
  let at = skipSpace(source, start + 1);
  while (source.charCodeAt(at) !== CLOSE_BRACKET) {
    const isObjectThere = source.charCodeAt(at) === OPEN_BRACE;
    const element = isObjectThere ? objectAt(source, at) : { start: at, end: skipValue(source, at) };
    elements.push(element);
    at = skipSpace(source, element.end);
    if (source.charCodeAt(at) === COMMA) at = skipSpace(source, at + 1);
  }
  return elements;
}

function skipSpace(source: string, at: number): number {
  while (source.charCodeAt(at) <= 32) at++;
  return at;
}

function skipSpaceBack(source: string, end: number): number {
  while (source.charCodeAt(end - 1) <= 32) end--;
  return end;
}

/** One past the closing quote of the string that starts at `at`. */
function skipString(source: string, at: number): number {
  let end = source.indexOf('"', at + 1);
  while (isEscaped(source, end)) end = source.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(source: string, at: number): boolean {
  let backslashes = 0;
  while (source.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

function skipValue(source: string, at: number): number {
  const first = source.charCodeAt(at);
  if (first === QUOTE) return skipString(source, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipScalar(source, at);
  let depth = 0;
  for (;;) {
    const code = source.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(source, at);
      continue;
    }
    at++;
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at;
  }
}

/** A number, true, false or null ends at a comma, a closing bracket, white space or the end. */
function skipScalar(source: string, at: number): number {
  while (at < source.length) {
    const code = source.charCodeAt(at);
    if (code <= 32 || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) break;
    at++;
  }
  return at;
}

function isNestedDeeper(source: string, levels: number): boolean {
  let depth = 0;
  for (let at = 0; at < source.length; at++) {
    const code = source.charCodeAt(at);
    if (code === QUOTE) at = skipString(source, at) - 1;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > levels) return true;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return false;
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
