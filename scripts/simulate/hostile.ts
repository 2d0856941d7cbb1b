/**
 * Hostile inputs to the merger at full size, on real stores and without a broker; smaller ones are in the suite
 * (services/testing/hostile). Prints what each took. A promise that breaks is an error.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mergeStorm } from '../../services/testing/hostile/merge-storm.ts';
import { personOfVeryMany } from '../../services/testing/hostile/one-person.ts';
import { claimedVisitor, unansweredVisitor } from '../../services/testing/hostile/one-visitor.ts';
import { laneEventsMax } from '../../services/merger/decide/limits.ts';

const OVERFULL = 1_000;
const VISITORS = 100_000;
const MERGES = 10_000;

const inputs: readonly (readonly [name: string, run: (folder: string) => object])[] = [
  [
    'one visitor, as many events as a lane takes and more, claimed',
    (folder) => claimedVisitor({ folder, events: laneEventsMax, overfull: OVERFULL }),
  ],
  [
    'the same behind a claim that identity has not answered',
    (folder) => unansweredVisitor({ folder, events: laneEventsMax, overfull: OVERFULL }),
  ],
  [
    'one email, very many visitors, then merged',
    (folder) => personOfVeryMany({ folder, visitors: VISITORS }),
  ],
  ['very many people merged into one', (folder) => mergeStorm({ folder, merges: MERGES, shape: 'star' })],
  ['each survivor merged into the next', (folder) => mergeStorm({ folder, merges: MERGES, shape: 'chain' })],
  ['aliases in a ring of fifty', (folder) => mergeStorm({ folder, merges: MERGES, shape: 'ring' })],
];

/** Returns whether all held. */
export function simulateHostile(): boolean {
  let held = true;
  for (const [name, run] of inputs) {
    const folder = mkdtempSync(join(tmpdir(), 'hindsight-hostile-'));
    const began = performance.now();
    try {
      console.log(name);
      console.table([run(folder)]);
    } catch (error) {
      held = false;
      console.error(error);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    console.log(`${String(Math.round((performance.now() - began) / 1_000))} s`);
  }
  return held;
}
