/** Values that go to the edges of a schema: each branch, each symbol, least and greatest, empty and far from ASCII. */
import type { Field, NamedSchema, Schema } from './golden-records.ts';

/** Avro's ints, and longs up to the ends that avsc writes exactly by itself (schemas/exact-long.test.ts goes beyond). */
const INTS = [0, 1, -1, 63, 64, 2 ** 31 - 1, -(2 ** 31)];
const LONG_MAX = 2 ** 53 - 2;
const LONG_MIN = -(2 ** 52);
const LONGS = [1_700_000_000_000, 0, -1, 63, 64, -65, 2 ** 31, -(2 ** 31) - 1, LONG_MAX, LONG_MIN];
/** The longest length of one byte and the least of two; characters of one to four bytes. */
const TEXTS = ['a', '', 'Zoë 東京 🛒', '\u0000\u007f\u0080\uffff', 'x'.repeat(63), 'é'.repeat(32)];
const BYTES = [Buffer.from('w:a:1'), Buffer.alloc(0), Buffer.from([0, 0, 0, 0, 1, 255])];

/**
 * Records between which each field takes each of its values; a field with fewer of them begins again. Fields start at
 * different places, so that two of one type are not always alike.
 */
export function edgeValues(schema: NamedSchema): Record<string, unknown>[] {
  return recordsOf(schema, []);
}

function recordsOf({ fields = [] }: NamedSchema, outer: readonly NamedSchema[]): Record<string, unknown>[] {
  const choices = fields.map((field, place) => rotated(fieldValues(field, fields, outer), place));
  const count = Math.max(...choices.map(({ length }) => length));
  return Array.from({ length: count }, (_, at) =>
    Object.fromEntries(fields.map(({ name }, i) => [name, valueAt(choices[i] ?? [], at)])),
  );
}

function fieldValues({ type }: Field, siblings: readonly Field[], outer: readonly NamedSchema[]): unknown[] {
  const named = [...outer, ...siblings.flatMap((sibling) => namedIn(sibling.type))];
  return valuesOf(type, named);
}

function valuesOf(schema: Schema, named: readonly NamedSchema[]): unknown[] {
  if (Array.isArray(schema))
    return (schema as readonly Schema[]).flatMap((branch) => valuesOf(branch, named));
  if (typeof schema === 'string') return plainValues(schema, named);
  const one = schema as NamedSchema;
  if (one.type === 'enum') return [...(one.symbols ?? [])];
  if (one.type === 'record') return recordsOf(one, named);
  if (one.type === 'array') {
    const items = valuesOf(one.items ?? 'null', named);
    return [[], items.slice(0, 1), items];
  }
  return valuesOf(one.type, named);
}

function plainValues(name: string, named: readonly NamedSchema[]): unknown[] {
  switch (name) {
    case 'null':
      return [null];
    case 'boolean':
      return [false, true];
    case 'int':
      return INTS;
    case 'long':
      return LONGS;
    case 'string':
      return TEXTS;
    case 'bytes':
      return BYTES;
    default: {
      const known = named.find((one) => name.replace('hindsight.', '') === one.name);
      if (known === undefined) throw new Error(`no golden values are known for the type ${name}: add some`);
      return valuesOf(known, named);
    }
  }
}

/** Types that a schema declares, which what follows it may call by their name. */
function namedIn(schema: Schema): NamedSchema[] {
  if (typeof schema === 'string') return [];
  if (Array.isArray(schema)) return (schema as readonly Schema[]).flatMap(namedIn);
  const one = schema as NamedSchema;
  const within = [one.items ?? 'null', one.type, ...(one.fields ?? []).map(({ type }) => type)];
  return [...(one.name === undefined ? [] : [one]), ...within.flatMap(namedIn)];
}

function rotated<T>(values: readonly T[], by: number): T[] {
  return values.map((_, at) => values[(at + by) % values.length] as T); // within its length
}

function valueAt(values: readonly unknown[], at: number): unknown {
  return values[at % values.length];
}
