/**
 * `npm run bench -- <part> [options of the part]`: runs bench/<part>.ts, prints what it measured as a table and keeps it
 * as JSON under bench/results. Without a part, says which there are.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';

/** A line of the table; columns are in the order of the first row's fields. */
export type BenchRow = Readonly<Record<string, string | number>>;

interface BenchPart {
  /** May print its own story instead of giving rows. */
  readonly bench: (args: readonly string[]) => Promise<readonly BenchRow[] | undefined>;
}

const folder = new URL('../bench/', import.meta.url);

async function main([part, ...args]: readonly string[]): Promise<number> {
  const parts = await partNames();
  if (part === undefined || !parts.includes(part)) {
    console.error(
      `could not run ${part === undefined ? 'a benchmark: none was named' : `the benchmark "${part}"`}`,
    );
    console.error(`usage: npm run bench -- <part> [options]; parts: ${parts.join(', ')}`);
    return 2;
  }
  const loadBefore = loadavg()[0] ?? 0;
  const loaded: unknown = await import(new URL(`${part}.ts`, folder).href);
  if (!isBenchPart(loaded)) {
    console.error(`could not run bench/${part}.ts: it exports no function named bench`);
    return 2;
  }
  const rows = await loaded.bench(args);
  if (rows === undefined || rows.length === 0) return 0;
  console.table(rows);
  console.log(`kept in ${await keep(part, args, loadBefore, rows)}`);
  return 0;
}

/** The machine's load is part of the result: figures from a busy machine compare only among themselves. */
async function keep(
  part: string,
  args: readonly string[],
  loadBefore: number,
  rows: readonly BenchRow[],
): Promise<string> {
  const at = new Date().toISOString();
  const machine = { cores: availableParallelism(), loadBefore, node: process.version };
  const results = new URL('results/', folder);
  await mkdir(results, { recursive: true });
  const name = `${part}-${at.replaceAll(/[:.]/g, '-')}.json`;
  await writeFile(new URL(name, results), `${JSON.stringify({ part, args, at, machine, rows }, null, 2)}\n`);
  return `bench/results/${name}`;
}

/** Workloads lie there too: asked for one, the answer is that it exports no bench. */
async function partNames(): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return files.map((file) => file.slice(0, -'.ts'.length)).sort();
}

function isBenchPart(loaded: unknown): loaded is BenchPart {
  return (
    typeof loaded === 'object' && loaded !== null && 'bench' in loaded && typeof loaded.bench === 'function'
  );
}

process.exitCode = await main(process.argv.slice(2));
