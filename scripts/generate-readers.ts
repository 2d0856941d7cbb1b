/** Writes schemas/in-place from schemas/avro; with --check, fails when a file is not what it would write. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { exit } from 'node:process';
import { format, resolveConfig } from 'prettier';
import { schemaText } from '../schemas/codec.ts';
import { readerSpecs } from './readers/reader-specs.ts';
import { readerText } from './readers/reader-text.ts';

const isCheck = process.argv.includes('--check');
const stale: string[] = [];
for (const spec of readerSpecs) {
  const options = { ...(await resolveConfig(spec.file)), filepath: spec.file };
  const text = await format(readerText(spec, schemaText(spec.record)), options);
  if (!isCheck) writeFileSync(spec.file, text);
  else if (!existsSync(spec.file) || readFileSync(spec.file, 'utf8') !== text) stale.push(spec.file);
}
for (const file of stale) console.error(`${file} is not what schemas/avro says: run \`npm run generate\`.`);
if (stale.length > 0) exit(1);
