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
/** All relationships of a person as JSON (spec A.0, *Limits*, names it for attributes of objects and relationships). */
export const relationshipCharsMax = 100_000;

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
  let relationships = before;
  for (const entry of entries) {
    const { object_type_id: typeId, object_id: objectId } = entry;
    if (typeof typeId !== 'string' || typeof objectId !== 'string') continue;
    const own = relationships.find((each) => each.object_type_id === typeId && each.object_id === objectId);
    const others = relationships.filter((each) => each !== own);
    if (action === 'delete') {
      if (own !== undefined) relationships = others;
      continue;
    }
    const next = [...others, related(entry, own, { object_type_id: typeId, object_id: objectId })];
    if (fits(next)) relationships = sameAs(next, relationships) ? relationships : next;
    else refused.push(objectId);
  }
  return { relationships, refused };
}

/** The primary's stay as they are; what it lacks comes from the secondary while there is room (spec C.3). */
export function mergeRelationships(
  primary: readonly Relationship[],
  secondary: readonly Relationship[],
): readonly Relationship[] {
  return secondary.reduce((merged, theirs) => {
    const has = merged.some(
      (each) => each.object_type_id === theirs.object_type_id && each.object_id === theirs.object_id,
    );
    const next = [...merged, theirs];
    return has || !fits(next) ? merged : next;
  }, primary);
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

function fits(relationships: readonly Relationship[]): boolean {
  return (
    relationships.length <= relationshipsMax && JSON.stringify(relationships).length <= relationshipCharsMax
  );
}

function sameAs(a: readonly Relationship[], b: readonly Relationship[]): boolean {
  return a.length === b.length && JSON.stringify(a) === JSON.stringify(b);
}
