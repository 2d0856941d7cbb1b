/**
 * `npm run sizes`: prints how much each page loads for on-site messages, and writes it into docs/on-site.md. With --check,
 * fails when what stands there is something else. With --peers, measures what others have pages load, which needs the
 * network; --check then looks only whether each of them stands there. Bytes are those of the files, gzipped as they are served.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { exit } from 'node:process';
import { onSiteFiles } from '../services/browser/on-site-files.ts';
import { measuredPeers, peers } from './sizes/peers.ts';

const TARGET = 'docs/on-site.md';
const MARK = /(<!-- sizes: made by `npm run sizes` -->\n)[^]*?(<!-- sizes end -->)/;
const PEERS_MARK = /(<!-- peers: made by `npm run sizes -- --peers` -->\n)[^]*?(<!-- peers end -->)/;

const before = readFileSync(TARGET, 'utf8');
const ours = ownTable();
let after = withTable(before, MARK, ours);
if (process.argv.includes('--check')) {
  const rows = peerRows().map((row) => `${row} `);
  const stands = PEERS_MARK.exec(before)?.[0] ?? '';
  if (after !== before) fail('does not say the sizes of what is built: npm run sizes');
  if (rows.some((row) => !stands.includes(row)) || stands.match(/^\| .*@/gm)?.length !== rows.length)
    fail('does not say the sizes of these peers: npm run sizes -- --peers');
} else {
  console.log(ours.join('\n'));
  if (process.argv.includes('--peers')) {
    const table = peersTable();
    after = withTable(after, PEERS_MARK, table);
    console.log(table.join('\n'));
  }
  writeFileSync(TARGET, after);
}

function ownTable(): readonly string[] {
  const { client, renderer, html, framePage } = onSiteFiles();
  const gzipped = (...files: readonly { readonly gzipped: Buffer }[]) =>
    kilobytes(files.reduce((sum, file) => sum + file.gzipped.length, 0));
  const rows = [
    ['the client, on each page', gzipped(client)],
    ['the renderer, with the first message', gzipped(renderer)],
    ['both', gzipped(client, renderer)],
    ['what cleans html, with the first message that has html', gzipped(html)],
    ["the page in the frame of Customer.io's own plugin", gzipped(framePage)],
  ] as const;
  return [
    '| what a page loads | kB, gzipped |',
    '|---|---|',
    ...rows.map(([what, kb]) => `| ${what} | ${kb} |`),
  ];
}

function peersTable(): readonly string[] {
  const sizes = measuredPeers();
  return [
    '| of others | package | file | kB, gzipped |',
    '|---|---|---|---|',
    ...peerRows().map((row, index) => `${row} ${kilobytes(sizes[index] ?? 0)} |`),
  ];
}

/** Without their sizes. */
function peerRows(): readonly string[] {
  return peers.map(({ what, package: name, file }) => `| ${what} | ${name} | ${file} |`);
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(1);
}

function withTable(text: string, mark: RegExp, table: readonly string[]): string {
  if (!mark.test(text)) throw new Error(`${TARGET} has no place for the sizes`);
  return text.replace(mark, (_, begin: string, end: string) => `${begin}${table.join('\n')}\n${end}`);
}

function fail(why: string): never {
  console.error(`${TARGET} ${why}`);
  exit(1);
}
