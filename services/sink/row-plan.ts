/**
 * How a record's Avro bytes become a row's RowBinary bytes: one step a field, in the order of the schema, without an
 * object in between. Both formats are fields one after another, so a step copies, rewrites or skips a field. The plan
 * is compiled from the .avsc, so a new field is one word in tables.ts. Pure.
 */
import { schemaText } from '../../schemas/codec.ts';
import { CodedError } from '../runtime/errors.ts';
import type { TableSpec } from './tables.ts';

export const op = {
  string: 0,
  optionalString: 1,
  requiredString: 2,
  time: 3,
  optionalTime: 4,
  boolean: 5,
  integer: 6,
  symbol: 7,
  /** A record that may be null: without it there is no row. */
  enter: 8,
  skipString: 9,
  skipOptionalString: 10,
  skipNumber: 11,
  skipOptionalNumber: 12,
  skipBoolean: 13,
  skipSymbol: 14,
  requiredInteger: 15,
} as const;
export type Op = (typeof op)[keyof typeof op];

export interface Step {
  readonly op: Op;
  /** symbol, skipSymbol: for each index the text as RowBinary has it, or null for a record that is no row. */
  readonly symbols: readonly (Buffer | null)[];
}

export interface RowPlan {
  readonly steps: readonly Step[];
  /** Columns in the order in which the steps write them; then _partition and _offset. */
  readonly columns: readonly string[];
}

interface AvroField {
  readonly name: string;
  readonly type: AvroType;
}
type AvroType = string | readonly AvroType[] | AvroObject;
interface AvroObject {
  readonly type: string;
  readonly fields?: readonly AvroField[];
  readonly symbols?: readonly string[];
}

export function compileRowPlan(spec: TableSpec): RowPlan {
  const schema = JSON.parse(schemaText(spec.record)) as AvroObject; // our own file
  const steps: Step[] = [];
  const columns: string[] = [];
  const unused = new Set([...spec.fields, ...spec.required, ...Object.keys(spec.only)]);
  walk(schema, '');
  if (unused.size > 0) throw planError(spec, `there is no field ${[...unused].join(', ')}`);
  return { steps, columns };

  function walk(record: AvroObject, prefix: string): void {
    for (const { name, type } of record.fields ?? []) {
      const path = prefix + name;
      const inner = nullable(type);
      if (typeof inner === 'object' && !Array.isArray(inner) && (inner as AvroObject).type === 'record') {
        if (inner === type) throw planError(spec, `${path} is a record that cannot be null`);
        steps.push({ op: op.enter, symbols: [] });
        walk(inner as AvroObject, `${path}.`);
        continue;
      }
      const kept = spec.fields.includes(path);
      if (kept) columns.push(name);
      unused.delete(path);
      steps.push(stepFor(path, type, kept));
    }
  }

  function stepFor(path: string, type: AvroType, kept: boolean): Step {
    const inner = nullable(type);
    const optional = inner !== type;
    const symbols: (Buffer | null)[] = [];
    if (isObject(inner) && inner.type === 'enum' && !optional) {
      const accepted = spec.only[path];
      for (const symbol of inner.symbols ?? []) {
        symbols.push(accepted === undefined || accepted.includes(symbol) ? rowBinaryText(symbol) : null);
      }
      return { op: kept ? op.symbol : op.skipSymbol, symbols };
    }
    return { op: plainOp(path, inner, optional, kept), symbols };
  }

  function plainOp(path: string, inner: AvroType, optional: boolean, kept: boolean): Op {
    const isTime = isObject(inner) && inner.type === 'long';
    if (inner === 'string') {
      if (!kept) return optional ? op.skipOptionalString : op.skipString;
      if (optional) return spec.required.includes(path) ? op.requiredString : op.optionalString;
      return op.string;
    }
    if (isTime || inner === 'long' || inner === 'int') {
      if (!kept) return optional ? op.skipOptionalNumber : op.skipNumber;
      if (isTime) return optional ? op.optionalTime : op.time;
      if (!optional) return op.integer;
      if (spec.required.includes(path)) return op.requiredInteger;
    }
    if (inner === 'boolean' && !optional) return kept ? op.boolean : op.skipBoolean;
    throw planError(spec, `${path} has a type that is not built: ${JSON.stringify(inner)}`);
  }
}

function nullable(type: AvroType): AvroType {
  return Array.isArray(type) && type[0] === 'null' && type.length === 2 ? (type[1] as AvroType) : type;
}

function isObject(type: AvroType): type is AvroObject {
  return typeof type === 'object' && !Array.isArray(type);
}

/** A short text with its length before it. */
function rowBinaryText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function planError({ table, record }: TableSpec, detail: string): CodedError {
  return new CodedError('row_plan_invalid', `could not map ${record} to ${table}: ${detail}`);
}
