/**
 * Which visitors a person is. Those of one person are a group: a merge renames whose the larger group is and moves the
 * visitors of the smaller, so a chain of merges costs what its visitors are, and not that times its length.
 *
 * In the store: `p:` group and lane, a visitor of the group; `g:` group, whose it is and how many they are; `o:` person,
 * the group that became theirs by a merge. Without a record a group is that of the person of its name.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';

/** Visitors of one group that one record or the end of one batch goes through; the others have their turn after them. */
export const lanesAtOnceMax = 500;
/** Counted once, in state that has no counts. */
const lanesCountedMax = 1_000_000;

interface Group {
  /** Key of the person. */
  readonly owner: string;
  readonly lanes: number;
}

export class VisitorGroups {
  readonly #store: KeyedStore;

  constructor(store: KeyedStore) {
    this.#store = store;
  }

  /** The group that holds this person's visitors. Keys of people and groups are the workspace, a colon and a name. */
  groupOf(personKey: string): string {
    return this.#store.get(`o:${personKey}`)?.toString() ?? personKey;
  }
  ownerOf(groupKey: string): string {
    return this.#group(groupKey).owner;
  }

  /** The first visitors of a group. */
  lanesIn(groupKey: string, lanesMax = lanesAtOnceMax): readonly string[] {
    const prefix = `p:${groupKey}:`;
    return this.#store.scan(prefix, `p:${groupKey};`, lanesMax).map(([key]) => key.slice(prefix.length));
  }

  link(personKey: string, lane: string): void {
    const key = this.groupOf(personKey);
    if (this.#store.get(`p:${key}:${lane}`) !== undefined) return;
    const { owner, lanes } = this.#group(key);
    this.#store.put(`p:${key}:${lane}`, Buffer.alloc(0));
    this.#putGroup(key, { owner, lanes: lanes + 1 });
  }

  unlink(groupKey: string, lane: string): void {
    if (this.#store.get(`p:${groupKey}:${lane}`) === undefined) return;
    const { owner, lanes } = this.#group(groupKey);
    this.#store.delete(`p:${groupKey}:${lane}`);
    this.#putGroup(groupKey, { owner, lanes: lanes - 1 });
  }

  /**
   * Both groups are the survivor's, and theirs from now on is the larger.
   * @returns the smaller, whose visitors are to be moved
   */
  join(personKey: string, survivorKey: string): string | undefined {
    const [absorbed, own] = [this.groupOf(personKey), this.groupOf(survivorKey)];
    if (absorbed === own) return undefined;
    const [theirs, ours] = [this.#group(absorbed), this.#group(own)];
    const [from, to] = theirs.lanes > ours.lanes ? [own, absorbed] : [absorbed, own];
    this.#store.delete(`o:${personKey}`);
    if (to === survivorKey) this.#store.delete(`o:${survivorKey}`);
    else this.#store.put(`o:${survivorKey}`, Buffer.from(to));
    this.own(absorbed, survivorKey);
    this.own(own, survivorKey);
    return from;
  }

  /** Whoever's the group was. */
  own(groupKey: string, owner: string): void {
    const { lanes } = this.#group(groupKey);
    if (lanes > 0) this.#putGroup(groupKey, { owner, lanes });
  }

  #group(groupKey: string): Group {
    const stored = this.#store.get(`g:${groupKey}`);
    if (stored !== undefined) return JSON.parse(stored.toString()) as Group; // written below
    // Of older state, which kept no counts.
    return { owner: groupKey, lanes: this.lanesIn(groupKey, lanesCountedMax).length };
  }

  #putGroup(groupKey: string, group: Group): void {
    if (group.lanes > 0) {
      this.#store.put(`g:${groupKey}`, Buffer.from(JSON.stringify(group)));
      return;
    }
    this.#store.delete(`g:${groupKey}`);
    if (this.#store.get(`o:${group.owner}`)?.toString() === groupKey) this.#store.delete(`o:${group.owner}`);
  }
}
