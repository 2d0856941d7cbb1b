/**
 * What visitors of on-site messages take: the processors of in-app alone, over the real stores, without a broker.
 * `npm run bench -- visitors [--visitors 100000] [--flush-events 20000] [--folder DIR]`
 *
 * A row for each tenth of them, once all is written and garbage is collected: the disk, and the memory of a process that has
 * the heap of a service, and no reader and no sockets. It is its own (V8's heap, buffers, tables, pages that lmdb was about to
 * write), or pages of files, which the kernel takes back where memory is scarce. `bench -- in-app` measures the service.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { serviceNodeOptions } from '../infra/local/service-node-options.mjs';
import type { BenchRow } from '../scripts/bench.ts';

const script = fileURLToPath(new URL('in-app/fold-alone.ts', import.meta.url));

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const child = spawn(process.execPath, [...serviceNodeOptions, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const rows: BenchRow[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line); // a million takes minutes
    rows.push(JSON.parse(line) as BenchRow); // our own
  }
  return rows;
}
