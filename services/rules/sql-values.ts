/** Values inside JSON text and what the operators ask of them, as SQL of ClickHouse: operators.ts, said again. */
import { patternTextCodePointsMax } from '../../schemas/http/limits.ts';
import type { Check, Scalar } from './condition.ts';
import { ISO_TIMESTAMP, UNIX_SECONDS_MAX } from './operators.ts';
import { all, any, float, quoted } from './sql-text.ts';
import { unreachable } from '../runtime/errors.ts';

/** Raw JSON text of the value at a path; '' or 'null' when it is missing, both of which JSONType calls Null. */
export function rawAt(object: string, path: string): string {
  const own = `JSONExtractRaw(${object}, ${quoted(path)})`;
  if (!path.includes('.')) return own;
  const steps = path.split('.').map(quoted).join(', ');
  return `if(JSONHas(${object}, ${quoted(path)}), ${own}, JSONExtractRaw(${object}, ${steps}))`;
}

/** @param raw JSON text of the value. @param now ms, as SQL. */
export function checkSql(check: Check, raw: string, now: string): string {
  switch (check.type) {
    case 'exists':
      return `(JSONType(${raw}) != 'Null')`;
    case 'not_exists':
      return `(JSONType(${raw}) = 'Null')`;
    case 'is_timestamp':
      return `isNotNull(${timeOf(raw)})`;
    case 'eq':
      return equals(raw, check.value);
    case 'neq':
      return `(NOT ${equals(raw, check.value)})`;
    case 'contains':
      return contains(raw, check.value);
    case 'not_contains':
      return `(NOT ${contains(raw, check.value)})`;
    case 'starts_with':
      return isText(raw, `startsWith(${text(raw)}, ${quoted(check.value)})`);
    case 'ends_with':
      return isText(raw, `endsWith(${text(raw)}, ${quoted(check.value)})`);
    case 'matches':
      // ClickHouse lets the dot match a line's end unless told otherwise.
      return isText(raw, `match(${beginning(raw)}, ${quoted(`(?-s)${check.pattern.source}`)})`);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return compares(raw, SIGNS[check.type], check.value);
    case 'in':
      return any(check.values.map((value) => equals(raw, value)));
    case 'not_in':
      return `(NOT ${any(check.values.map((value) => equals(raw, value)))})`;
    case 'before_ago':
    case 'after_ago':
    case 'before_from_now':
    case 'after_from_now': {
      const sign = check.type.startsWith('before') ? '<' : '>';
      const border = `${now} ${check.type.endsWith('ago') ? '-' : '+'} ${String(check.durationMs)}`;
      return `ifNull(${timeOf(raw)} ${sign} ${border}, 0)`;
    }
    default:
      return unreachable(check);
  }
}

/** What a distinct count counts: NULL for what is no scalar. */
export function distinctKey(raw: string): string {
  return `multiIf(JSONType(${raw}) = 'String', concat('s', ${text(raw)}), ${isNumber(raw)}, concat('n', toString(${number(raw)} + 0)), JSONType(${raw}) = 'Bool', concat('b', ${raw}), NULL)`;
}

const SIGNS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

function text(raw: string): string {
  return `JSONExtractString(${raw})`;
}
/** What a pattern sees of it. */
function beginning(raw: string): string {
  return `substringUTF8(${text(raw)}, 1, ${String(patternTextCodePointsMax)})`;
}
function number(raw: string): string {
  return `JSONExtractFloat(${raw})`;
}
function isNumber(raw: string): string {
  return `JSONType(${raw}) IN ('Int64', 'UInt64', 'Double')`;
}
function isText(raw: string, rest: string): string {
  return all([`JSONType(${raw}) = 'String'`, rest]);
}

function equals(raw: string, value: Scalar): string {
  switch (typeof value) {
    case 'string':
      return isText(raw, `${text(raw)} = ${quoted(value)}`);
    case 'number':
      return all([isNumber(raw), `${number(raw)} = ${float(value)}`]);
    default:
      return all([`JSONType(${raw}) = 'Bool'`, `JSONExtractBool(${raw}) = ${value ? '1' : '0'}`]);
  }
}

function contains(raw: string, value: Scalar): string {
  const element = `arrayExists(element -> ${equals('element', value)}, JSONExtractArrayRaw(${raw}))`;
  const inList = all([`JSONType(${raw}) = 'Array'`, element]);
  if (typeof value !== 'string') return inList;
  return any([isText(raw, `position(${text(raw)}, ${quoted(value)}) > 0`), inList]);
}

function compares(raw: string, sign: string, value: number | string): string {
  return typeof value === 'string'
    ? isText(raw, `${text(raw)} ${sign} ${quoted(value)}`)
    : all([isNumber(raw), `${number(raw)} ${sign} ${float(value)}`]);
}

/** Time in ms that a value says, NULL for none. */
export function timeOf(raw: string): string {
  const seconds = number(raw);
  const isSeconds = all([isNumber(raw), `${seconds} >= 0`, `${seconds} <= ${String(UNIX_SECONDS_MAX)}`]);
  const isIso = isText(raw, `match(${text(raw)}, ${quoted(ISO_TIMESTAMP)})`);
  const parsed = `toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(${text(raw)}, 3, 'UTC'))`;
  return `multiIf(${isSeconds}, toInt64(floor(${seconds} * 1000)), ${isIso}, ${parsed}, NULL)`;
}
