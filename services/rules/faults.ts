/** Collects every fault of a definition with its JSON pointer, so that a bad PUT is answered once and whole. */
import type { FaultCode } from '../../schemas/http/fault-codes.ts';
import { NewPatterns, type DefinitionPatterns } from './definition-patterns.ts';
import { descriptionCharsMax, faultsMax } from './limits.ts';
import { whereItGoes, type Place } from './misplaced.ts';
import { nearestName } from '../runtime/nearest-name.ts';
import { isJsonObject, type JsonObject } from './paths.ts';

export interface Fault {
  /** RFC 6901, into the body. */
  readonly pointer: string;
  readonly code: FaultCode;
  readonly message: string;
}

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly Fault[] };

export function pointerTo(parent: string, key: string | number): string {
  return `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** @returns the value, unless anything was wrong. */
export function parsed<T>(value: T | undefined, { list }: Faults): Parsed<T> {
  return value === undefined || list.length > 0 ? { ok: false, faults: list } : { ok: true, value };
}

/** @param place where it stands: what is known elsewhere is told where it goes. */
export function unknownKeyText(key: string, allowed: readonly string[], place?: Place): string {
  const quoted = JSON.stringify(shortened(key));
  const goes = place === undefined ? undefined : whereItGoes(key, place)?.replace(`${quoted} `, 'it ');
  const near = nearestTo(key, allowed);
  const meant = goes === undefined ? (near === undefined ? '' : ` (did you mean ${near}?)`) : `: ${goes}`;
  return `${quoted} is not known here${meant}; known: ${allowed.join(', ')}`;
}

/** What others write for our operators. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  ...{ '=': 'eq', '==': 'eq', '===': 'eq', is: 'eq', equals: 'eq', equal: 'eq', equal_to: 'eq' },
  ...{
    '!=': 'neq',
    '!==': 'neq',
    '<>': 'neq',
    ne: 'neq',
    is_not: 'neq',
    not_equals: 'neq',
    not_equal: 'neq',
  },
  ...{ '>': 'gt', '>=': 'gte', '<': 'lt', '<=': 'lte', ge: 'gte', le: 'lte' },
  ...{ greater_than: 'gt', more_than: 'gt', less_than: 'lt', at_least: 'gte', at_most: 'lte' },
  ...{ includes: 'contains', regex: 'matches', one_of: 'in', is_set: 'exists', is_not_set: 'not_exists' },
};

function unknownValueText(value: unknown, values: readonly string[]): string {
  const all = `must be one of ${values.join(', ')}`;
  if (typeof value !== 'string') return all;
  const other = new Map(Object.entries(OTHER_NAMES)).get(value.toLowerCase());
  const near = other !== undefined && values.includes(other) ? other : nearestTo(value, values);
  return near === undefined ? all : `${all}; did you mean ${near}?`;
}

/** Of what somebody else wrote. */
function shortened(text: string): string {
  return text.length <= charsToldMax ? text : `${text.slice(0, charsToldMax)}…`;
}
const charsToldMax = 60;

export function nearestTo(text: string, known: readonly string[]): string | undefined {
  return text.length > charsToldMax ? undefined : nearestName(text, known);
}

/** Readers answer undefined after noting a fault, so that reading goes on. */
export class Faults {
  readonly list: Fault[] = [];
  readonly patterns: DefinitionPatterns;

  constructor(patterns: DefinitionPatterns = new NewPatterns()) {
    this.patterns = patterns;
  }

  add(pointer: string, code: FaultCode, message: string): void {
    if (this.list.length < faultsMax) this.list.push({ pointer, code, message });
  }

  /** An object with no key beyond those allowed. */
  object(value: unknown, pointer: string, allowed: readonly string[], place?: Place): JsonObject | undefined {
    if (!isJsonObject(value)) {
      this.add(pointer, 'wrong_type', 'must be an object');
      return;
    }
    for (const key of Object.keys(value)) {
      if (!allowed.includes(key)) {
        this.add(pointerTo(pointer, key), 'unknown_key', unknownKeyText(key, allowed, place));
      }
    }
    return value;
  }

  text(from: JsonObject, key: string, pointer: string, charsMax: number): string | undefined {
    const at = pointerTo(pointer, key);
    const value = from[key];
    if (value === undefined) {
      this.add(at, 'required', 'is required');
      return;
    }
    if (typeof value !== 'string') {
      this.add(at, 'wrong_type', 'must be a string');
      return;
    }
    if (value.length === 0) {
      this.add(at, 'required', 'must not be empty');
      return;
    }
    if (value.length > charsMax) {
      this.add(at, 'too_long', `has at most ${String(charsMax)} characters`);
      return;
    }
    return value;
  }

  /** null: none. */
  description(from: JsonObject): string | null {
    const value = from['description'];
    if (value === undefined || value === null) return null;
    if (typeof value === 'string' && value.length <= descriptionCharsMax) return value;
    const code = typeof value === 'string' ? 'too_long' : 'wrong_type';
    this.add('/description', code, `must be a string of at most ${String(descriptionCharsMax)} characters`);
    return null;
  }

  /** A share of people or visitors; 0: nobody. */
  holdout(from: JsonObject): number {
    const value = from['holdout'];
    if (value === undefined) return 0;
    if (typeof value === 'number' && value >= 0 && value <= 1) return value;
    const code = typeof value === 'number' ? 'out_of_range' : 'wrong_type';
    this.add('/holdout', code, 'must be a number from 0 to 1');
    return 0;
  }

  oneOf<T extends string>(
    from: JsonObject,
    key: string,
    pointer: string,
    values: readonly T[],
  ): T | undefined {
    const at = pointerTo(pointer, key);
    const value = from[key];
    if (value === undefined) {
      this.add(at, 'required', `is required: one of ${values.join(', ')}`);
      return;
    }
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) this.add(at, 'unknown_value', unknownValueText(value, values));
    return found;
  }

  integer(
    from: JsonObject,
    key: string,
    pointer: string,
    { min, max }: { readonly min: number; readonly max: number },
  ): number | undefined {
    const at = pointerTo(pointer, key);
    const value = from[key];
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      this.add(at, value === undefined ? 'required' : 'wrong_type', 'must be a whole number');
      return;
    }
    if (value < min || value > max) {
      this.add(at, 'out_of_range', `must be ${String(min)} to ${String(max)}`);
      return;
    }
    return value;
  }
}
