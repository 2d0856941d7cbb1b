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
import {
  afterWord,
  objectBytesALookMax,
  type ObjectKey,
  type ObjectOf,
  type ObjectState,
  type ObjectWord,
  type SeenObject,
} from './decide/objects.ts';
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
/** What is known of an object is read, joined and written whole: about as much of the machine as a unit of share.ts. */
const objectBytesAUnit = 20;
/** How a state begins that has been deleted; one that has not begins with another member. */
const DELETED_AT = /^\{"deletedAt":(\d+)[,}]/;
const DELETED_AT_BYTES = 40;
/** How an earlier version wrote a state. It is read whole, for its times stand anywhere. */
const OF_BEFORE = Buffer.from('{"object"');

/** One pass over the people of an object. */
interface Round extends ObjectCause {
  /** Where to go on; empty at the start. */
  readonly from: string;
  /** More was said since: another pass follows, one for all of it. */
  readonly again?: ObjectCause;
}

/** @returns as how many people it counts: one whose look is dear is several. */
export type TellPerson = (personKey: string, cause: ObjectCause) => number;

export class ObjectBook {
  readonly #store: KeyedStore;
  /** Objects whose people are to be told, by workspace. */
  readonly #rounds = new Map<string, number>();
  /** ms; of the oldest deletion that is kept. */
  #oldestDeletion: number;
  /** Of states, read and written since units were last asked for. */
  #touchedBytes = 0;

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

  /** Objects as one look at a person sees them: each is read once, and so much of all of them. */
  look(workspace: string): ObjectOf {
    const seen = new Map<string, SeenObject | undefined>();
    let bytesLeft = objectBytesALookMax;
    return (object) => {
      const key = `${workspace}:${nameOf(object)}`;
      if (seen.has(key)) return seen.get(key);
      const stored = this.#store.get(`o:${key}`);
      const isUnread = stored !== undefined && stored.length > bytesLeft && !isOfBefore(stored);
      const state = isUnread ? unread(object, stored) : this.#read(stored);
      if (!isUnread) bytesLeft -= stored?.length ?? 0;
      seen.set(key, state);
      return state;
    };
  }

  /** Units of share.ts that objects took since this was last asked. */
  takeUnits(): number {
    const units = Math.floor(this.#touchedBytes / objectBytesAUnit);
    this.#touchedBytes = 0;
    return units;
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
    const { deletedAt, saidAt, attributes } = after;
    // In this order: what stands first is found without reading the rest.
    const bytes = Buffer.from(JSON.stringify({ deletedAt, saidAt, object: word.object, attributes }));
    this.#touchedBytes += bytes.length;
    this.#store.put(`o:${key}`, bytes);
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
        if (room <= 0) break;
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

  /** @returns as how many people it counts. */
  #tellSome(key: string, max: number, tellPerson: TellPerson): number {
    const stored = this.#store.get(key);
    if (stored === undefined) return 0; // all have been told
    const round = roundIn(stored);
    const object = key.slice(2);
    const [prefix, end] = [`m:${object}:`, `m:${object};`];
    const found = this.#store.scan(round.from === '' ? prefix : round.from, end, max);
    let [told, cost] = [0, 0];
    for (const [link] of found) {
      if (cost >= max) break;
      cost += tellPerson(`${workspaceIn(object)}:${link.slice(prefix.length)}`, round);
      told += 1;
    }
    const isAll = told === found.length && found.length < max;
    const last = isAll ? undefined : found[told - 1]?.[0];
    if (last !== undefined) this.#putRound(key, { ...round, from: `${last}\0` });
    else if (round.again !== undefined) this.#putRound(key, { ...round.again, from: '' });
    else {
      this.#store.delete(key);
      this.#count(workspaceIn(object), -1);
    }
    return cost;
  }

  #putRound(key: string, { at, messageId, from, again }: Round): void {
    const round = { at, messageId, from, ...(again && { again }) };
    this.#store.put(key, Buffer.from(JSON.stringify(round)));
  }

  #state(key: string): ObjectState | undefined {
    return this.#read(this.#store.get(`o:${key}`));
  }
  #read(stored: Buffer | undefined): ObjectState | undefined {
    this.#touchedBytes += stored?.length ?? 0;
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

function isOfBefore(stored: Buffer): boolean {
  return stored.subarray(0, OF_BEFORE.length).equals(OF_BEFORE);
}

/** Of one that is not read whole. */
function unread(object: ObjectKey, stored: Buffer): SeenObject {
  const deletedAt = DELETED_AT.exec(stored.toString('latin1', 0, DELETED_AT_BYTES))?.[1];
  const gone = deletedAt === undefined ? {} : { deletedAt: Number(deletedAt) };
  return { object, attributes: {}, ...gone, isUnread: true };
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
