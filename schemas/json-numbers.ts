/**
 * Numbers of JSON by their digits. JSON has one type of number and no size: 910042.0 is 910042, and 9007199254740993 is
 * not the double beside it. Pure.
 */
import { ownText } from './own-text.ts';

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** A number with more digits than this is written with an exponent: `1e400000000` must not become a text of its size. */
export const plainDigitsMax = 100;
/** Ours: an exponent beyond it is told by its own digits, which no arithmetic here could hold. */
const EXPONENT_MAX = 1_000_000;

/**
 * The same number in one spelling: no zeros that say nothing, no exponent where the digits fit. Other text as it is. A text
 * of its own, since digits are cut out of a body.
 */
export function canonicalNumber(text: string): string {
  return ownText(canonical(text));
}

function canonical(text: string): string {
  const parts = NUMBER.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = '', power = '0'] = parts;
  const exponent = Number(power);
  if (Math.abs(exponent) > EXPONENT_MAX) return text;
  const all = `${whole}${fraction}`;
  const first = leadingZeros(all);
  if (first === all.length) return '0';
  const digits = all.slice(first, all.length - trailingZeros(all));
  /** Of the point, counted from the first digit that says something. */
  const point = whole.length - first + exponent;
  return `${sign}${written(digits, point)}`;
}

function written(digits: string, point: number): string {
  if (point > plainDigitsMax || point < -plainDigitsMax) {
    const rest = digits.length === 1 ? '' : `.${digits.slice(1)}`;
    return `${digits.charAt(0)}${rest}e${point > 0 ? '+' : ''}${String(point - 1)}`;
  }
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

function leadingZeros(digits: string): number {
  let at = 0;
  while (digits.charCodeAt(at) === 48) at++;
  return at;
}

function trailingZeros(digits: string): number {
  let count = 0;
  while (digits.charCodeAt(digits.length - 1 - count) === 48) count++;
  return count;
}
