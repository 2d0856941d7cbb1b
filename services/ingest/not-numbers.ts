/**
 * Python's json and other writers print NaN and Infinity, which JSON does not have. Read leniently each is null, and the
 * rest of the body is what it was. One pass over a body that JSON.parse has refused. Pure.
 */
const QUOTE = 34;
const BACKSLASH = 92;
/** In any case: C, PHP and Perl have their own. */
const WORDS = ['infinity', 'nan', 'inf'];
const NULL = 'null';

export interface Readable {
  readonly text: string;
  /** Where the nulls stand in it. */
  readonly at: readonly number[];
}

export function withoutNotNumbers(source: string): Readable {
  const at: number[] = [];
  let [text, from, place] = ['', 0, 0];
  while (place < source.length) {
    if (source.charCodeAt(place) === QUOTE) {
      place = endOfText(source, place);
      continue;
    }
    const word = wordAt(source, place);
    if (word === undefined) {
      place++;
      continue;
    }
    const start = isSign(source, place - 1) ? place - 1 : place;
    text += source.slice(from, start);
    at.push(text.length);
    text += NULL;
    place += word.length;
    from = place;
  }
  return { text: text + source.slice(from), at };
}

/** How many of the places lie from start to before end. */
export function countWithin(at: readonly number[], { start, end }: { start: number; end: number }): number {
  return at.length === 0 ? 0 : firstFrom(at, end) - firstFrom(at, start);
}

/** Index of the first that is not less; the places are in order. */
function firstFrom(at: readonly number[], place: number): number {
  let [low, high] = [0, at.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((at[middle] ?? Infinity) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** As a value stands: before it a sign, a colon, a comma, a bracket or space, behind it no letter. */
function wordAt(source: string, place: number): string | undefined {
  const first = source.charCodeAt(place) | 32;
  if (first !== 110 && first !== 105) return undefined;
  const word = WORDS.find((each) => source.slice(place, place + each.length).toLowerCase() === each);
  if (word === undefined) return undefined;
  const isWhole = !isLetter(source, place - 1) && !isLetter(source, place + word.length);
  return isWhole ? word : undefined;
}

function isLetter(source: string, place: number): boolean {
  return /\w/.test(source.charAt(place));
}

function isSign(source: string, place: number): boolean {
  const sign = source.charAt(place);
  return sign === '-' || sign === '+';
}

/** One past the closing quote; the end of the source when there is none. */
function endOfText(source: string, place: number): number {
  let end = place;
  do {
    end = source.indexOf('"', end + 1);
    if (end === -1) return source.length;
  } while (isEscaped(source, end));
  return end + 1;
}

function isEscaped(source: string, place: number): boolean {
  let backslashes = 0;
  while (source.charCodeAt(place - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
