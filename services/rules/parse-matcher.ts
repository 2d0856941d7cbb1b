/** Which events are meant: `{"event": name or test, "type"?, "where"?}`, in conditions, stalls, sequences and triggers. */
import type { Check, EventMatcher, Operator, Test } from './condition.ts';
import { pointerTo, type Faults } from './faults.ts';
import { testsPerEventMax, textCharsMax } from './limits.ts';
import { parseCheck, parseTest } from './parse-predicate.ts';
import { isJsonObject, type JsonObject } from './paths.ts';

export const EVENT_TYPES = ['event', 'page', 'screen'] as const;
export const MATCHER_KEYS = ['event', 'type', 'where'] as const;
/** What may be asked of a name. */
export const NAME_OPERATORS = [
  'eq',
  'neq',
  'contains',
  'not_contains',
  'starts_with',
  'ends_with',
  'matches',
  'in',
  'not_in',
  'exists',
] as const satisfies readonly Operator[];

/** `event`, `type` and `where` of an object whose keys the caller has checked. */
export function parseMatcher(value: JsonObject, pointer: string, faults: Faults): EventMatcher | undefined {
  const eventType = value['type'] === undefined ? null : faults.oneOf(value, 'type', pointer, EVENT_TYPES);
  const named = parseName(value, pointer, faults);
  const where = parseWhere(value['where'], pointerTo(pointer, 'where'), faults);
  if (named === undefined || eventType === undefined || where === undefined) return undefined;
  return { ...named, eventType, where };
}

/** A whole matcher at its place. */
export function parseMatcherAt(value: unknown, pointer: string, faults: Faults): EventMatcher | undefined {
  if (value === undefined) {
    faults.add(pointer, 'required', 'is required');
    return;
  }
  const from = faults.object(value, pointer, MATCHER_KEYS, 'step');
  return from === undefined ? undefined : parseMatcher(from, pointer, faults);
}

type Named = Pick<EventMatcher, 'name' | 'nameCheck'>;

function parseName(value: JsonObject, pointer: string, faults: Faults): Named | undefined {
  const { event, type } = value;
  if (event === undefined && EVENT_TYPES.some((one) => one === type)) return { name: null, nameCheck: null };
  if (isJsonObject(event)) return parseNameTest(event, pointerTo(pointer, 'event'), faults);
  const name = faults.text(value, 'event', pointer, textCharsMax);
  return name === undefined ? undefined : { name, nameCheck: null };
}

function parseNameTest(test: JsonObject, pointer: string, faults: Faults): Named | undefined {
  faults.object(test, pointer, ['operator', 'value']);
  const operator = faults.oneOf(test, 'operator', pointer, NAME_OPERATORS);
  if (operator === undefined) return undefined;
  const at = pointerTo(pointer, 'value');
  const check = parseCheck(operator, test['value'], at, faults);
  if (check === undefined) return undefined;
  if (!asksText(check)) {
    faults.add(at, 'wrong_type', 'a name is text: must be text, or a list of texts');
    return;
  }
  return check.type === 'eq' && typeof check.value === 'string'
    ? { name: check.value, nameCheck: null }
    : { name: null, nameCheck: check };
}

function asksText(check: Check): boolean {
  if ('values' in check) return check.values.every((value) => typeof value === 'string');
  return !('value' in check) || typeof check.value === 'string';
}

export function parseWhere(value: unknown, pointer: string, faults: Faults): readonly Test[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    faults.add(pointer, 'wrong_type', 'must be a list of tests');
    return;
  }
  if (value.length > testsPerEventMax) {
    faults.add(pointer, 'too_many', `has at most ${String(testsPerEventMax)} tests`);
    return;
  }
  const tests = value.map((item: unknown, index) => {
    const at = pointerTo(pointer, index);
    const from = faults.object(item, at, ['property', 'operator', 'value'], 'test');
    return from === undefined ? undefined : parseTest(from, 'property', at, faults);
  });
  return tests.every((test) => test !== undefined) ? tests : undefined;
}
