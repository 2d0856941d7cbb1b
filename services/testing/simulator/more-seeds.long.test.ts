/** The whole path under more seeds than `npm test` has time for; `npm run simulate` goes through thousands. */
import { expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { simulate } from './simulation.ts';
import { defaultSize, leapingSize } from './sizes.ts';

const run = promisify(execFile);
/** In 8013 and 8016 a process with the old number of tasks had come back and gone on beside the new ones. */
const seeds = [8013, 8016];
const seedsOnFiles = [13, 14];
const seedsWithLeaps = [16];
// Virtual minutes take real seconds, more of them on a busy machine.
jest.setTimeout(900_000);

test.each(seeds)('keeps its promises through crashes and changes of owner (seed %i)', async (seed) => {
  const report = await simulate({ ...defaultSize, seed });
  expect(report.faults).toEqual([]);
  expect(report.kills + report.takeovers).toBeGreaterThan(5);
});

test.each(seedsWithLeaps)('does so while the clock goes on by minutes to months (seed %i)', async (seed) => {
  const report = await simulate({ ...leapingSize, seed });
  expect(report.faults).toEqual([]);
  expect(report.controls).toBeGreaterThan(10);
});

test.each(seedsOnFiles)('does so with its state on real files, to the same bytes (seed %i)', async (seed) => {
  const report = await simulate({ ...defaultSize, seed, files: true });
  expect(report.faults).toEqual([]);
  expect(await simulate({ ...defaultSize, seed })).toEqual(report);
});

test('gives the same bytes in another process', async () => {
  const { stdout } = await run(process.execPath, ['scripts/simulate.ts', '--seed', '7'], {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const { faults, ...report } = await simulate({ ...defaultSize, seed: 7 });
  expect(faults).toEqual([]);
  expect(JSON.parse(stdout)).toEqual(report);
});
