/**
 * `npm run simulate -- --seed N [--runs K] [--calm] [--files]`: the whole path under a seed (or K seeds from N on), with
 * --files its state on real files, with --leaps a clock that goes on by minutes to months. Prints a line
 * a run with the hash of every record on every topic; the same seed gives the same hash.
 * `npm run simulate -- --seed N --histories K [--path P]`: K random histories through the merger and a naive oracle.
 * `npm run simulate -- --hostile`: hostile inputs to the merger at full size.
 * Exits 1 when a promise broke.
 */
import { parseArgs } from 'node:util';
import { simulate } from '../services/testing/simulator/simulation.ts';
import { defaultSize, leapingSize } from '../services/testing/simulator/sizes.ts';
import { simulateHistories } from './simulate/histories.ts';
import { simulateHostile } from './simulate/hostile.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    calm: { type: 'boolean', default: false },
    files: { type: 'boolean', default: false },
    leaps: { type: 'boolean', default: false },
    histories: { type: 'string' },
    path: { type: 'string' },
    hostile: { type: 'boolean', default: false },
  },
});

const seed = wholeNumber('seed', values.seed);
if (values.hostile) {
  if (!simulateHostile()) process.exitCode = 1;
} else if (values.histories !== undefined) {
  const histories = wholeNumber('histories', values.histories);
  if (!simulateHistories({ seed, histories, path: values.path })) process.exitCode = 1;
} else await simulatePaths(seed, wholeNumber('runs', values.runs));

async function simulatePaths(first: number, runs: number): Promise<void> {
  for (let each = first; each < first + runs; each += 1) {
    const { calm, files } = values;
    const size = values.leaps ? leapingSize : defaultSize;
    const { faults, ...report } = await simulate({ ...size, seed: each, calm, files });
    console.log(JSON.stringify(report));
    for (const fault of faults) console.error(`seed ${String(each)}: ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
  }
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  const least = name === 'seed' ? -Infinity : 1;
  if (Number.isSafeInteger(number) && number >= least) return number;
  console.error(`could not simulate: --${name} takes a whole number`);
  process.exit(2);
}
