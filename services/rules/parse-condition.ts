/** A condition, from the JSON of a definition to the tree of condition.ts, with every fault at once. */
import { conditionForms, leavesOf, type Condition } from './condition.ts';
import { nearestTo, pointerTo, unknownKeyText, type Faults } from './faults.ts';
import { conditionDepthMax, conditionNodesMax, conditionsPerGroupMax, textCharsMax } from './limits.ts';
import { parseDevice, parseEvent, parseRelationship, parseSequence } from './parse-leaves.ts';
import { parseTest } from './parse-predicate.ts';
import { isJsonObject, type JsonObject } from './paths.ts';

/** `type` alone is an event, a page or a screen of any name. */
type Form = (typeof conditionForms)[number] | 'type';

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
    const forms: readonly Form[] = conditionForms.filter((form) => Object.hasOwn(value, form));
    const form = forms[0] ?? (Object.hasOwn(value, 'type') ? 'type' : undefined);
    if (form === undefined) {
      const misspelt = Object.keys(value).find((key) => nearestTo(key, conditionForms) !== undefined);
      if (misspelt !== undefined)
        faults.add(pointerTo(pointer, misspelt), 'unknown_key', unknownKeyText(misspelt, conditionForms));
      else faults.add(pointer, 'required', `must have one of the keys ${conditionForms.join(', ')}`);
      return;
    }
    if (forms.length > 1) {
      faults.add(pointer, 'ambiguous', `has ${forms.join(' and ')}; a condition has one of them`);
      return;
    }
    return this.#parseForm(form, value, pointer, depth);
  }

  #parseForm(form: Form, value: JsonObject, pointer: string, depth: number): Condition | undefined {
    const faults = this.#faults;
    switch (form) {
      case 'all':
      case 'any': {
        faults.object(value, pointer, [form], 'condition');
        const of = this.#parseGroup(value[form], pointerTo(pointer, form), depth);
        return of === undefined ? undefined : { type: form, pointer, of };
      }
      case 'not':
        return this.#parseNot(value, pointer, depth);
      case 'event':
      case 'type':
        return parseEvent(value, pointer, faults);
      case 'sequence':
        return parseSequence(value, pointer, faults);
      case 'relationship':
        return parseRelationship(value, pointer, faults);
      case 'device':
        return parseDevice(value, pointer, faults);
      case 'attribute': {
        faults.object(value, pointer, ['attribute', 'operator', 'value'], 'condition');
        const test = parseTest(value, 'attribute', pointer, faults);
        return test === undefined ? undefined : { type: 'attribute', pointer, ...test };
      }
      default: {
        faults.object(value, pointer, ['segment'], 'condition');
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

  /** `not`, and beside it that the person must be as old as the longest window in it. */
  #parseNot(value: JsonObject, pointer: string, depth: number): Condition | undefined {
    const faults = this.#faults;
    faults.object(value, pointer, ['not', 'age'], 'condition');
    const inner = this.parse(value['not'], pointerTo(pointer, 'not'), depth + 1);
    const of = inner === undefined ? undefined : ({ type: 'not', pointer, of: inner } as const);
    if (!Object.hasOwn(value, 'age')) return of;
    const at = pointerTo(pointer, 'age');
    const age = faults.oneOf(value, 'age', pointer, ['required'] as const);
    if (inner === undefined || of === undefined || age === undefined) return undefined;
    const atLeastMs = longestWindowMs(inner);
    if (atLeastMs === 0) {
      faults.add(at, 'ambiguous', 'age goes with a condition that has within');
      return;
    }
    return { type: 'all', pointer, of: [of, { type: 'age', pointer: at, atLeastMs }] };
  }
}

/** 0: none. */
function longestWindowMs(condition: Condition): number {
  return Math.max(0, ...leavesOf(condition).map((leaf) => ('withinMs' in leaf ? (leaf.withinMs ?? 0) : 0)));
}
