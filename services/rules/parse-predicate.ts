/** Tests on a value: `{"property" or "attribute": path, "operator": op, "value"?: any}`. */
import { ExactNumber, type JsonNumber } from '../runtime/exact-json.ts';
import { operators, type Check, type Operator, type Scalar, type Test } from './condition.ts';
import { invalidDurationText, parseDuration } from './durations.ts';
import { pointerTo, type Faults } from './faults.ts';
import { durationMsMax, listValuesMax, textCharsMax } from './limits.ts';
import type { JsonObject } from './paths.ts';

/** Reads the test in `from`, whose keys the caller has checked. `key` is where the path stands. */
export function parseTest(
  from: JsonObject,
  key: 'property' | 'attribute',
  pointer: string,
  faults: Faults,
): Test | undefined {
  const path = faults.text(from, key, pointer, textCharsMax);
  const operator = faults.oneOf(from, 'operator', pointer, operators);
  if (operator === undefined) return undefined;
  const check = parseCheck(operator, from['value'], pointerTo(pointer, 'value'), faults);
  return path === undefined || check === undefined ? undefined : { path, check };
}

export function parseCheck(
  operator: Operator,
  value: unknown,
  at: string,
  faults: Faults,
): Check | undefined {
  switch (operator) {
    case 'exists':
    case 'not_exists':
    case 'is_timestamp':
      if (value !== undefined) {
        faults.add(at, 'unknown_key', `${operator} takes no value`);
        return;
      }
      return { type: operator };
    case 'eq':
    case 'neq':
    case 'contains':
    case 'not_contains': {
      const scalar = parseScalar(value, at, faults);
      return scalar === undefined ? undefined : { type: operator, value: scalar };
    }
    case 'starts_with':
    case 'ends_with': {
      const text = parseText(value, at, faults);
      return text === undefined ? undefined : { type: operator, value: text };
    }
    case 'matches':
      return parsePattern(value, at, faults);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const bound = isNumber(value) ? parseScalar(value, at, faults) : parseText(value, at, faults);
      return typeof bound === 'boolean' || bound === undefined ? undefined : { type: operator, value: bound };
    }
    case 'in':
    case 'not_in': {
      const values = parseList(value, at, faults);
      return values === undefined ? undefined : { type: operator, values };
    }
    default: {
      const durationMs = parseDurationAt(value, at, faults);
      return durationMs === undefined ? undefined : { type: operator, durationMs };
    }
  }
}

function parsePattern(value: unknown, at: string, faults: Faults): Check | undefined {
  const source = parseText(value, at, faults);
  if (source === undefined) return undefined;
  const result = faults.patterns.compile(source);
  if (!result.ok) {
    faults.add(at, result.fault.code, result.fault.message);
    return;
  }
  return { type: 'matches', pattern: result.pattern };
}

function parseList(value: unknown, at: string, faults: Faults): readonly Scalar[] | undefined {
  if (!Array.isArray(value)) {
    faults.add(at, value === undefined ? 'required' : 'wrong_type', 'must be a list');
    return;
  }
  if (value.length === 0) {
    faults.add(at, 'required', 'must not be empty');
    return;
  }
  if (value.length > listValuesMax) {
    faults.add(at, 'too_many', `has at most ${String(listValuesMax)} values`);
    return;
  }
  const scalars = value.map((item, index) => parseScalar(item, pointerTo(at, index), faults));
  return scalars.every((item) => item !== undefined) ? scalars : undefined;
}

function parseScalar(value: unknown, at: string, faults: Faults): Scalar | undefined {
  if (value === undefined) {
    faults.add(at, 'required', 'is required');
    return;
  }
  if (typeof value === 'string') {
    if (value.length <= textCharsMax) return value;
    faults.add(at, 'too_long', `has at most ${String(textCharsMax)} characters`);
    return;
  }
  if (value instanceof ExactNumber && value.text.length > textCharsMax) {
    faults.add(at, 'too_long', `has at most ${String(textCharsMax)} digits`);
    return;
  }
  if (typeof value === 'boolean' || isNumber(value)) return value;
  faults.add(at, 'wrong_type', 'must be a string, a number or a boolean');
}

function isNumber(value: unknown): value is JsonNumber {
  return value instanceof ExactNumber || (typeof value === 'number' && Number.isFinite(value));
}

function parseText(value: unknown, at: string, faults: Faults): string | undefined {
  if (value === undefined) {
    faults.add(at, 'required', 'is required');
    return;
  }
  if (typeof value !== 'string') {
    faults.add(at, 'wrong_type', 'must be a string');
    return;
  }
  if (value.length > textCharsMax) {
    faults.add(at, 'too_long', `has at most ${String(textCharsMax)} characters`);
    return;
  }
  return value;
}

/** Milliseconds of the ISO 8601 duration at `at`. */
export function parseDurationAt(value: unknown, at: string, faults: Faults): number | undefined {
  if (value === undefined) {
    faults.add(at, 'required', 'is required');
    return;
  }
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms === undefined) {
    faults.add(at, 'invalid_duration', invalidDurationText(value));
    return;
  }
  if (ms > durationMsMax) {
    faults.add(at, 'out_of_range', `must be at most ${String(durationMsMax / 86_400_000)} days`);
    return;
  }
  return ms;
}
