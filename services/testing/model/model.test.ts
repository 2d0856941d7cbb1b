/**
 * Promises 2 and 3: whatever lanes and identity do in whatever order, restarts included, every lane comes to what a
 * naive reading of the same calls comes to. A failure prints its seed, its path and the history, which repeat it;
 * `npm run simulate -- --histories 100000` plays more of them.
 */
import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { history, schedule, type History } from './history.ts';
import { play, type Played } from './play.ts';
import { differences, replayFaults } from './story.ts';
import { told } from './tell.ts';
import { runs } from '../runs.ts';

const HISTORIES = runs(250);
const REPLAYS = runs(30);

function holds(histories: number, faultsOf: (played: Played) => readonly string[]): void {
  fc.assert(
    fc.property(history, schedule, (each: History, choices) => {
      const faults = faultsOf(play(each, choices));
      if (faults.length > 0) throw new Error([...told(each), ...faults].join('\n'));
    }),
    { numRuns: histories },
  );
}

describe('the merger', () => {
  test('comes to what a naive reading of the calls comes to, whoever moves first and whoever restarts', () => {
    holds(HISTORIES, differences);
  });

  test('gives the same bytes when its batches are replayed, with a restart before each', () => {
    holds(REPLAYS, replayFaults);
  });
});
