/** `npm run check:docs`, part of `npm run check`: what the documents say of the code, and comments of the documents. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { checkDocs } from './check-docs/check.ts';

const LEFT_OUT = new Set(['node_modules', 'dist', 'coverage', '.git', '.parts', '.hindsight']);

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

const root = process.cwd();
const texts = new Map<string, string>();
const faults = checkDocs({
  paths: filesBelow(root).map((path) => relative(root, path).split(sep).join('/')),
  read(path) {
    let text = texts.get(path);
    if (text === undefined) texts.set(path, (text = readFileSync(join(root, path), 'utf8')));
    return text;
  },
});
for (const { rule, path, message } of faults) console.error(`${path}: ${message} (${rule})`);
if (faults.length > 0) {
  console.error(`could not take the documents: ${String(faults.length)} faults`);
  process.exit(1);
}
