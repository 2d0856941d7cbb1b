/**
 * A process that does nothing but work on a partition's stores until it is killed: `store-child.ts FOLDER SEED`. Which steps
 * a batch has follows from the seed and the batch's number, so whoever opens the folder afterwards knows what it must hold.
 */
import { realDisk, openPartitionStores } from '../../runtime/store/open-stores.ts';
import { doStep, modelNeeds, smallSizes, stepsOf } from './stores-steps.ts';

const [folder = '', seed = '0'] = process.argv.slice(2);
const stores = openPartitionStores(folder, modelNeeds, { ...realDisk, ...smallSizes });
process.stdout.write(`${String(stores.mark)}\n`);
for (let batch = stores.mark + 1; ; batch += 1) {
  for (const one of stepsOf(Number(seed), batch)) doStep(stores, one);
  stores.committed(batch);
  if (batch % 7 === 0) stores.flush();
  else stores.startFlush?.();
  process.stdout.write(`${String(stores.mark)}\n`); // what is marked survives a kill from now on
  await new Promise(setImmediate);
}
