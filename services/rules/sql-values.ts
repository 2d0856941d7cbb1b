/** Values inside JSON text and what the operators ask of them, as SQL of ClickHouse: operators.ts, said again. */
import { patternTextCodePointsMax } from '../../schemas/http/limits.ts';
import { ExactNumber } from '../runtime/exact-json.ts';
import { unreachable } from '../runtime/errors.ts';
import type { Check, Scalar } from './condition.ts';
import { ISO_TIMESTAMP, UNIX_SECONDS_MAX } from './operators.ts';
import { compares, isNumber, number, numberKey, type Value } from './sql-numbers.ts';
import { all, any, quoted, type Names } from './sql-text.ts';

export type { Value } from './sql-numbers.ts';

/** The value at a path of an object. */
export function valueAtPath(object: Value, path: string, names: Names): Value {
  return { raw: names.of(rawAt(object.raw, path)), exact: names.of(rawAt(object.exact, path)) };
}

function rawAt(object: string, path: string): string {
  const own = `JSONExtractRaw(${object}, ${quoted(path)})`;
  if (!path.includes('.')) return own;
  const steps = path.split('.').map(quoted).join(', ');
  return `if(JSONHas(${object}, ${quoted(path)}), ${own}, JSONExtractRaw(${object}, ${steps}))`;
}

/** Text that is no JSON yet, NULL when it is missing. */
export function textValue(column: string, names: Names): Value {
  const raw = names.of(`if(isNull(${column}), '', toJSONString(assumeNotNull(${column})))`);
  return { raw, exact: raw };
}

/** @param now ms, as SQL. */
export function checkSql(check: Check, value: Value, now: string): string {
  const { raw } = value;
  switch (check.type) {
    case 'exists':
      return `(JSONType(${raw}) != 'Null')`;
    case 'not_exists':
      return `(JSONType(${raw}) = 'Null')`;
    case 'is_timestamp':
      return `isNotNull(${timeOf(value)})`;
    case 'eq':
      return equals(value, check.value);
    case 'neq':
      return `(NOT ${equals(value, check.value)})`;
    case 'contains':
      return contains(value, check.value);
    case 'not_contains':
      return `(NOT ${contains(value, check.value)})`;
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
    case 'lte': {
      const sign = SIGNS[check.type];
      return typeof check.value === 'string'
        ? isText(raw, `${text(raw)} ${sign} ${quoted(check.value)}`)
        : compares(value, sign, check.value);
    }
    case 'in':
      return isOneOf(value, check.values);
    case 'not_in':
      return `(NOT ${isOneOf(value, check.values)})`;
    case 'before_ago':
    case 'after_ago':
    case 'before_from_now':
    case 'after_from_now': {
      const sign = check.type.startsWith('before') ? '<' : '>';
      const border = `${now} ${check.type.endsWith('ago') ? '-' : '+'} ${String(check.durationMs)}`;
      return `ifNull(${timeOf(value)} ${sign} ${border}, 0)`;
    }
    default:
      return unreachable(check);
  }
}

/** What a distinct count counts: NULL for what is no scalar. */
export function distinctKey(value: Value): string {
  const { raw } = value;
  return `multiIf(JSONType(${raw}) = 'String', concat('s', ${text(raw)}), ${isNumber(value)}, concat('n', ${numberKey(value)}), JSONType(${raw}) = 'Bool', concat('b', ${raw}), NULL)`;
}

const SIGNS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

function text(raw: string): string {
  return `JSONExtractString(${raw})`;
}
/** What a pattern sees of it. */
function beginning(raw: string): string {
  return `substringUTF8(${text(raw)}, 1, ${String(patternTextCodePointsMax)})`;
}
function isText(raw: string, rest: string): string {
  return all([`JSONType(${raw}) = 'String'`, rest]);
}

function equals(value: Value, wanted: Scalar): string {
  const { raw } = value;
  if (typeof wanted === 'string') return isText(raw, `${text(raw)} = ${quoted(wanted)}`);
  if (typeof wanted === 'number' || wanted instanceof ExactNumber) return compares(value, '=', wanted);
  return all([`JSONType(${raw}) = 'Bool'`, `JSONExtractBool(${raw}) = ${wanted ? '1' : '0'}`]);
}

/** Texts are asked for together, since a list may have many. */
function isOneOf(value: Value, wanted: readonly Scalar[]): string {
  const texts = wanted.filter((one) => typeof one === 'string');
  const others = wanted.filter((one) => typeof one !== 'string').map((one) => equals(value, one));
  if (texts.length === 0) return any(others);
  const { raw } = value;
  return any([isText(raw, `${text(raw)} IN (${texts.map(quoted).join(', ')})`), ...others]);
}

function contains(value: Value, wanted: Scalar): string {
  const { raw, exact } = value;
  const same = equals({ raw: 'x', exact: 'y' }, wanted);
  const element = `arrayExists((x, y) -> ${same}, JSONExtractArrayRaw(${raw}), JSONExtractArrayRaw(${exact}))`;
  const inList = all([`JSONType(${raw}) = 'Array'`, element]);
  if (typeof wanted !== 'string') return inList;
  return any([isText(raw, `position(${text(raw)}, ${quoted(wanted)}) > 0`), inList]);
}

/** Time in ms that a value says, NULL for none. */
export function timeOf(value: Value): string {
  const { raw } = value;
  const seconds = number(value);
  const isSeconds = all([isNumber(value), `${seconds} >= 0`, `${seconds} <= ${String(UNIX_SECONDS_MAX)}`]);
  const isIso = isText(raw, `match(${text(raw)}, ${quoted(ISO_TIMESTAMP)})`);
  const parsed = `toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(${text(raw)}, 3, 'UTC'))`;
  return `multiIf(${isSeconds}, toInt64(floor(${seconds} * 1000)), ${isIso}, ${parsed}, NULL)`;
}
