/**
 * Prints how much each page loads for on-site messages, and writes it into docs/on-site.md; with --check, fails when what
 * stands there is something else. Bytes are those of the built files, gzipped as they are served.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { exit } from 'node:process';
import { onSiteFiles } from '../services/browser/on-site-files.ts';

const TARGET = 'docs/on-site.md';
const MARK = /(<!-- sizes: made by `npm run sizes` -->\n)[^]*?(<!-- sizes end -->)/;

const { client, renderer, html, framePage } = onSiteFiles();
const gzipped = (...files: readonly { readonly gzipped: Buffer }[]) =>
  (files.reduce((sum, file) => sum + file.gzipped.length, 0) / 1_000).toFixed(1);

const rows = [
  ['the client, on each page', gzipped(client)],
  ['the renderer, with the first message', gzipped(renderer)],
  ['both', gzipped(client, renderer)],
  ['what cleans html, with the first message that has html', gzipped(html)],
  ["the page in the frame of Customer.io's own plugin", gzipped(framePage)],
] as const;
const table = [
  '| what a page loads | kB, gzipped |',
  '|---|---|',
  ...rows.map(([what, kb]) => `| ${what} | ${kb} |`),
];

const before = readFileSync(TARGET, 'utf8');
if (!MARK.test(before)) throw new Error(`${TARGET} has no place for the sizes`);
const after = before.replace(MARK, (_, begin: string, end: string) => `${begin}${table.join('\n')}\n${end}`);
if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, after);
  console.log(table.join('\n'));
} else if (after !== before) {
  console.error(`${TARGET} does not say the sizes of what is built: npm run sizes`);
  exit(1);
}
