/** Collects every fault of a definition with its JSON pointer, so that a bad PUT is answered once and whole. */
import { faultsMax } from './limits.ts';
import { isJsonObject, type JsonObject } from './paths.ts';

export type FaultCode =
  | 'required'
  | 'wrong_type'
  | 'unknown_key'
  | 'unknown_value'
  | 'ambiguous'
  | 'out_of_range'
  | 'too_long'
  | 'too_many'
  | 'too_deep'
  | 'invalid_duration'
  | 'invalid_pattern'
  | 'not_supported_yet';

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

/** Readers answer undefined after noting a fault, so that reading goes on. */
export class Faults {
  readonly list: Fault[] = [];

  add(pointer: string, code: FaultCode, message: string): undefined {
    if (this.list.length < faultsMax) this.list.push({ pointer, code, message });
    return undefined;
  }

  /** An object with no key beyond those allowed. */
  object(value: unknown, pointer: string, allowed: readonly string[]): JsonObject | undefined {
    if (!isJsonObject(value)) return this.add(pointer, 'wrong_type', 'must be an object');
    for (const key of Object.keys(value)) {
      if (!allowed.includes(key)) {
        this.add(pointerTo(pointer, key), 'unknown_key', `is not known here; known: ${allowed.join(', ')}`);
      }
    }
    return value;
  }

  text(from: JsonObject, key: string, pointer: string, charsMax: number): string | undefined {
    const at = pointerTo(pointer, key);
    const value = from[key];
    if (value === undefined) return this.add(at, 'required', 'is required');
    if (typeof value !== 'string') return this.add(at, 'wrong_type', 'must be a string');
    if (value.length === 0) return this.add(at, 'required', 'must not be empty');
    if (value.length > charsMax) {
      return this.add(at, 'too_long', `has at most ${String(charsMax)} characters`);
    }
    return value;
  }

  oneOf<T extends string>(
    from: JsonObject,
    key: string,
    pointer: string,
    values: readonly T[],
  ): T | undefined {
    const at = pointerTo(pointer, key);
    const value = from[key];
    if (value === undefined) return this.add(at, 'required', 'is required');
    const found = values.find((candidate) => candidate === value);
    return found ?? this.add(at, 'unknown_value', `must be one of ${values.join(', ')}`);
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
      return this.add(at, value === undefined ? 'required' : 'wrong_type', 'must be a whole number');
    }
    if (value < min || value > max) {
      return this.add(at, 'out_of_range', `must be ${String(min)} to ${String(max)}`);
    }
    return value;
  }
}
