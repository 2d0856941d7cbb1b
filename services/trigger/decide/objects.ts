/**
 * Objects by themselves (spec A.2, A.3 *Object Deleted*): what is said of one is so for everybody who belongs to it, and who
 * was put to it before it was deleted belongs to it no more. Calls of visitors wait for weeks and people's streams are not in
 * step, so times of receipt say what came first, in whichever order it is read. Pure.
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../rules/paths.ts';

export interface ObjectKey {
  readonly object_type_id: string;
  readonly object_id: string;
}

/** What is known of an object by itself. */
export interface ObjectState {
  readonly object: ObjectKey;
  /** As said since it was deleted last. */
  readonly attributes: JsonObject;
  /** When that was received, ms; absent: never. */
  readonly saidAt?: number;
  /** When its last deletion was received, ms; absent: never. */
  readonly deletedAt?: number;
}

/** The same as a look at a person sees it. */
export interface SeenObject extends ObjectState {
  /** What is said of it was not read, only when it was deleted: the objects of this person have too much between them. */
  readonly isUnread?: boolean;
}

/** Of one look at a person. */
export type ObjectOf = (object: ObjectKey) => SeenObject | undefined;

/** An object's attributes as JSON in UTF-8 (spec A.0, *Limits*). */
export const objectBytesMax = 100_000;
/**
 * What is read of objects in one look at a person. A person has 100,000 bytes of them at most (relationships.ts), so who is
 * put to a thousand of the largest would be read a thousand times what they may have, in one record.
 */
export const objectBytesALookMax = 10 * objectBytesMax;

/** A record of type object (CollectedEvent.avsc). */
export interface ObjectWord {
  readonly action: 'set' | 'delete';
  readonly object: ObjectKey;
  readonly attributes: JsonObject;
}

/** undefined: not written by ingest. */
export function objectWord(properties: string | null): ObjectWord | undefined {
  const { action, object_type_id: typeId, object_id: objectId, attributes } = parseJsonObject(properties);
  if (typeof typeId !== 'string' || typeof objectId !== 'string') return undefined;
  if (action !== 'set' && action !== 'delete') return undefined;
  const object = { object_type_id: typeId, object_id: objectId };
  return { action, object, attributes: isJsonObject(attributes) ? attributes : {} };
}

/**
 * The object after it. Words of one object come in their order, but for gateways whose clocks differ: then the later time
 * stands.
 * @param at when it was received, ms.
 * @returns undefined: its attributes would be too many.
 */
export function afterWord(
  before: ObjectState | undefined,
  { action, object, attributes }: ObjectWord,
  at: number,
): ObjectState | undefined {
  if (action === 'delete') {
    const deletedAt = Math.max(before?.deletedAt ?? at, at);
    const outlives = before?.saidAt !== undefined && before.saidAt > deletedAt;
    return outlives ? { ...before, deletedAt } : { object, attributes: {}, deletedAt };
  }
  if (before?.deletedAt !== undefined && before.deletedAt >= at) return before;
  const isLater = before?.saidAt === undefined || at >= before.saidAt;
  const all = isLater ? { ...before?.attributes, ...attributes } : { ...attributes, ...before.attributes };
  if (Buffer.byteLength(JSON.stringify(all)) > objectBytesMax) return undefined;
  const saidAt = Math.max(before?.saidAt ?? at, at);
  return { ...before, object, attributes: all, saidAt };
}
