/** Writes schemas/records.ts from schemas/avro/*.avsc; with --check, fails when the file is not what it would write. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

type Schema = string | readonly Schema[] | NamedSchema;
interface NamedSchema {
  readonly type: string;
  readonly name?: string;
  readonly doc?: string;
  readonly symbols?: readonly string[];
  readonly items?: Schema;
  readonly fields?: readonly { readonly name: string; readonly type: Schema; readonly doc?: string }[];
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  string: 'string',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  bytes: 'Buffer',
};
const declared = new Map<string, string>();

function typeOf(schema: Schema): string {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? schema.replace('hindsight.', '');
  if (Array.isArray(schema)) return (schema as readonly Schema[]).map(typeOf).reverse().join(' | ');
  const named = schema as NamedSchema;
  if (named.type === 'record') return declareRecord(named);
  if (named.type === 'enum') return (named.symbols ?? []).map((symbol) => `'${symbol}'`).join(' | ');
  if (named.type === 'array') return `readonly ${typeOf(named.items ?? 'null')}[]`;
  return typeOf(named.type);
}

function comment(doc: string | undefined): string {
  return doc === undefined ? '' : `/** ${doc} */\n`;
}

function declareRecord(record: NamedSchema): string {
  const name = record.name ?? 'Unnamed';
  const fields = (record.fields ?? []).map((f) => `${comment(f.doc)}readonly ${f.name}: ${typeOf(f.type)};`);
  declared.set(name, `${comment(record.doc)}export interface ${name} {\n${fields.join('\n')}\n}`);
  return name;
}

const target = 'schemas/records.ts';
const names: string[] = [];
for (const file of readdirSync('schemas/avro').sort()) {
  const record = JSON.parse(readFileSync(`schemas/avro/${file}`, 'utf8')) as NamedSchema;
  names.push(declareRecord(record));
}
const header =
  '/** Generated from schemas/avro by `npm run generate`. Times are milliseconds since 1970. Do not edit. */\n';
const index = `export interface Records {\n${names.map((name) => `readonly ${name}: ${name};`).join('\n')}\n}\n`;
const text = await format(header + [...declared.values()].join('\n\n') + '\n\n' + index, {
  ...(await resolveConfig(target)),
  filepath: target,
});
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(`${target} is not what schemas/avro says: run \`npm run generate\`.`);
    process.exit(1);
  }
} else writeFileSync(target, text);
