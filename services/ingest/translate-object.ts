/**
 * An object by itself: what is said of it whoever belongs to it, and that it is deleted (spec A.2 objects, A.3 *Object
 * Deleted*). Each is a record of a lane of the object's own, which waits for nobody. With somebody named it is a
 * relationship (translate-relationships.ts). Pure.
 */
import { objectAttributesBytesMax } from '../../schemas/http/limits.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { nameIn } from './names.ts';
import { identifiersOf } from './track-names.ts';
import { timeOf } from './track-stamps.ts';
import {
  noRelationships,
  objectFault,
  relateOutcome,
  unusable,
  type RelateAction,
} from './translate-relationships.ts';
import {
  accepted,
  eventOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Outcome,
  type Refusal,
  type Translation,
} from './translation.ts';
import { unknownWord } from './unknown-word.ts';

export interface ObjectName {
  readonly typeId: string;
  readonly objectId: string;
}

/** What is said of an object by itself. */
export interface ObjectWord extends ObjectName {
  readonly action: 'set' | 'delete';
  /** Replace those of the same name; absent for none. */
  readonly attributes?: SentObject | undefined;
  /** Absent: one is minted. */
  readonly messageId?: string | undefined;
  /** ms; undefined: the receive time. */
  readonly timestamp?: number | undefined;
}

/** Also the kinds of the lines in `activities`. */
const NAMES = { set: 'Object Created or Updated', delete: 'Object Deleted' } as const;

export function objectOutcome(call: CallContext, word: ObjectWord): Outcome {
  const { action, typeId, objectId, attributes, timestamp } = word;
  const own = `"object_type_id":${JSON.stringify(typeId)},"object_id":${JSON.stringify(objectId)}`;
  const said = attributes === undefined ? '' : `,"attributes":${attributes.text}`;
  return eventOutcome(call, {
    type: 'object',
    identifier: null,
    anonymousId: null,
    messageId: word.messageId ?? call.mintMessageId(),
    timestamp,
    name: NAMES[action],
    properties: `{"action":"${action}",${own}${said}}`,
    context: null,
  });
}

/** Of a record of type object. */
export function objectIn({ properties }: Pick<CollectedEvent, 'properties'>): ObjectName {
  const { object_type_id: typeId, object_id: objectId } = JSON.parse(properties ?? '{}') as {
    readonly object_type_id: string;
    readonly object_id: string;
  }; // written by objectOutcome
  return { typeId, objectId };
}

export function isDeletion(outcome: Outcome): boolean {
  return outcome.type === 'event' && outcome.event.type === 'object' && outcome.event.name === NAMES.delete;
}

/**
 * Whoever is put to an object belongs to it by when the call was received, which calls of a batch have in common. So what
 * stands behind a deletion is received a millisecond later.
 */
export function behindDeletions<Call extends CallContext>(call: Call, outcomes: readonly Outcome[]): Call {
  return outcomes.some(isDeletion) ? { ...call, receivedAt: call.receivedAt + 1 } : call;
}

const RELATES: ReadonlyMap<string, RelateAction> = new Map([
  ['identify', 'add'],
  ['identify_anonymous', 'add'],
  ['add_relationships', 'add'],
  ['delete_relationships', 'delete'],
]);

/**
 * Operations of Track v2 whose type is object. With those who have it named: a record for each of them, and one of the
 * object where something is said of it, which is so for whoever has it.
 */
export function objectOperation(call: NotedCall, operation: SentObject, name: string): Translation {
  const byItself = name === 'delete' || (name === 'identify' && namesNobody(operation));
  const action = RELATES.get(name);
  if (!byItself && action === undefined) {
    const known = [...RELATES.keys(), 'delete'];
    return unknownWord('action', { what: 'action of an object', word: name, known });
  }
  const object = named(call, operation.object('identifiers'));
  if (isRefusal(object)) return object;
  const attributes = name === 'delete' ? undefined : operation.object('attributes');
  const when = timeOf(call, operation);
  if (byItself || action === undefined) {
    const word = { action: name === 'delete' ? 'delete' : 'set', ...object, attributes, ...when } as const;
    return accepted(objectOutcome(call, word));
  }
  const entries = operation.objects('cio_relationships');
  if ((attributes?.bytes ?? 0) * entries.length > objectAttributesBytesMax) {
    const text = `attributes of an object cannot be larger than ${String(objectAttributesBytesMax)} bytes over all who are put to it: say them in an operation of their own`;
    return refused('limit_exceeded', 'attributes', text);
  }
  const outcomes = entries.map((entry) => {
    const who = entry === undefined ? noRelationships() : identifiersOf(call, entry, false);
    if (isRefusal(who)) return unusable(call, { anonymousId: null });
    const ofRelationship = entry?.object('relationship_attributes');
    const related = [{ ...object, attributes: ofRelationship, objectAttributes: attributes }];
    return relateOutcome(call, who, { action, related, ...when });
  });
  if (!outcomes.some(({ type }) => type === 'event')) return noRelationships();
  const isSaid = action === 'add' && attributes !== undefined && Object.keys(attributes.value).length > 0;
  const own = isSaid ? [objectOutcome(call, { action: 'set', ...object, attributes, ...when })] : [];
  return accepted(...outcomes, ...own);
}

function namesNobody({ value }: SentObject): boolean {
  const sent = value['cio_relationships'];
  return sent === undefined || sent === null || (Array.isArray(sent) && sent.length === 0);
}

/** No cio_object_id was ever given out. */
function named(call: NotedCall, identifiers: SentObject | undefined): ObjectName | Refusal {
  const objectId = identifiers === undefined ? null : nameIn(call, identifiers, 'object_id');
  if (identifiers === undefined || objectId === null) {
    return refused('invalid_call', 'identifiers', 'object_id must be present');
  }
  const typeId = nameIn(call, identifiers, 'object_type_id') ?? '1';
  return objectFault(typeId, objectId) ?? { typeId, objectId };
}
