/**
 * Objects by themselves, of one partition, in the keyed store. What is said of one goes to every partition, and each brings
 * it to those of its own people who belong to it, a bounded number in a batch. An object's name can be long, so a hash of it
 * stands in the keys.
 *
 *   o: workspace, object           what is known of it
 *   m: workspace, object, person   who belongs to it
 *   r: workspace, object           its people are told, and how far that has come
 *   g: workspace                   the object whose people were told last, so that all of them have their turn
 *   x: time, workspace, object     when it was deleted
 *   k: workspace                   objects of which something is known
 */
import { hash } from 'node:crypto';
import { parseExactly } from '../runtime/exact-json.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import { afterWord, type ObjectKey, type ObjectState, type ObjectWord } from './decide/objects.ts';
import { keyOf } from './decide/relationships.ts';
import type { ObjectCause } from './decide/take-object.ts';

/** People told in a batch. */
export const toldABatchMax = 500;
/** Objects of a workspace of which something is known; nothing is said of one more, but that it was deleted. */
export const objectsOfWorkspaceMax = 1_000_000;
/**
 * A deletion is forgotten then: a visitor's call waits 30 days for a claim, and a record lies on events.merged for 31 days
 * more at most before it is read.
 */
export const deletionKeptMs = 62 * 86_400_000;
/** Deletions forgotten in a batch. */
const forgottenABatchMax = 200;
/** Objects whose people are told in a batch, of one workspace; they share what a batch has. */
const objectsATurnMax = 200;
const LOAD_ROWS = 1_000;
const TIME_DIGITS = 15;
const PRESENT = Buffer.from('1');

/** One pass over the people of an object. */
interface Round extends ObjectCause {
  /** Where to go on; empty at the start. */
  readonly from: string;
  /** More was said since: another pass follows, one for all of it. */
  readonly again?: ObjectCause;
}

export type TellPerson = (personKey: string, cause: ObjectCause) => void;

export class ObjectBook {
  readonly #store: KeyedStore;
  /** Objects whose people are to be told, by workspace. */
  readonly #rounds = new Map<string, number>();
  /** ms; of the oldest deletion that is kept. */
  #oldestDeletion: number;

  constructor(store: KeyedStore) {
    this.#store = store;
    for (let from = 'r:'; ;) {
      const found = store.scan(from, 'r;', LOAD_ROWS);
      for (const [key] of found) this.#count(workspaceIn(key.slice(2)), 1);
      const last = found.at(-1);
      if (last === undefined || found.length < LOAD_ROWS) break;
      from = `${last[0]}\0`;
    }
    this.#oldestDeletion = this.#firstDeletion();
  }

  /** Objects whose people are to be told. */
  get pending(): number {
    let sum = 0;
    for (const count of this.#rounds.values()) sum += count;
    return sum;
  }

  of(workspace: string, object: ObjectKey): ObjectState | undefined {
    return this.#state(`${workspace}:${nameOf(object)}`);
  }

  /**
   * @param isIndexed the index has everybody who belongs to something.
   * @returns false when there is no room for it.
   */
  take(workspace: string, word: ObjectWord, { at, messageId }: ObjectCause, isIndexed: boolean): boolean {
    const name = nameOf(word.object);
    const key = `${workspace}:${name}`;
    const before = this.#state(key);
    const after = afterWord(before, word, at);
    if (after === undefined) return false;
    if (before === undefined && word.action === 'set' && !this.#hasRoom(workspace)) return false;
    if (after === before) return true;
    this.#store.put(`o:${key}`, Buffer.from(JSON.stringify(after)));
    if (before === undefined) this.#countObjects(workspace, 1);
    if (word.action === 'delete') {
      this.#store.put(`x:${timeIn(at)}:${key}`, PRESENT);
      this.#oldestDeletion = Math.min(this.#oldestDeletion, at);
    }
    const hasPeople = this.#store.scan(`m:${key}:`, `m:${key};`, 1).length > 0;
    if (hasPeople || !isIndexed) this.#begin(`r:${key}`, { at, messageId });
    return true;
  }

  link(personKey: string, object: ObjectKey): void {
    this.#store.put(linkOf(personKey, object), PRESENT);
  }
  unlink(personKey: string, object: ObjectKey): void {
    this.#store.delete(linkOf(personKey, object));
  }

  /**
   * Tells some of those who are to be told. Workspaces take turns; which of them is first goes round.
   * @param sequence of the batch.
   */
  tell(sequence: number, tellPerson: TellPerson): void {
    const names = [...this.#rounds.keys()].sort();
    let room = toldABatchMax;
    for (let turn = 0; turn < names.length && room > 0; turn += 1) {
      const workspace = names[(sequence + turn) % names.length];
      if (workspace === undefined) break;
      const rounds = this.#nextRounds(workspace);
      const share = Math.max(1, Math.floor(room / rounds.length));
      for (const key of rounds) {
        if (room === 0) break;
        room -= this.#tellSome(key, Math.min(share, room), tellPerson);
        this.#store.put(`g:${workspace}`, Buffer.from(key));
      }
      // What small ones have left.
      for (const key of rounds) if (room > 0) room -= this.#tellSome(key, room, tellPerson);
    }
  }

  /** Forgets a few deletions that nothing can come after. @param readTo ms: all that was received before has been read. */
  forget(readTo: number): void {
    const before = readTo - deletionKeptMs;
    if (this.#oldestDeletion >= before) return;
    for (const [key] of this.#store.scan('x:', `x:${timeIn(before)}`, forgottenABatchMax)) {
      this.#store.delete(key);
      const name = key.slice('x:'.length + TIME_DIGITS + 1);
      const state = this.#state(name);
      if (state?.deletedAt === undefined || state.deletedAt >= before) continue;
      if (state.saidAt !== undefined) continue; // nothing that is that old can come any more
      this.#store.delete(`o:${name}`);
      this.#countObjects(workspaceIn(name), -1);
    }
    this.#oldestDeletion = this.#firstDeletion();
  }

  #begin(key: string, cause: ObjectCause): void {
    const stored = this.#store.get(key);
    if (stored === undefined) {
      this.#count(workspaceIn(key.slice(2)), 1);
      this.#putRound(key, { ...cause, from: '' });
      return;
    }
    const round = roundIn(stored);
    this.#putRound(key, round.from === '' ? { ...cause, from: '' } : { ...round, again: cause });
  }

  /** Behind those whose people were told last. */
  #nextRounds(workspace: string): string[] {
    const [first, end] = [`r:${workspace}:`, `r:${workspace};`];
    const last = this.#store.get(`g:${workspace}`)?.toString();
    const behind = last === undefined ? first : `${last}\0`;
    const found = this.#store.scan(behind, end, objectsATurnMax);
    const rest = last === undefined ? [] : this.#store.scan(first, behind, objectsATurnMax - found.length);
    return [...found, ...rest].map(([key]) => key);
  }

  /** @returns how many. */
  #tellSome(key: string, max: number, tellPerson: TellPerson): number {
    const stored = this.#store.get(key);
    if (stored === undefined) return 0; // all have been told
    const round = roundIn(stored);
    const object = key.slice(2);
    const [prefix, end] = [`m:${object}:`, `m:${object};`];
    const found = this.#store.scan(round.from === '' ? prefix : round.from, end, max);
    for (const [link] of found) {
      tellPerson(`${workspaceIn(object)}:${link.slice(prefix.length)}`, round);
    }
    const last = found.length < max ? undefined : found.at(-1)?.[0];
    if (last !== undefined) this.#putRound(key, { ...round, from: `${last}\0` });
    else if (round.again !== undefined) this.#putRound(key, { ...round.again, from: '' });
    else {
      this.#store.delete(key);
      this.#count(workspaceIn(object), -1);
    }
    return found.length;
  }

  #putRound(key: string, { at, messageId, from, again }: Round): void {
    const round = { at, messageId, from, ...(again && { again }) };
    this.#store.put(key, Buffer.from(JSON.stringify(round)));
  }

  #state(key: string): ObjectState | undefined {
    const stored = this.#store.get(`o:${key}`);
    return stored && (parseExactly(stored.toString()) as ObjectState); // written by take
  }

  #firstDeletion(): number {
    const [first] = this.#store.scan('x:', 'x;', 1);
    return first === undefined ? Infinity : Number(first[0].slice(2, 2 + TIME_DIGITS));
  }

  #hasRoom(workspace: string): boolean {
    return this.#objectsOf(workspace) < objectsOfWorkspaceMax;
  }
  #objectsOf(workspace: string): number {
    return Number(this.#store.get(`k:${workspace}`)?.toString() ?? '0');
  }
  #countObjects(workspace: string, change: number): void {
    this.#store.put(`k:${workspace}`, Buffer.from(String(this.#objectsOf(workspace) + change)));
  }

  #count(workspace: string, change: number): void {
    const count = (this.#rounds.get(workspace) ?? 0) + change;
    if (count === 0) this.#rounds.delete(workspace);
    else this.#rounds.set(workspace, count);
  }
}

function nameOf(object: ObjectKey): string {
  return hash('sha256', keyOf(object), 'base64url');
}
function roundIn(stored: Buffer): Round {
  return JSON.parse(stored.toString()) as Round; // written by putRound
}
function linkOf(personKey: string, object: ObjectKey): string {
  const workspace = workspaceIn(personKey);
  return `m:${workspace}:${nameOf(object)}:${personKey.slice(workspace.length + 1)}`;
}
/** In the order of the numbers. */
function timeIn(at: number): string {
  return String(Math.max(0, at)).padStart(TIME_DIGITS, '0');
}
