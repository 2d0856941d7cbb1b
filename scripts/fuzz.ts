/**
 * `npm run test:fuzz`: calls made from GET /v1/openapi.json, with each kind of key, against an installation of its own.
 * Options: --seed N, --calls N of each operation in a turn (20), --seconds N for each kind of key (120), --only TEXT of a kind
 * of key. Exits 1 unless every answer is one that the description names and none is a fault of ours. Needs python3.
 */
import { parseArgs } from 'node:util';
import { startOwnInstallation } from './chaos/own-installation.ts';
import { fuzz } from './fuzz/run.ts';
import { bringSchemathesis } from './fuzz/tool.ts';
import { runCommand } from './reach/run-command.ts';
import { findInstallation } from './sample/installation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    calls: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '120' },
    only: { type: 'string', default: '' },
  },
});

await runCommand(async () => {
  const tool = await bringSchemathesis(process.cwd(), new AbortController().signal);
  const own = await startOwnInstallation();
  try {
    const { http, keys } = findInstallation(own.dataFolder, 'default');
    const [seed, calls, seconds] = [Number(values.seed), Number(values.calls), Number(values.seconds)];
    print(`seed ${values.seed}`);
    const wrong = await fuzz({ tool, http, keys, seed, calls, seconds, only: values.only, print });
    print(
      wrong.length === 0 ? 'every answer was as described' : `not as described: with ${wrong.join(', ')}`,
    );
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } finally {
    await own.stop();
  }
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
