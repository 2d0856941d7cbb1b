/**
 * JSON whose numbers stay what they are. JSON has no largest number and no longest; a double has both, so parsing rounds
 * 9007199254740993 to …992 and 1e400 to infinity. What a double cannot say is an `ExactNumber` here, all else is as
 * JSON.parse makes it, and writing it again gives back the digits. Pure.
 */

/** A number of JSON that is another than the double nearest to it. Plain `===` compares two of them as objects. */
export class ExactNumber {
  /** As it was sent, by the grammar of JSON. */
  readonly text: string;
  #key: string | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** What orders it (decimalKey). */
  get key(): string {
    return (this.#key ??= decimalKey(this.text));
  }

  /** The same for equal numbers, whichever way they were sent; of a whole one its digits. */
  get plain(): string {
    return plainDigits(this.text);
  }

  /** The nearest double: infinite where none is near. */
  get nearest(): number {
    return Number(this.text);
  }

  /** JSON.stringify writes the digits. */
  toJSON(): unknown {
    return exactly.rawJSON(this.text);
  }
}

/** A number, exactly. */
export type JsonNumber = number | ExactNumber;

/** Node has both since version 22, the library's types do not name them yet. */
const exactly = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, at: { readonly source?: string }) => unknown,
  ): unknown;
};

/**
 * Where a number may be more than a double can say: 16 digits, or an exponent of two. Texts without, which are nearly all,
 * are parsed as ever; in a string it only costs time. The same for RE2 and JavaScript: the rule as SQL asks it, too.
 */
export const MAY_BE_EXACT = '(^|[:\\[,])\\s*-?([0-9][0-9.]{15}|[0-9.]+[eE][+-]?[0-9]{2})';
const mayBeExact = new RegExp(MAY_BE_EXACT);

/**
 * Like JSON.parse, and throws where it does.
 * @param onValue told of each value of a text that has to be read one by one, which costs many times as much.
 */
export function parseExactly(text: string, onValue?: () => void): unknown {
  if (!mayBeExact.test(text)) return JSON.parse(text);
  return exactly.parse(text, (_key, value, { source }) => {
    onValue?.();
    return typeof value === 'number' && source !== undefined ? exactNumber(source, value) : value;
  });
}

/** @param text a number of JSON. A double stands for the decimal that it prints, which is the shortest that names it. */
export function exactNumber(text: string, nearest = Number(text)): JsonNumber {
  if (isPlain(text, nearest)) return nearest;
  const written = String(nearest);
  return written === text || decimalKey(written) === decimalKey(text) ? nearest : new ExactNumber(text);
}

/** So many digits a double says whatever they are, and no shorter text has the same nearest one. */
const PLAIN_CHARS_MAX = 15;
/** Far from where doubles end, and from where they say fewer digits. */
const PLAIN_SIZE_MAX = 1e290;

/** As nearly all: told by its length and its size, since a text of very many numbers is read for everybody. */
function isPlain(text: string, nearest: number): boolean {
  const size = Math.abs(nearest);
  return text.length <= PLAIN_CHARS_MAX && size < PLAIN_SIZE_MAX && size > 1 / PLAIN_SIZE_MAX;
}

/** Exponents beyond are as this one: nobody has that many digits. */
const EXPONENT_MAX = 10 ** 15;
const EXPONENT_DIGITS = 16;
const ZERO = 48;

/**
 * Text that is equal for equal numbers and sorts by bytes as the numbers do: a sign, the power of ten of the first digit
 * that counts, the digits. Of a negative number both are turned round, and an end mark puts the longer one first.
 * @param text a number of JSON, or of String().
 */
export function decimalKey(text: string): string {
  const decimal = decimalOf(text);
  if (decimal === undefined) return text.startsWith('-') ? '0' : '3'; // infinities
  const { sign, significant, power } = decimal;
  if (significant === '') return '1';
  if (sign === '-') return `0${padded(2 * EXPONENT_MAX - power)}${turned(significant)}~`;
  return `2${padded(2 * EXPONENT_MAX + power)}${significant}`;
}

interface Decimal {
  readonly sign: string;
  /** From the first digit that counts to the last; none of zero. */
  readonly significant: string;
  /** Of ten, of the first of them. */
  readonly power: number;
}

function decimalOf(text: string): Decimal | undefined {
  const match = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const first = digits.search(/[1-9]/);
  if (first === -1) return { sign: '', significant: '', power: 0 };
  const significant = digits.slice(first, lastOther(digits) + 1);
  return { sign, significant, power: clamp(Number(exponent)) + whole.length - first - 1 };
}

/** Digits that a number is written out with; beyond, and below a millionth, with its power. */
const WRITTEN_OUT_MAX = 100;
const MILLIONTH = -6;

function plainDigits(text: string): string {
  const decimal = decimalOf(text);
  if (decimal === undefined) return text;
  const { sign, significant, power } = decimal;
  if (significant === '') return '0';
  if (power < 0 && power >= MILLIONTH) return `${sign}0.${'0'.repeat(-power - 1)}${significant}`;
  const isWrittenOut = power >= 0 && power < WRITTEN_OUT_MAX;
  const places = isWrittenOut ? power + 1 : 1;
  const [whole, fraction] = [significant.slice(0, places), significant.slice(places)];
  const written = `${sign}${whole.padEnd(places, '0')}${fraction === '' ? '' : `.${fraction}`}`;
  return isWrittenOut ? written : `${written}e${String(power)}`;
}

/** Place of the last digit that is no zero. A pattern would look at each zero of a long run again and again. */
function lastOther(digits: string): number {
  let at = digits.length - 1;
  while (at >= 0 && digits.charCodeAt(at) === ZERO) at -= 1;
  return at;
}
function clamp(exponent: number): number {
  return Math.max(-EXPONENT_MAX, Math.min(EXPONENT_MAX, exponent));
}
function padded(power: number): string {
  return String(power).padStart(EXPONENT_DIGITS, '0');
}
function turned(digits: string): string {
  return digits.replace(/[0-9]/g, (digit) => String(9 - Number(digit)));
}

/** Below, at or above zero as a is less than, equal to or more than b. Doubles compare as the decimals that they print. */
export function compareNumbers(a: JsonNumber, b: JsonNumber): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [x, y] = [keyOf(a), keyOf(b)];
  return x === y ? 0 : x < y ? -1 : 1;
}

function keyOf(number: JsonNumber): string {
  return typeof number === 'number' ? decimalKey(String(number)) : number.key;
}
