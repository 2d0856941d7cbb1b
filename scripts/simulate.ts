/**
 * `npm run simulate -- --seed N [--runs K] [--calm]`: the whole path under a seed (or K seeds from N on). Prints a line
 * a run with the hash of every record on every topic; the same seed gives the same hash. Exits 1 when a promise broke.
 */
import { parseArgs } from 'node:util';
import { defaultSize, simulate } from '../services/testing/simulator/simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    calm: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const runs = Number(values.runs);
if (!Number.isInteger(first) || !Number.isInteger(runs) || runs < 1) {
  console.error('could not simulate: --seed and --runs take whole numbers');
  process.exit(2);
}
for (let seed = first; seed < first + runs; seed += 1) {
  const { faults, ...report } = await simulate({ ...defaultSize, seed, calm: values.calm });
  console.log(JSON.stringify(report));
  for (const fault of faults) console.error(`seed ${String(seed)}: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
