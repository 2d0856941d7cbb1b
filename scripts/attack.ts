/**
 * `npm run test:attack`: attacks each bound of an installation of its own on purpose (scripts/attack). Options: --size N
 * (1), --rate N items a second (5,000), --quiet N seconds before and after (30), --only TEXT of an attack's name,
 * --within N ms (2,000), --memory N MiB of a service (1,024). Prints a report and exits 1 unless all of it held.
 */
import { parseArgs } from 'node:util';
import { describe, excessesOf, faultsOf } from './attack/report.ts';
import { runAttacks } from './attack/run.ts';
import { ownTarget } from './attack/target.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1' },
    rate: { type: 'string', default: '5000' },
    quiet: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    within: { type: 'string', default: '2000' },
    memory: { type: 'string', default: '1024' },
  },
});

async function main(): Promise<boolean> {
  const target = await ownTarget({});
  try {
    const report = await runAttacks({
      target,
      size: Number(values.size),
      itemsPerSecond: Number(values.rate),
      quietMs: Number(values.quiet) * 1_000,
      only: [values.only],
      print,
    });
    print(describe(report));
    const bounds = { latencyMsMax: Number(values.within), memoryBytesMax: Number(values.memory) * 1_048_576 };
    const wrong = [...faultsOf(report), ...excessesOf(report, bounds)];
    print(wrong.length === 0 ? 'all of it held' : `what did not hold:\n${wrong.join('\n')}`);
    return wrong.length === 0;
  } finally {
    await target.stop();
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main()
  .then((held) => {
    process.exitCode = held ? 0 : 1;
  })
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? String(error.stack) : String(error)}\n`);
    process.exitCode = 1;
  });
