/** Every fault of a value against a TypeBox schema, each with its JSON pointer. */
import type { Validator } from 'typebox/compile';
import type { Fault } from '../../schemas/http/app.ts';

export const faultsMax = 100;

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

export function shapeFaults(validator: Pick<Validator, 'Errors'>, value: unknown): readonly Fault[] {
  const errors: readonly SchemaError[] = validator.Errors(value);
  const faults = new Map<string, Fault>();
  for (const error of errors.slice(0, faultsMax)) {
    const fault = toFault(error);
    if (fault !== undefined && !faults.has(fault.pointer)) faults.set(fault.pointer, fault);
  }
  return [...faults.values()];
}

/** A key that is not known comes twice, once with its own pointer: that one says it best. */
function toFault({ keyword, instancePath, message, params }: SchemaError): Fault | undefined {
  if (keyword === 'additionalProperties') return undefined;
  if (keyword === 'boolean') {
    return { pointer: instancePath, code: 'unknown_key', message: 'is not known here' };
  }
  if (keyword === 'required') {
    const missing = (params as { requiredProperties?: readonly string[] }).requiredProperties ?? []; // TypeBox's shape
    return { pointer: `${instancePath}/${missing[0] ?? ''}`, code: 'required', message: 'is required' };
  }
  const code = keyword === 'type' || keyword === 'anyOf' ? 'wrong_type' : 'out_of_range';
  return { pointer: instancePath, code, message };
}
