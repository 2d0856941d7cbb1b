/** `npm run backup -- FOLDER`: a copy of HINDSIGHT_DATA of one moment, while it runs or stopped (docs/operate.md). */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { backUp, megabytes } from '../infra/local/backup.ts';
import { runCommand } from './reach/run-command.ts';

/** Beyond ten seconds transactions of the broker expire, and tasks start again. */
const SECONDS_USUAL = 8;
const SECONDS_MAX = 600;
const HELP = `npm run backup -- FOLDER [options]
  FOLDER       the copy; it must not be there yet
  --seconds N  everything may stand still for so long at most (${String(SECONDS_USUAL)}); a copy that takes longer is given up
`;

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string' }, help: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [folder] = positionals;
const seconds = Number(values.seconds ?? SECONDS_USUAL);

async function main(to: string): Promise<void> {
  process.umask(0o077);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop.abort();
    });
  }
  const dataFolder = resolve(process.env['HINDSIGHT_DATA'] ?? '.hindsight');
  const { bytes, stillMs } = await backUp({
    dataFolder,
    to,
    stillMsMax: seconds * 1_000,
    stop: stop.signal,
  });
  const still =
    stillMs === undefined ? 'nothing ran' : `everything stood still for ${(stillMs / 1_000).toFixed(2)} s`;
  console.log(`${to} is a backup of ${dataFolder}: ${megabytes(bytes)}; ${still}
It holds keys and people's data. Keep .env and the files of a certificate with it.
To restore it: cp -a ${to} .hindsight in a checkout of this version without .hindsight, then npm start`);
}

if (values.help || folder === undefined || !(seconds > 0 && seconds <= SECONDS_MAX)) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  await runCommand(() => main(resolve(folder)));
}
