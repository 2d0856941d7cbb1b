/**
 * The objects that a person belongs to (spec A.2, C.1 row 23), in the order of the person's stream: adding one again
 * updates what is said of it. What is said of objects by themselves (objects.ts) is so for whoever belongs to them. Pure.
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../rules/paths.ts';
import type { ObjectKey, ObjectOf, ObjectState } from './objects.ts';

/** As it is published. */
export interface ShownRelationship extends ObjectKey {
  /** Of the relationship. */
  readonly attributes: JsonObject;
  /** Of the object, as last said with this relationship or by itself. */
  readonly object_attributes: JsonObject;
}

export interface Relationship extends ShownRelationship {
  /** When the person was last put to it, by receipt, ms. Absent: by a version that did not say. */
  readonly related_at?: number;
  /** When its object's attributes were last said, likewise. */
  readonly said_at?: number;
}

/** Ours. */
export const relationshipsMax = 1_000;
/**
 * All relationships of a person as JSON in UTF-8 (spec A.0, *Limits*, names the figure for attributes of objects and
 * relationships).
 */
export const relationshipBytesMax = 100_000;

export interface RelationshipsUpdate {
  /** The same list when nothing of it is another, times included. */
  readonly relationships: readonly Relationship[];
  /** Something of what is published is another. */
  readonly isOther: boolean;
  /** Objects left out because the person has as much as may be. */
  readonly refused: readonly string[];
  /** Objects left out because they were deleted later. */
  readonly deleted: readonly string[];
}

/** When a relate record was received, ms, and what is known of objects by themselves. */
export interface RelateTime {
  readonly at: number;
  readonly objectOf: ObjectOf;
}

/** @param properties of a record of type relate (CollectedEvent.avsc). */
export function applyRelate(
  before: readonly Relationship[],
  properties: string | null,
  { at, objectOf }: RelateTime,
): RelationshipsUpdate {
  const { action, relationships: sent } = parseJsonObject(properties);
  const entries = Array.isArray(sent) ? sent.filter(isJsonObject) : [];
  const [refused, deleted]: [string[], string[]] = [[], []];
  const kept = new KeptRelationships(before);
  for (const { object, said } of byObject(entries)) {
    const { object_id: objectId } = object;
    if (action === 'delete') {
      kept.delete(object);
      continue;
    }
    if (!kept.hasPlaceFor(object)) {
      refused.push(objectId);
      continue;
    }
    const state = objectOf(object);
    const stored = kept.get(object);
    const own = stored === undefined || isGone(stored, state) ? undefined : stored;
    if (isGone({ related_at: at }, state)) deleted.push(objectId);
    else if (state?.isUnread === true || !kept.put(related(said, { object, own, state, at })))
      refused.push(objectId);
  }
  return kept.update(refused, deleted);
}

/** The primary's stay as they are; what it lacks comes from the secondary while there is room (spec C.3). */
export function mergeRelationships(
  primary: readonly Relationship[],
  secondary: readonly Relationship[],
): RelationshipsUpdate {
  const refused: string[] = [];
  const kept = new KeptRelationships(primary);
  for (const theirs of secondary) {
    if (kept.get(theirs) === undefined && !kept.put(theirs)) refused.push(theirs.object_id);
  }
  return kept.update(refused, []);
}

/** What is known of objects by themselves, brought to the relationships that there are. */
export function withObjects(before: readonly Relationship[], objectOf: ObjectOf): RelationshipsUpdate {
  const refused: string[] = [];
  const kept = new KeptRelationships(before);
  for (const relationship of before) {
    const state = objectOf(relationship);
    if (isGone(relationship, state)) kept.delete(relationship);
    else if (state?.isUnread === true || !kept.replace(withWord(relationship, state)))
      refused.push(relationship.object_id);
  }
  return kept.update(refused, []);
}

export function shown({
  object_type_id,
  object_id,
  attributes,
  object_attributes,
}: Relationship): ShownRelationship {
  return { object_type_id, object_id, attributes, object_attributes };
}

/** One of a version that did not say when is older than any deletion. */
function isGone(
  { related_at: at = -Infinity }: Pick<Relationship, 'related_at'>,
  state: ObjectState | undefined,
): boolean {
  return state?.deletedAt !== undefined && state.deletedAt >= at;
}

/** With what was said of the object by itself; of two words the later. */
function withWord(relationship: Relationship, state: ObjectState | undefined): Relationship {
  if (state?.saidAt === undefined) return relationship;
  const { object_attributes: own, said_at: ownAt = -Infinity } = relationship;
  const isLater = state.saidAt >= ownAt;
  const all = isLater ? { ...own, ...state.attributes } : { ...state.attributes, ...own };
  if (JSON.stringify(all) === JSON.stringify(own)) return relationship;
  return { ...relationship, object_attributes: all, said_at: Math.max(state.saidAt, ownAt) };
}

/** Relationships by their object, the one written last at the end, with the bytes of all: each is measured once. */
class KeptRelationships {
  readonly #before: readonly Relationship[];
  readonly #kept = new Map<string, { readonly relationship: Relationship; readonly text: string }>();
  #bytes = 0;
  /** Something that is published. */
  #isOther = false;
  #isTouched = false;

  constructor(before: readonly Relationship[]) {
    this.#before = before;
    for (const relationship of before) {
      const text = textOf(relationship);
      this.#kept.set(keyOf(relationship), { relationship, text });
      this.#bytes += bytesOf(text);
    }
  }

  get(object: ObjectKey): Relationship | undefined {
    return this.#kept.get(keyOf(object))?.relationship;
  }

  /** One more may be put; what it takes is another question. */
  hasPlaceFor(object: ObjectKey): boolean {
    return this.#kept.size < relationshipsMax || this.#kept.has(keyOf(object));
  }

  delete(object: ObjectKey): void {
    const own = this.#kept.get(keyOf(object));
    if (own === undefined) return;
    this.#kept.delete(keyOf(object));
    this.#bytes -= bytesOf(own.text);
    this.#isOther = true;
  }

  /** At the end. False when there is no room; what takes no more than it did always has. */
  put(relationship: Relationship): boolean {
    const key = keyOf(relationship);
    const isInPlace = this.#kept.get(key)?.text === textOf(relationship) && this.#isLast(key);
    if (!isInPlace && !this.#hasRoom(relationship)) return false;
    if (!isInPlace) {
      this.#bytes -= bytesOf(this.#kept.get(key)?.text);
      this.#kept.delete(key);
      this.#isOther = true;
    }
    return this.#set(relationship, isInPlace);
  }

  /** Where it is. */
  replace(relationship: Relationship): boolean {
    const own = this.#kept.get(keyOf(relationship));
    const isSame = own?.text === textOf(relationship);
    if (own?.relationship === relationship) return true;
    if (!isSame && !this.#hasRoom(relationship)) return false;
    if (!isSame) {
      this.#bytes -= bytesOf(own?.text);
      this.#isOther = true;
    }
    return this.#set(relationship, isSame);
  }

  update(refused: readonly string[], deleted: readonly string[]): RelationshipsUpdate {
    const isAnother = this.#isOther || this.#isTouched;
    const list = isAnother ? [...this.#kept.values()].map(({ relationship }) => relationship) : this.#before;
    return { relationships: list, isOther: this.#isOther, refused, deleted };
  }

  #set(relationship: Relationship, isMeasured: boolean): true {
    const text = textOf(relationship);
    this.#kept.set(keyOf(relationship), { relationship, text });
    if (!isMeasured) this.#bytes += bytesOf(text);
    this.#isTouched = true;
    return true;
  }

  #hasRoom(relationship: Relationship): boolean {
    const own = this.#kept.get(keyOf(relationship));
    const more = bytesOf(textOf(relationship)) - bytesOf(own?.text);
    if (more > 0 && this.#bytes + more > relationshipBytesMax) return false;
    return own !== undefined || this.#kept.size < relationshipsMax;
  }

  #isLast(key: string): boolean {
    const last = this.#before.at(-1);
    return !this.#isOther && last !== undefined && keyOf(last) === key;
  }
}

export function keyOf({ object_type_id: typeId, object_id: objectId }: ObjectKey): string {
  return JSON.stringify([typeId, objectId]);
}

/** What is published of it, which is what counts for its bound. */
function textOf(relationship: Relationship): string {
  return JSON.stringify(shown(relationship));
}

/** With its comma; 0 of none. */
function bytesOf(text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text) + 1;
}

interface SaidOfOne {
  readonly object: ObjectKey;
  /** `attributes` and `object_attributes`. */
  readonly said: JsonObject;
}

/**
 * Entries of one object as one, where the last of them stands: a call may name one again and again, and what there is of it
 * would be read and measured for each.
 */
function byObject(entries: readonly JsonObject[]): readonly SaidOfOne[] {
  const found = new Map<string, { readonly object: ObjectKey; readonly entries: JsonObject[] }>();
  for (const entry of entries) {
    const { object_type_id: typeId, object_id: objectId } = entry;
    if (typeof typeId !== 'string' || typeof objectId !== 'string') continue;
    const object = { object_type_id: typeId, object_id: objectId };
    const key = keyOf(object);
    const one = found.get(key) ?? { object, entries: [] };
    one.entries.push(entry);
    found.delete(key);
    found.set(key, one);
  }
  return [...found.values()].map(({ object, entries: said }) => ({ object, said: joined(said) }));
}

/** Of members that are said twice the later. */
function joined(entries: readonly JsonObject[]): JsonObject {
  const [first = {}] = entries;
  if (entries.length === 1) return first;
  const all = (name: string): JsonObject =>
    Object.fromEntries(entries.flatMap((entry) => Object.entries(bagOf(entry[name]))));
  return { attributes: all('attributes'), object_attributes: all('object_attributes') };
}

interface Put {
  readonly object: ObjectKey;
  readonly own: Relationship | undefined;
  readonly state: ObjectState | undefined;
  readonly at: number;
}

function related(sent: JsonObject, { object, own, state, at }: Put): Relationship {
  const said = withoutRouting(bagOf(sent['object_attributes']));
  const before = withWord(own ?? { ...object, attributes: {}, object_attributes: {} }, state);
  const {
    attributes,
    object_attributes: known,
    said_at: knownAt = -Infinity,
    related_at: lastAt = at,
  } = before;
  const isSaid = Object.keys(said).length > 0;
  const saidAt = isSaid ? Math.max(knownAt, at) : knownAt;
  // A visitor's call comes with the claim, and what was said of the object meanwhile stands.
  const isLate = state?.saidAt !== undefined && state.saidAt > at;
  return {
    ...object,
    attributes: { ...attributes, ...bagOf(sent['attributes']) },
    object_attributes: isLate ? { ...said, ...known } : { ...known, ...said },
    related_at: Math.max(lastAt, at),
    ...(Number.isFinite(saidAt) ? { said_at: saidAt } : {}),
  };
}

function bagOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Traits of a group call that say which object and which relationship. */
function withoutRouting(traits: JsonObject): JsonObject {
  const rest = Object.entries(traits).filter(
    ([name]) => name !== 'object_type_id' && name !== 'relationshipAttributes',
  );
  return Object.fromEntries(rest);
}
