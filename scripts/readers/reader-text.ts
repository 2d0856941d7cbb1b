/**
 * The text of a class that reads a record where it lies (schemas/in-place), from its schema and a spec of what is asked of
 * it. One statement a field, in the order of the schema, up to the last that is asked for. Pure.
 */
import { avroFields, type AvroField } from './avro-fields.ts';
import type { FieldUse, ReaderSpec } from './reader-specs.ts';

/** What the class is made of, collected on the way through the fields. */
interface Parts {
  /** Declarations, by name. */
  readonly enums: Map<string, string>;
  readonly properties: string[];
  readonly getters: string[];
  readonly checks: string[];
  readonly methods: string[];
}

/** Throws when the spec names a field that the schema does not have, or asks of one what it is not. */
export function readerText(spec: ReaderSpec, schemaText: string): string {
  const parts: Parts = { enums: new Map(), properties: [], getters: [], checks: [], methods: [] };
  const unknown = new Set([...Object.keys(spec.uses), ...Object.values(spec.later).flat()]);
  const fields = avroFields(schemaText);
  const statements = readAll(fields, '', { spec, parts, unknown });
  const missing = [...unknown];
  if (missing.length > 0) throw impossible(spec, `the schema has no field ${missing.join(', ')}`);
  const later = Object.entries(spec.later).map(([method, paths]) => laterMethod(method, paths, fields, spec));
  return [
    heading(spec),
    imports(spec),
    ...[...parts.enums.values()].map((list) => `${list}\n`),
    `export class ${spec.className} extends InPlaceReader {`,
    ...parts.properties,
    ...(later.length > 0
      ? ['/** Where the fields begin that are read when they are asked for. */\n#later = 0;']
      : []),
    '',
    readMethod(spec, statements, parts),
    ...parts.getters,
    ...parts.methods,
    ...later,
    '}',
    '',
  ].join('\n');
}

interface Walk {
  readonly spec: ReaderSpec;
  readonly parts: Parts;
  /** Named by the spec and not met yet. */
  readonly unknown: Set<string>;
}

/** Statements that read a record's fields, as far as any is asked for. */
function readAll(fields: readonly AvroField[], prefix: string, walk: Walk): string[] {
  const { spec, parts, unknown } = walk;
  const asked = (paths: readonly string[], field: AvroField): boolean =>
    paths.some((path) => path === prefix + field.name || path.startsWith(`${prefix}${field.name}.`));
  const [now, later] = [Object.keys(spec.uses), Object.values(spec.later).flat()];
  const last = fields.findLastIndex((field) => asked(now, field));
  const statements = fields.slice(0, last + 1).map((field, place) => {
    const path = prefix + field.name;
    unknown.delete(path);
    if (field.type !== 'record') return readOne(field, path, walk);
    if (place !== last || !field.optional)
      throw impossible(spec, `${path} is not a last record that may be null`);
    const [flag, method] = [`has${capital(field.name)}`, `#read${capital(field.name)}`];
    parts.properties.push(`${flag} = false;`);
    const inner = readAll(field.fields, `${path}.`, walk);
    parts.methods.push(`${method}(): void {\n${inner.join('\n')}\n}\n`);
    return `this.${flag} = this.isThere();\nif (this.${flag}) this.${method}();`;
  });
  const behind = fields.slice(last + 1).filter((field) => asked(later, field));
  for (const field of behind) unknown.delete(prefix + field.name);
  if (behind.length > 0) statements.push('this.#later = this.at;');
  return statements;
}

function readOne(field: AvroField, path: string, { spec, parts }: Walk): string {
  const use = spec.uses[path];
  if (use === undefined) return `${skipOf(field)} // ${field.name}`;
  const name = camel(field.name);
  switch (use) {
    case 'span':
      mustBe(field, 'text', path, { spec, use });
      parts.properties.push(`readonly ${name}: Span = { start: -1, end: -1 };`);
      return `this.read${field.optional ? 'Optional' : ''}Span(this.${name});`;
    case 'place': {
      mustBe(field, 'text', path, { spec, use });
      const [read, type] = field.optional ? ['optionalTextAt', 'string | null'] : ['textAt', 'string'];
      parts.properties.push(`#${name} = 0;`);
      parts.getters.push(`get ${name}(): ${type} {\nreturn this.${read}(this.#${name});\n}`);
      return `this.#${name} = this.at;\n${skipOf(field)}`;
    }
    case 'same':
      mustBe(field, 'text', path, { spec, use });
      parts.properties.push(`${name} = '';`);
      return `this.${name} = this.readSameText();`;
    case 'index':
      mustBe(field, 'enum', path, { spec, use });
      enumOf(field, path, { spec, parts });
      parts.properties.push(`/** Index of ${enumName(field)}. */\n${name} = 0;`);
      parts.checks.push(`this.${name} >= 0`, `this.${name} < ${String(field.symbols.length)}`);
      return `this.${name} = this.readLong();`;
    case 'symbol': {
      mustBe(field, 'enum', path, { spec, use });
      const list = enumOf(field, path, { spec, parts });
      parts.properties.push(
        `${name}: Exclude<(typeof ${list})[number], undefined> = '${field.symbols[0] ?? ''}';`,
      );
      return `this.${name} = symbolAt(${list}, this.readLong(), '${spec.called}');`;
    }
    case 'value':
      parts.properties.push(propertyOf(field, name));
      return `this.${name} = ${valueOf(field)};`;
  }
}

/** The method that reads further fields; what lies between them is gone over. */
function laterMethod(
  method: string,
  paths: readonly string[],
  fields: readonly AvroField[],
  spec: ReaderSpec,
): string {
  const inner = paths[0]?.split('.').slice(0, -1).join('.') ?? '';
  const record = inner === '' ? fields : (fields.find(({ name }) => name === inner)?.fields ?? []);
  const prefix = inner === '' ? '' : `${inner}.`;
  const names = paths.map((path) => path.slice(prefix.length));
  const from = record.findLastIndex(({ name }) => `${prefix}${name}` in spec.uses) + 1;
  const to = record.findLastIndex(({ name }) => names.includes(name));
  const between = record.slice(from, to + 1);
  const lines = between.map((field) =>
    names.includes(field.name)
      ? `const ${camel(field.name)} = ${valueOf(field)};`
      : `${skipOf(field)} // ${field.name}`,
  );
  const kept = between.filter(({ name }) => names.includes(name)).map(({ name }) => name);
  if (kept.length !== names.length) throw impossible(spec, `${method} reads what lies before its place`);
  const result = kept.map((name) => (camel(name) === name ? name : `${name}: ${camel(name)}`)).join(', ');
  const typed = between
    .filter(({ name }) => names.includes(name))
    .map((field) => `readonly ${field.name}: ${typeOfValue(field)}`)
    .join('; ');
  return `
/** Of the record that was read last. Throws RangeError when it ends before these fields do. */
${method}(): { ${typed} } {
this.at = this.#later;
${lines.join('\n')}
this.mustBeWhole('${spec.called}');
return { ${result} };
}`;
}

function readMethod(
  { refusal, called }: ReaderSpec,
  statements: readonly string[],
  { checks }: Parts,
): string {
  const throws = refusal === 'throws';
  const about = throws ? 'Throws RangeError when it is not one.' : 'False when it is not one.';
  const end = throws
    ? [
        ...checks.map((check) => `if (!(${check})) throw new RangeError('no ${called}');`),
        `this.mustBeWhole('${called}');`,
      ]
    : [`return ${['this.isWhole()', ...checks].join(' && ')};`];
  return `
/** Reads the value in bytes[start, end), a record of this process's own schema. ${about} */
read(bytes: Buffer, start: number, end: number): ${throws ? 'void' : 'boolean'} {
this.begin(bytes, start, end);
${[...statements, ...end].join('\n')}
}
`;
}

function skipOf(field: AvroField): string {
  const optional = field.optional ? 'Optional' : '';
  switch (field.type) {
    case 'text':
      return `this.skip${optional}Text();`;
    case 'number':
    case 'enum':
      return `this.skip${optional}Long();`;
    case 'flag':
      return `this.at += 1;`;
    case 'record':
      throw new Error(`could not make a reader: ${field.name} is a record that nothing is asked of`);
  }
}

function valueOf(field: AvroField): string {
  const optional = field.optional ? 'Optional' : '';
  if (field.type === 'text') return `this.read${optional}Text()`;
  if (field.type === 'number') return `this.read${optional}Long()`;
  if (field.type === 'flag' && !field.optional) return 'this.readFlag()';
  throw new Error(`could not make a reader: ${field.name} has no plain value`);
}

function typeOfValue(field: AvroField): string {
  const type = field.type === 'text' ? 'string' : field.type === 'number' ? 'number' : 'boolean';
  return field.optional ? `${type} | null` : type;
}

function propertyOf(field: AvroField, name: string): string {
  if (field.optional) return `${name}: ${typeOfValue(field)} = null;`;
  const initial = field.type === 'text' ? "''" : field.type === 'number' ? '0' : 'false';
  return `${name} = ${initial};`;
}

/** Notes the enum's list and gives its name. */
function enumOf(field: AvroField, path: string, { spec, parts }: Pick<Walk, 'spec' | 'parts'>): string {
  const without = spec.without[path] ?? [];
  const list = enumName(field);
  const symbols = field.symbols.map((symbol) => (without.includes(symbol) ? 'undefined' : `'${symbol}'`));
  const exported = spec.uses[path] === 'index' ? 'export ' : ''; // a symbol says itself, an index does not
  parts.enums.set(list, `${exported}const ${list} = [${symbols.join(', ')}] as const;`);
  return list;
}

function enumName({ enumName: name }: AvroField): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}s`;
}

function mustBe(
  field: AvroField,
  type: AvroField['type'],
  path: string,
  { spec, use }: { readonly spec: ReaderSpec; readonly use: FieldUse },
): void {
  if (field.type !== type || (type === 'enum' && field.optional)) {
    throw impossible(spec, `${path} is not what '${use}' reads`);
  }
}

function heading({ about, record }: ReaderSpec): string {
  return `/**
 * ${about}
 * Made from schemas/avro/${record}.avsc and scripts/readers/reader-specs.ts by \`npm run generate\`. Do not edit.
 */`;
}

function imports({ uses }: ReaderSpec): string {
  const asked = new Set(Object.values(uses));
  const names = [
    'InPlaceReader',
    ...(asked.has('symbol') ? ['symbolAt'] : []),
    ...(asked.has('span') ? ['type Span'] : []),
  ];
  return `import { ${names.join(', ')} } from './in-place-reader.ts';\n`;
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function capital(name: string): string {
  return camel(`_${name}`);
}

function impossible({ className }: ReaderSpec, detail: string): Error {
  return new Error(`could not make ${className}: ${detail}`);
}
