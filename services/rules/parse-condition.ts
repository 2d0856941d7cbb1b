/** A condition, from the JSON of a definition to the tree of condition.ts, with every fault at once. */
import type { Condition, Count, EventCondition, EventMatcher, Test } from './condition.ts';
import { pointerTo, type Faults } from './faults.ts';
import {
  conditionDepthMax,
  conditionNodesMax,
  conditionsPerGroupMax,
  countMax,
  distinctMax,
  testsPerEventMax,
  textCharsMax,
} from './limits.ts';
import { parseDurationAt, parseTest } from './parse-predicate.ts';
import { isJsonObject, type JsonObject } from './paths.ts';

const FORMS = ['all', 'any', 'not', 'event', 'attribute', 'segment'] as const;
export const EVENT_TYPES = ['event', 'page', 'screen'] as const;

export class ConditionParser {
  readonly #faults: Faults;
  #nodes = 0;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  parse(value: unknown, pointer: string, depth = 1): Condition | undefined {
    const faults = this.#faults;
    this.#nodes += 1;
    if (this.#nodes > conditionNodesMax) {
      if (this.#nodes > conditionNodesMax + 1) return undefined; // said once
      faults.add(pointer, 'too_many', `a rule has at most ${String(conditionNodesMax)} conditions`);
      return;
    }
    if (depth > conditionDepthMax) {
      faults.add(pointer, 'too_deep', `conditions nest at most ${String(conditionDepthMax)} levels deep`);
      return;
    }
    if (value === undefined) {
      faults.add(pointer, 'required', 'is required');
      return;
    }
    if (!isJsonObject(value)) {
      faults.add(pointer, 'wrong_type', 'must be an object');
      return;
    }
    const forms = FORMS.filter((form) => Object.hasOwn(value, form));
    const [form] = forms;
    if (form === undefined) {
      faults.add(pointer, 'required', `must have one of the keys ${FORMS.join(', ')}`);
      return;
    }
    if (forms.length > 1) {
      faults.add(pointer, 'ambiguous', `has ${forms.join(' and ')}; a condition has one of them`);
      return;
    }
    return this.#parseForm(form, value, pointer, depth);
  }

  #parseForm(
    form: (typeof FORMS)[number],
    value: JsonObject,
    pointer: string,
    depth: number,
  ): Condition | undefined {
    const faults = this.#faults;
    switch (form) {
      case 'all':
      case 'any': {
        faults.object(value, pointer, [form]);
        const of = this.#parseGroup(value[form], pointerTo(pointer, form), depth);
        return of === undefined ? undefined : { type: form, pointer, of };
      }
      case 'not': {
        faults.object(value, pointer, ['not', 'age']);
        if (Object.hasOwn(value, 'age')) {
          faults.add(pointerTo(pointer, 'age'), 'not_supported_yet', 'age is not built yet');
        }
        const of = this.parse(value['not'], pointerTo(pointer, 'not'), depth + 1);
        return of === undefined ? undefined : { type: 'not', pointer, of };
      }
      case 'event':
        return this.#parseEvent(value, pointer);
      case 'attribute': {
        faults.object(value, pointer, ['attribute', 'operator', 'value']);
        const test = parseTest(value, 'attribute', pointer, faults);
        return test === undefined ? undefined : { type: 'attribute', pointer, ...test };
      }
      default: {
        faults.object(value, pointer, ['segment']);
        const segmentId = faults.text(value, 'segment', pointer, textCharsMax);
        return segmentId === undefined ? undefined : { type: 'segment', pointer, segmentId };
      }
    }
  }

  #parseGroup(value: unknown, pointer: string, depth: number): readonly Condition[] | undefined {
    const faults = this.#faults;
    if (!Array.isArray(value)) {
      faults.add(pointer, 'wrong_type', 'must be a list of conditions');
      return;
    }
    if (value.length === 0) {
      faults.add(pointer, 'required', 'must not be empty');
      return;
    }
    if (value.length > conditionsPerGroupMax) {
      faults.add(pointer, 'too_many', `has at most ${String(conditionsPerGroupMax)} conditions`);
      return;
    }
    const of = value.map((item, index) => this.parse(item, pointerTo(pointer, index), depth + 1));
    return of.every((item) => item !== undefined) ? of : undefined;
  }

  #parseEvent(value: JsonObject, pointer: string): EventCondition | undefined {
    const faults = this.#faults;
    for (const key of ['without', 'for']) {
      if (Object.hasOwn(value, key)) {
        faults.add(pointerTo(pointer, key), 'not_supported_yet', 'event … without … for is not built yet');
      }
    }
    faults.object(value, pointer, ['event', 'type', 'where', 'count', 'within', 'without', 'for']);
    const matcher = parseMatcher(value, pointer, faults);
    const count = this.#parseCount(value['count'], pointerTo(pointer, 'count'));
    const withinMs =
      value['within'] === undefined
        ? null
        : parseDurationAt(value['within'], pointerTo(pointer, 'within'), faults);
    if (matcher === undefined || count === undefined || withinMs === undefined) return undefined;
    return { type: 'event', pointer, ...matcher, count, withinMs };
  }

  #parseCount(value: unknown, pointer: string): Count | undefined {
    const faults = this.#faults;
    if (value === undefined) return { type: 'at_least', n: 1 };
    const count = faults.object(value, pointer, ['at_least', 'at_most', 'distinct']);
    if (count === undefined) return undefined;
    const both = Object.hasOwn(count, 'at_least') && Object.hasOwn(count, 'at_most');
    if (both) {
      faults.add(pointer, 'ambiguous', 'has at_least and at_most; a count has one of them');
      return;
    }
    if (Object.hasOwn(count, 'distinct')) return this.#parseDistinct(count, pointer);
    const type = Object.hasOwn(count, 'at_most') ? 'at_most' : 'at_least';
    const n = faults.integer(count, type, pointer, { min: type === 'at_most' ? 0 : 1, max: countMax });
    return n === undefined ? undefined : { type, n };
  }

  #parseDistinct(count: JsonObject, pointer: string): Count | undefined {
    const faults = this.#faults;
    const path = faults.text(count, 'distinct', pointer, textCharsMax);
    if (Object.hasOwn(count, 'at_most')) {
      faults.add(
        pointerTo(pointer, 'at_most'),
        'not_supported_yet',
        'distinct … at_most is not built yet; say not … at_least',
      );
      return;
    }
    const n = faults.integer(count, 'at_least', pointer, { min: 1, max: distinctMax });
    return path === undefined || n === undefined ? undefined : { type: 'distinct', path, n };
  }
}

/** `event`, `type` and `where` of an object whose keys the caller has checked. */
export function parseMatcher(value: JsonObject, pointer: string, faults: Faults): EventMatcher | undefined {
  const name = faults.text(value, 'event', pointer, textCharsMax);
  const eventType = value['type'] === undefined ? null : faults.oneOf(value, 'type', pointer, EVENT_TYPES);
  const where = parseWhere(value['where'], pointerTo(pointer, 'where'), faults);
  if (name === undefined || eventType === undefined || where === undefined) return undefined;
  return { name, eventType, where };
}

function parseWhere(value: unknown, pointer: string, faults: Faults): readonly Test[] | undefined {
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
    const from = faults.object(item, at, ['property', 'operator', 'value']);
    return from === undefined ? undefined : parseTest(from, 'property', at, faults);
  });
  return tests.every((test) => test !== undefined) ? tests : undefined;
}
