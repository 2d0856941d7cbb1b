/**
 * To which objects a visitor or a person belongs (spec A.1 cio_relationships, A.2 objects, A.3 group; C.1 row 23). Each
 * becomes a record of its lane that waits for the claim as events do. What is said of an object by itself, whoever has it,
 * is in translate-object.ts. Pure.
 */
import type { Identifier } from '../../schemas/lanes.ts';
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { nameIn } from './names.ts';
import {
  droppedOutcome,
  eventOutcome,
  refused,
  type CallContext,
  type Outcome,
  type Refusal,
} from './translation.ts';
import { nameFault } from './validate.ts';

export interface RelatedWho {
  readonly identifier: Identifier | null;
  readonly anonymousId: string | null;
}

/** One object of a relate record, as JSON text: what the client wrote stays as it was written. */
export interface Related {
  readonly typeId: string;
  readonly objectId: string;
  readonly attributes?: SentObject | undefined;
  readonly objectAttributes?: SentObject | undefined;
}

export type RelateAction = 'add' | 'delete';

/** `cio_relationships` beside or among the attributes of a person: a list (v2), or an action with a list (v1). */
export function personRelationships(
  call: NotedCall,
  who: RelatedWho,
  sent: SentObject,
  action: RelateAction = 'add',
): Outcome[] {
  const told = sent.object('cio_relationships');
  const list = told === undefined ? sent.objects('cio_relationships') : told.objects('relationships');
  const verb = told?.value.action === 'delete_relationships' ? 'delete' : action;
  const related = list.map((entry) => relatedBy(call, entry?.object('identifiers'), entry));
  const good = related.filter((each) => each !== undefined);
  const outcomes = good.length === 0 ? [] : [relateOutcome(call, who, { action: verb, related: good })];
  return good.length === related.length ? outcomes : [...outcomes, unusable(call, who)];
}

/** Which object an entry names; undefined when it names none. (No cio_object_id was ever given out.) */
function relatedBy(
  call: NotedCall,
  identifiers: SentObject | undefined,
  entry?: SentObject,
): Related | undefined {
  if (identifiers === undefined) return undefined;
  const typeId = nameIn(call, identifiers, 'object_type_id') ?? '1';
  const objectId = nameIn(call, identifiers, 'object_id');
  if (objectId === null || objectFault(typeId, objectId) !== undefined) return undefined;
  return { typeId, objectId, attributes: entry?.object('relationship_attributes') };
}

export function objectFault(typeId: string, objectId: string): Refusal | undefined {
  return nameFault('object_type_id', typeId) ?? nameFault('object_id', objectId);
}

export interface Relate {
  readonly action: RelateAction;
  readonly related: readonly Related[];
  /** Absent: one is minted, since the call beside it has the client's. */
  readonly messageId?: string | undefined;
  /** ms */
  readonly timestamp?: number | undefined;
}

/** Takes a person whom the call names out of an object; what a visitor has of their own is theirs. */
export function isUnrelating(outcome: Outcome): boolean {
  if (outcome.type !== 'event' || outcome.event.type !== 'relate') return false;
  const { identifier_kind: kind, properties } = outcome.event;
  return kind !== 'none' && properties?.startsWith('{"action":"delete"') === true;
}

export function relateOutcome(call: CallContext, who: RelatedWho, relate: Relate): Outcome {
  const { action, related, messageId = call.mintMessageId(), timestamp } = relate;
  const properties = `{"action":"${action}","relationships":[${related.map(textOf).join(',')}]}`;
  const parts = { type: 'relate', messageId, timestamp, name: null, properties, context: null } as const;
  return eventOutcome(call, { ...parts, ...who });
}

function textOf({ typeId, objectId, attributes, objectAttributes }: Related): string {
  const own = `"object_type_id":${JSON.stringify(typeId)},"object_id":${JSON.stringify(objectId)}`;
  const ofRelationship = attributes === undefined ? '' : `,"attributes":${attributes.text}`;
  const ofObject = objectAttributes === undefined ? '' : `,"object_attributes":${objectAttributes.text}`;
  return `{${own}${ofRelationship}${ofObject}}`;
}

/** An entry that names no object or nobody. The call around it counts. */
export function unusable(call: CallContext, { anonymousId }: Pick<RelatedWho, 'anonymousId'>): Outcome {
  const detail = { field: 'cio_relationships', message: 'an entry names no object or nobody' };
  return droppedOutcome(call, { reason: 'invalid_call', messageId: null, anonymousId, detail });
}

export function noRelationships(): Refusal {
  return refused(
    'invalid_call',
    'cio_relationships',
    'cio_relationships must name at least one object and who has it',
  );
}
