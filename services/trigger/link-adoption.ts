/**
 * People whom a version before objects had a place of their own has stored belong to objects, and stand in no index of who
 * does (object-book.ts). Until they are entered into it nobody is told of objects.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import { Adoption } from './adoption.ts';
import { decodeProfile } from './decide/profile-codec.ts';
import type { ObjectBook } from './object-book.ts';

const PROFILES_A_BATCH_MAX = 500;

export function linkAdoption(store: KeyedStore, objects: ObjectBook): Adoption {
  return new Adoption(store, {
    progressKey: 'y:objects',
    prefix: 'a:',
    entriesABatchMax: PROFILES_A_BATCH_MAX,
    adopt: (personKey, stored) => {
      const { relationships = [] } = decodeProfile(stored);
      for (const object of relationships) objects.link(personKey, object);
    },
  });
}
