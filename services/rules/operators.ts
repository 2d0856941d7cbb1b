/**
 * What the operators mean (contract, *Words*). A missing value and a value of another type make
 * neq, not_contains, not_in (and, when missing, not_exists) true and everything else false: "5" is not 5.
 */
import type { Check, Scalar } from './condition.ts';
import { compareNumbers, ExactNumber, type JsonNumber } from '../runtime/exact-json.ts';
import { unmetered, type PatternTests } from './pattern-steps.ts';
import { unreachable } from '../runtime/errors.ts';

/**
 * @param value of parsed JSON; undefined for missing. @param now ms, what `ago` and `from now` count from.
 * @param patterns what makes the tests of patterns, and counts them.
 */
export function passes(
  check: Check,
  value: unknown,
  now: number,
  patterns: PatternTests = unmetered,
): boolean {
  switch (check.type) {
    case 'exists':
      return value !== undefined;
    case 'not_exists':
      return value === undefined;
    case 'is_timestamp':
      return timestampOf(value) !== undefined;
    case 'eq':
      return isEqual(value, check.value);
    case 'neq':
      return !isEqual(value, check.value);
    case 'contains':
    case 'not_contains':
      return (
        patterns.has(stepsToSearch(value)) &&
        containsValue(value, check.value) === (check.type === 'contains')
      );
    case 'starts_with':
      return typeof value === 'string' && value.startsWith(check.value);
    case 'ends_with':
      return typeof value === 'string' && value.endsWith(check.value);
    case 'matches':
      return typeof value === 'string' && patterns.test(check.pattern, value);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return compares(check.type, value, check.value);
    case 'in':
      return isOneOf(value, check.values);
    case 'not_in':
      return !isOneOf(value, check.values);
    case 'before_ago':
    case 'after_ago':
    case 'before_from_now':
    case 'after_from_now':
      return passesRelative(check.type, check.durationMs, timestampOf(value), now);
    default:
      return unreachable(check);
  }
}

/** When the answer for this value next changes although the value does not, in ms; Infinity for never. */
export function changesAt(check: Check, value: unknown, now: number): number {
  if (!('durationMs' in check)) return Infinity;
  const at = timestampOf(value);
  if (at === undefined) return Infinity;
  const border = check.type.endsWith('ago') ? at + check.durationMs : at - check.durationMs;
  // `before` becomes true just after the border, `after` stops being true at it.
  const moment = check.type.startsWith('before') ? border + 1 : border;
  return moment > now ? moment : Infinity;
}

type Relative = 'before_ago' | 'after_ago' | 'before_from_now' | 'after_from_now';
function passesRelative(type: Relative, durationMs: number, at: number | undefined, now: number): boolean {
  if (at === undefined) return false;
  const border = type === 'before_ago' || type === 'after_ago' ? now - durationMs : now + durationMs;
  return type === 'before_ago' || type === 'before_from_now' ? at < border : at > border;
}

/** Of a text and a list that an event may bring: they are as long as a call may be. Short ones cost what any test does. */
const charsSearchedFree = 1_000;
const charsAStep = 64;
const itemsSearchedFree = 100;
const itemsAStep = 8;

function stepsToSearch(value: unknown): number {
  if (typeof value === 'string')
    return value.length <= charsSearchedFree ? 0 : Math.ceil(value.length / charsAStep);
  if (!Array.isArray(value) || value.length <= itemsSearchedFree) return 0;
  return Math.ceil(value.length / itemsAStep);
}

/** Text in text, or an element of the same type and value in a list. */
function containsValue(value: unknown, wanted: Scalar): boolean {
  if (typeof value === 'string') return typeof wanted === 'string' && value.includes(wanted);
  return Array.isArray(value) && value.some((item) => isEqual(item, wanted));
}

/** Numbers by their value, to the last digit. */
function isEqual(value: unknown, wanted: Scalar): boolean {
  if (value instanceof ExactNumber) return wanted instanceof ExactNumber && value.key === wanted.key;
  return value === wanted;
}

function isOneOf(value: unknown, values: readonly Scalar[]): boolean {
  return values.some((candidate) => isEqual(value, candidate));
}

function compares(type: 'gt' | 'gte' | 'lt' | 'lte', value: unknown, against: JsonNumber | string): boolean {
  const order = orderOf(value, against);
  if (order === undefined) return false;
  switch (type) {
    case 'gt':
      return order > 0;
    case 'gte':
      return order >= 0;
    case 'lt':
      return order < 0;
    default:
      return order <= 0;
  }
}

function orderOf(value: unknown, against: JsonNumber | string): number | undefined {
  if (typeof against === 'string') {
    return typeof value === 'string' ? compareText(value, against) : undefined;
  }
  return isNumber(value) ? compareNumbers(value, against) : undefined;
}

function isNumber(value: unknown): value is JsonNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

/** Order of UTF-8 bytes, which is ClickHouse's; JavaScript's own order differs above U+D7FF. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}
function codePointRank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit; // surrogates stand for code points above U+FFFF
}

/** Year 9999: a number of milliseconds lies beyond, and is no time (spec A.0, *Times*). */
export const UNIX_SECONDS_MAX = 253_402_300_799;
/** Date, or date and time of day with an offset or Z; what JSON clients write. Years as ClickHouse has them. */
export const ISO_TIMESTAMP =
  '^(19|2[0-2])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])' +
  '(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$';
const ISO = new RegExp(ISO_TIMESTAMP);

/** JavaScript rolls February 30 over into March; a date that does not exist is no time. */
function isCalendarDay(text: string): boolean {
  const [year, month, day] = [text.slice(0, 4), text.slice(5, 7), text.slice(8, 10)].map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** The time that a value says, in ms: a number of unix seconds, or ISO 8601 text. undefined: it says none. */
export function timestampOf(value: unknown): number | undefined {
  if (value instanceof ExactNumber) return timestampOf(value.nearest);
  if (typeof value === 'number') {
    return value >= 0 && value <= UNIX_SECONDS_MAX ? Math.floor(value * 1_000) : undefined;
  }
  if (typeof value !== 'string' || !ISO.test(value) || !isCalendarDay(value)) return undefined;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}
