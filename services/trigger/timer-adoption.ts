/** People whom a version before timers has stored say when they have to be looked at, and are in no index. */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { Adoption } from './adoption.ts';
import { changesAtOf, isAlive } from './decide/state-codec.ts';
import type { TimerIndex } from './timers.ts';

const PEOPLE_A_BATCH_MAX = 1_000;

export function timerAdoption(store: KeyedStore, timers: TimerIndex): Adoption {
  return new Adoption(store, {
    progressKey: 'y:timers',
    prefix: 'p:',
    entriesABatchMax: PEOPLE_A_BATCH_MAX,
    adopt: (personKey, stored) => {
      if (isAlive(stored)) timers.move(personKey, Infinity, changesAtOf(stored));
    },
  });
}
