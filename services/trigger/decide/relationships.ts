/**
 * The objects that a person belongs to (spec A.2, C.1 row 23), in the order of the person's stream: adding one again
 * updates what is said of it. Pure.
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../rules/paths.ts';

export interface Relationship {
  readonly object_type_id: string;
  readonly object_id: string;
  /** Of the relationship. */
  readonly attributes: JsonObject;
  /** Of the object, as last said with this relationship. */
  readonly object_attributes: JsonObject;
}

/** Ours. */
export const relationshipsMax = 1_000;
/**
 * All relationships of a person as JSON in UTF-8 (spec A.0, *Limits*, names the figure for attributes of objects and
 * relationships).
 */
export const relationshipBytesMax = 100_000;

export interface RelationshipsUpdate {
  /** The same list when nothing has changed. */
  readonly relationships: readonly Relationship[];
  /** Objects left out because the person has as much as may be. */
  readonly refused: readonly string[];
}

/** @param properties of a record of type relate (CollectedEvent.avsc). */
export function applyRelate(before: readonly Relationship[], properties: string | null): RelationshipsUpdate {
  const { action, relationships: sent } = parseJsonObject(properties);
  const entries = Array.isArray(sent) ? sent.filter(isJsonObject) : [];
  const refused: string[] = [];
  const kept = new KeptRelationships(before);
  for (const entry of entries) {
    const { object_type_id: typeId, object_id: objectId } = entry;
    if (typeof typeId !== 'string' || typeof objectId !== 'string') continue;
    const object = { object_type_id: typeId, object_id: objectId };
    if (action === 'delete') kept.delete(object);
    else if (!kept.put(related(entry, kept.get(object), object))) refused.push(objectId);
  }
  return { relationships: kept.list, refused };
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
  return { relationships: kept.list, refused };
}

type ObjectKey = Pick<Relationship, 'object_type_id' | 'object_id'>;

/** Relationships by their object, the one written last at the end, with the bytes of all: each is measured once. */
class KeptRelationships {
  readonly #before: readonly Relationship[];
  readonly #kept = new Map<string, { readonly relationship: Relationship; readonly text: string }>();
  #bytes = 0;
  #changed = false;

  constructor(before: readonly Relationship[]) {
    this.#before = before;
    for (const relationship of before) {
      const text = JSON.stringify(relationship);
      this.#kept.set(keyOf(relationship), { relationship, text });
      this.#bytes += bytesOf(text);
    }
  }

  get(object: ObjectKey): Relationship | undefined {
    return this.#kept.get(keyOf(object))?.relationship;
  }

  delete(object: ObjectKey): void {
    const own = this.#kept.get(keyOf(object));
    if (own === undefined) return;
    this.#kept.delete(keyOf(object));
    this.#bytes -= bytesOf(own.text);
    this.#changed = true;
  }

  /** False when there is no room. What takes no more than it did always has. */
  put(relationship: Relationship): boolean {
    const key = keyOf(relationship);
    const text = JSON.stringify(relationship);
    const own = this.#kept.get(key);
    if (own?.text === text && this.#isLast(key)) return true;
    const more = bytesOf(text) - (own === undefined ? 0 : bytesOf(own.text));
    if (more > 0 && this.#bytes + more > relationshipBytesMax) return false;
    if (own === undefined && this.#kept.size >= relationshipsMax) return false;
    this.#kept.delete(key);
    this.#kept.set(key, { relationship, text });
    this.#bytes += more;
    this.#changed = true;
    return true;
  }

  /** The same list when nothing of it is another. */
  get list(): readonly Relationship[] {
    return this.#changed ? [...this.#kept.values()].map(({ relationship }) => relationship) : this.#before;
  }

  #isLast(key: string): boolean {
    const last = this.#before.at(-1);
    return !this.#changed && last !== undefined && keyOf(last) === key;
  }
}

function keyOf({ object_type_id: typeId, object_id: objectId }: ObjectKey): string {
  return JSON.stringify([typeId, objectId]);
}

/** With its comma. */
function bytesOf(text: string): number {
  return Buffer.byteLength(text) + 1;
}

function related(
  sent: JsonObject,
  own: Relationship | undefined,
  object: Pick<Relationship, 'object_type_id' | 'object_id'>,
): Relationship {
  return {
    ...object,
    attributes: { ...own?.attributes, ...bagOf(sent['attributes']) },
    object_attributes: { ...own?.object_attributes, ...withoutRouting(bagOf(sent['object_attributes'])) },
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
