/**
 * People who were taken apart and whose past is to be read again, of one partition, in the keyed store (`d:`). A later split
 * of the same person takes the place of an earlier one: what is read for that is not heeded.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { WorkspaceRules } from './decide/workspace-rules.ts';
import type { ToldApart } from './past-messages.ts';
import type { Apart, WantedPast } from './wanted-past.ts';

const PREFIX = 'd:';
const END = 'd;';
const LOAD_ROWS = 1_000;

/** Splits are calls of people, one by one; each leaves two rows for as long as a reading takes. */
export class ApartBook {
  readonly #store: KeyedStore;
  readonly #rows = new Map<string, Apart>();

  constructor(store: KeyedStore) {
    this.#store = store;
    for (let from = PREFIX; ;) {
      const found = store.scan(from, END, LOAD_ROWS);
      for (const [key, value] of found) this.#rows.set(key, JSON.parse(value.toString()) as Apart); // written by put
      const last = found.at(-1);
      if (last === undefined || found.length < LOAD_ROWS) break;
      from = `${last[0]}\0`;
    }
  }

  get size(): number {
    return this.#rows.size;
  }

  /** What the partition's reader is to read: of all rules that count. */
  wanted(partition: number, rulesOf: (workspace: string) => WorkspaceRules): readonly WantedPast[] {
    return [...this.#rows.values()].map((apart) => {
      const counting = [...rulesOf(apart.workspace).rulesByKey.values()].filter(
        ({ events }) => events.length > 0,
      );
      const rules = counting.map(({ key, version, events: conditions }) => {
        return { key, version, fence: 0, after: '', conditions };
      });
      return { workspace: apart.workspace, partition, apart, rules };
    });
  }

  /** False where it was told before, or something more was split off since. The last of it is not waited for again. */
  heeds(workspace: string, { personId, clearedBy, isLast }: ToldApart): boolean {
    const key = keyOf({ workspace, personId });
    if (this.#rows.get(key)?.clearedBy !== clearedBy) return false;
    if (isLast) {
      this.#rows.delete(key);
      this.#store.delete(key);
    }
    return true;
  }

  put(apart: Apart): void {
    this.#rows.set(keyOf(apart), apart);
    this.#store.put(keyOf(apart), Buffer.from(JSON.stringify(apart)));
  }
}

function keyOf({ workspace, personId }: Pick<Apart, 'workspace' | 'personId'>): string {
  return `${PREFIX}${workspace}:${personId}`;
}
