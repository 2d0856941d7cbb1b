/**
 * Numbers of JSON text as SQL of ClickHouse: exact-json.ts, said again. The engine's reader rounds what has more digits
 * than a double, and finds nothing in a whole text that has one integer beyond 64 bits. So a text that may have such
 * numbers is read twice: once with each of them as the nearest double, which says the types, and once with each as a string
 * of its digits. A value that is a number in the one and a string in the other is such a number.
 */
import { MAY_BE_EXACT, type JsonNumber, decimalKey } from '../runtime/exact-json.ts';
import { all, float, quoted } from './sql-text.ts';

/** JSON text of a value, as the engine reads it. */
export interface Value {
  /** Numbers are doubles; '' or 'null' when it is missing, both of which JSONType calls Null. */
  readonly raw: string;
  /** Numbers that a double may round are strings. */
  readonly exact: string;
}

/** Strings, numbers, and what is between them. */
const TOKENS = quoted('"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"');
const NUMBER = quoted('^-?[0-9]');
const LONG = quoted('[0-9][0-9.]{15}|[eE][+-]?[0-9]{2}');
const INTEGER = quoted('^-?[0-9]{16,}$');

/** @param text JSON text that JSON.parse has accepted, as SQL. */
export function readTwice(text: string): Value {
  // No double holds it: a number that is no time.
  const nearest = `if(isFinite(toFloat64OrZero(token)), if(match(token, ${INTEGER}), concat(token, '.0'), token), '-1')`;
  const digits = `if(match(token, ${LONG}), concat('"', token, '"'), token)`;
  return { raw: rewritten(text, nearest), exact: rewritten(text, digits) };
}

function rewritten(text: string, number: string): string {
  const token = `if(match(token, ${NUMBER}), ${number}, token)`;
  const tokens = `arrayStringConcat(arrayMap(token -> ${token}, extractAll(${text}, ${TOKENS})))`;
  return `if(match(${text}, ${quoted(MAY_BE_EXACT)}), ${tokens}, ${text})`;
}

export function isNumber({ raw }: Value): string {
  return `JSONType(${raw}) IN ('Int64', 'UInt64', 'Double')`;
}

/** The nearest double. */
export function number({ raw }: Value): string {
  return `JSONExtractFloat(${raw})`;
}

/** Without a double that rounds, doubles say it: decimals of fewer digits are different doubles, in the same order. */
export function compares(value: Value, sign: string, against: JsonNumber): string {
  const { exact } = value;
  const isExact = `JSONType(${exact}) = 'String'`;
  const key = quoted(typeof against === 'number' ? decimalKey(String(against)) : against.key);
  const digits = `${keyOf(`JSONExtractString(${exact})`)} ${sign} ${key}`;
  const nearest =
    typeof against === 'number'
      ? `${number(value)} ${sign} ${float(against)}`
      : `${keyOf(value.raw)} ${sign} ${key}`;
  return all([isNumber(value), `if(${isExact}, ${digits}, ${nearest})`]);
}

/** Equal for equal numbers. */
export function numberKey(value: Value): string {
  const { raw, exact } = value;
  return keyOf(`if(JSONType(${exact}) = 'String', JSONExtractString(${exact}), ${raw})`);
}

const PARTS = quoted('^-?([0-9]+)(?:[.]([0-9]+))?(?:[eE]([+-]?[0-9]+))?$');
const EXPONENT_MAX = '1000000000000000';

/** decimalKey of a number's text. */
function keyOf(text: string): string {
  const isHuge = "length(replaceRegexpOne(p[3], '^[+-]?0*', '')) > 15";
  const huge = `if(startsWith(p[3], '-'), -${EXPONENT_MAX}, ${EXPONENT_MAX})`;
  const exponent = `if(${isHuge}, ${huge}, toInt64OrZero(replaceRegexpOne(p[3], '^[+]', '')))`;
  const first = '(length(p[1]) + length(p[2]) - length(digits))';
  const power = `(${exponent} + toInt64(length(p[1])) - ${first} - 1)`;
  const significant = "replaceRegexpOne(digits, '0+$', '')";
  const padded = (sign: string) => `leftPad(toString(2 * ${EXPONENT_MAX} ${sign} ${power}), 16, '0')`;
  const below = `concat('0', ${padded('-')}, translate(${significant}, '0123456789', '9876543210'), '~')`;
  const above = `concat('2', ${padded('+')}, ${significant})`;
  const key = `multiIf(digits = '', '1', startsWith(t, '-'), ${below}, ${above})`;
  const withDigits = `arrayMap(digits -> ${key}, [replaceRegexpOne(concat(p[1], p[2]), '^0+', '')])[1]`;
  const withParts = `arrayMap(p -> ${withDigits}, [extractGroups(t, ${PARTS})])[1]`;
  return `arrayMap(t -> ${withParts}, [${text}])[1]`;
}
