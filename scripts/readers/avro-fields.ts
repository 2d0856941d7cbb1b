/** The fields of a record in the order in which they lie, each as one of the few types that our schemas use. Pure. */

export type FieldType = 'text' | 'number' | 'flag' | 'enum' | 'record';

export interface AvroField {
  readonly name: string;
  readonly type: FieldType;
  readonly optional: boolean;
  /** Of an enum: its name in the schema, and its symbols by index. */
  readonly enumName: string;
  readonly symbols: readonly string[];
  /** Of a record. */
  readonly fields: readonly AvroField[];
}

type Schema = string | readonly Schema[] | NamedSchema;
interface NamedSchema {
  readonly type: Schema;
  readonly name?: string;
  readonly symbols?: readonly string[];
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[];
}

const PLAIN: Readonly<Record<string, FieldType>> = {
  string: 'text',
  bytes: 'text', // lies as a text does
  int: 'number',
  long: 'number',
  boolean: 'flag',
};

/** Throws when a field is of a type that no reader is made for. */
export function avroFields(schemaText: string): readonly AvroField[] {
  return fieldsOf(JSON.parse(schemaText) as NamedSchema); // our own file
}

function fieldsOf({ fields = [] }: NamedSchema): readonly AvroField[] {
  return fields.map(({ name, type }) => {
    const isUnion = Array.isArray(type);
    const branches = isUnion ? (type as readonly Schema[]) : [type];
    const optional = isUnion && branches.length === 2 && branches[0] === 'null';
    const schema = optional ? branches[1] : branches[0];
    if ((isUnion && !optional) || schema === undefined) throw unreadable(name, type);
    return { name, optional, ...typeOf(name, schema) };
  });
}

function typeOf(name: string, schema: Schema): Omit<AvroField, 'name' | 'optional'> {
  const none = { enumName: '', symbols: [], fields: [] };
  if (typeof schema === 'string') {
    const plain = PLAIN[schema];
    if (plain === undefined) throw unreadable(name, schema);
    return { ...none, type: plain };
  }
  const named = schema as NamedSchema;
  if (named.type === 'enum') {
    return { ...none, type: 'enum', enumName: named.name ?? '', symbols: named.symbols ?? [] };
  }
  if (named.type === 'record') return { ...none, type: 'record', fields: fieldsOf(named) };
  return typeOf(name, named.type);
}

function unreadable(name: string, type: Schema): Error {
  return new Error(`could not make a reader: ${name} has a type that is not built: ${JSON.stringify(type)}`);
}
