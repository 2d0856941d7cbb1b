/**
 * Where the parts of a JSON text lie, so that they can be cut out of it. One pass over an object finds its members and
 * how deep it is; no string and no object is made for a member before somebody asks for it. All functions take text that
 * JSON.parse has accepted.
 */
const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Numbers of a member: where its key begins behind the quote, and its value. Five members fit in a list's first memory. */
const [KEY_START, VALUE_START, VALUE_END, NUMBERS] = [0, 1, 2, 3];
/** So many are looked through; more are found by name, as a hostile object may have a hundred thousand. */
const LOOKED_THROUGH_MAX = 16;

/** An object: where it stands, and each of its members. Of a repeated key the last counts, as for JSON.parse. */
export class ObjectSpan implements Span {
  readonly start: number;
  readonly end: number;
  /** Levels of it and of what is in it. */
  readonly depth: number;
  readonly #source: string;
  readonly #places: number[] = [];
  #byName: ReadonlyMap<string, number> | undefined;
  #hasEscapedKeys = false;

  constructor(source: string, start: number) {
    this.#source = source;
    this.start = start;
    const places = this.#places;
    let depth = 0;
    let at = skipSpace(source, start + 1);
    while (source.charCodeAt(at) !== CLOSE_BRACE) {
      const keyEnd = this.#skipKey(at);
      const valueStart = skipSpace(source, skipSpace(source, keyEnd) + 1);
      const valueEnd = skipValue(source, valueStart);
      if (deepest > depth) depth = deepest;
      places.push(at + 1, valueStart, valueEnd);
      at = skipSpace(source, valueEnd);
      if (source.charCodeAt(at) === COMMA) at = skipSpace(source, at + 1);
    }
    this.end = at + 1;
    this.depth = depth + 1;
  }

  valueOf(key: string): Span | undefined {
    const places = this.#places;
    const found = this.#placeOf(key);
    if (found < 0) return undefined;
    return { start: places[found + VALUE_START] ?? 0, end: places[found + VALUE_END] ?? 0 };
  }

  #placeOf(key: string): number {
    const [source, places] = [this.#source, this.#places];
    if (this.#hasEscapedKeys || places.length > LOOKED_THROUGH_MAX * NUMBERS) {
      this.#byName ??= this.#named();
      return this.#byName.get(key) ?? -1;
    }
    for (let at = places.length - NUMBERS; at >= 0; at -= NUMBERS) {
      const start = places[at + KEY_START] ?? 0;
      // Without a backslash the first quote ends it.
      if (source.charCodeAt(start + key.length) === QUOTE && source.startsWith(key, start)) return at;
    }
    return -1;
  }

  #named(): ReadonlyMap<string, number> {
    const places = this.#places;
    const named = new Map<string, number>();
    for (let at = 0; at < places.length; at += NUMBERS) {
      const start = places[at + KEY_START] ?? 0;
      const text = this.#source.slice(start, this.#skipKey(start - 1) - 1);
      const name = text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text; // a JSON string, by the grammar
      named.set(name, at);
    }
    return named;
  }

  /** Keys are short: looking at each letter costs less than a call that finds the quote. */
  #skipKey(start: number): number {
    const source = this.#source;
    for (let at = start + 1; ; at++) {
      const code = source.charCodeAt(at);
      if (code === QUOTE) return at + 1;
      if (code !== BACKSLASH) continue;
      this.#hasEscapedKeys = true;
      return skipString(source, start);
    }
  }
}

/** Elements of the list that begins there. Of an object its members too: what finds its end has found them. */
export function elementsOf(source: string, start: number): (Span | ObjectSpan)[] {
  const elements: (Span | ObjectSpan)[] = [];
  let at = skipSpace(source, start + 1);
  while (source.charCodeAt(at) !== CLOSE_BRACKET) {
    const isObjectThere = source.charCodeAt(at) === OPEN_BRACE;
    const element = isObjectThere ? new ObjectSpan(source, at) : { start: at, end: skipValue(source, at) };
    elements.push(element);
    at = skipSpace(source, element.end);
    if (source.charCodeAt(at) === COMMA) at = skipSpace(source, at + 1);
  }
  return elements;
}

export function skipSpace(source: string, at: number): number {
  while (source.charCodeAt(at) <= 32) at++;
  return at;
}

/** So many letters are looked at one by one, which costs less than a call that finds the quote; most strings have no more. */
const LOOKED_AT_MAX = 24;

/** One past the closing quote of the string that starts at `at`. */
function skipString(source: string, at: number): number {
  const far = at + LOOKED_AT_MAX;
  let end = at + 1;
  for (; end < far; end++) {
    const code = source.charCodeAt(end);
    if (code === QUOTE) return end + 1;
    if (code === BACKSLASH) break;
  }
  end = source.indexOf('"', end);
  while (isEscaped(source, end)) end = source.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(source: string, at: number): boolean {
  let backslashes = 0;
  while (source.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

/** Levels of the value that `skipValue` has just skipped: a second result that costs no object. */
let deepest = 0;

function skipValue(source: string, at: number): number {
  const first = source.charCodeAt(at);
  deepest = 0;
  if (first === QUOTE) return skipString(source, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipScalar(source, at);
  let [depth, levels] = [0, 0];
  for (;;) {
    const code = source.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(source, at);
      continue;
    }
    at++;
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth++;
      if (depth > levels) levels = depth;
    } else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) {
      deepest = levels;
      return at;
    }
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
