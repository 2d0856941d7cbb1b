/**
 * Which visitors a person is. Those of one person are a group: a merge renames whose the larger group is and moves the
 * visitors of the smaller, so a chain of merges costs what its visitors are, and not that times its length.
 *
 * In the store: `p:` group and lane, a visitor of the group; `g:` group, whose it is and how many they are; `o:` person,
 * the group that became theirs by a merge. Without a record a group is that of the person of its name.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';

/** Visitors of one group that are moved, or looked at by a deletion; what is above stays without a person. */
export const lanesOfPersonMax = 1_000;

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

  /** The visitors of a person, the first of them. */
  lanesOf(personKey: string): readonly string[] {
    return this.#lanesIn(this.groupOf(personKey));
  }

  link(personKey: string, lane: string): void {
    const key = this.groupOf(personKey);
    if (this.#store.get(`p:${key}:${lane}`) !== undefined) return;
    const { owner, lanes } = this.#group(key);
    this.#store.put(`p:${key}:${lane}`, Buffer.alloc(0));
    this.#putGroup(key, { owner, lanes: lanes + 1 });
  }

  unlink(personKey: string, lane: string): void {
    const key = this.groupOf(personKey);
    if (this.#store.get(`p:${key}:${lane}`) === undefined) return;
    const { owner, lanes } = this.#group(key);
    this.#store.delete(`p:${key}:${lane}`);
    this.#putGroup(key, { owner, lanes: lanes - 1 });
  }

  /** Every visitor of the one is the survivor's. Answers which have another group now, and so are to be written anew. */
  absorb(personKey: string, survivorKey: string): readonly string[] {
    const [absorbed, own] = [this.groupOf(personKey), this.groupOf(survivorKey)];
    if (absorbed === own) return [];
    const [theirs, ours] = [this.#group(absorbed), this.#group(own)];
    const [from, to] = theirs.lanes > ours.lanes ? [own, absorbed] : [absorbed, own];
    const moved = this.#lanesIn(from);
    for (const lane of moved) {
      this.#store.delete(`p:${from}:${lane}`);
      this.#store.put(`p:${to}:${lane}`, Buffer.alloc(0));
    }
    const lanes = Math.max(theirs.lanes, ours.lanes) + moved.length;
    this.#putGroup(from, { owner: this.#group(from).owner, lanes: this.#group(from).lanes - moved.length });
    this.#store.delete(`o:${personKey}`);
    if (to === survivorKey) this.#store.delete(`o:${survivorKey}`);
    else this.#store.put(`o:${survivorKey}`, Buffer.from(to));
    this.#putGroup(to, { owner: survivorKey, lanes });
    return moved;
  }

  #lanesIn(groupKey: string): readonly string[] {
    const prefix = `p:${groupKey}:`;
    const found = this.#store.scan(prefix, `p:${groupKey};`, lanesOfPersonMax);
    return found.map(([key]) => key.slice(prefix.length));
  }

  #group(groupKey: string): Group {
    const stored = this.#store.get(`g:${groupKey}`);
    if (stored !== undefined) return JSON.parse(stored.toString()) as Group; // written below
    // Of older state, which kept no counts.
    return { owner: groupKey, lanes: this.#lanesIn(groupKey).length };
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
