/** Track v1 and the operations of v2 that are about people: a call in, outcomes or a refusal out. Pure (spec A.1, A.2). */
import { Compile } from 'typebox/compile';
import { callBytesMax } from '../../schemas/http/limits.ts';
import { TrackEvent, TrackIdentify, TrackMerge, TrackOperation } from '../../schemas/http/track.ts';
import { identifierByShape, isEmailShaped, type Identifier } from '../../schemas/lanes.ts';
import { emptyObject, type SentObject } from './json-text.ts';
import {
  noRelationships,
  personRelationships,
  relatedBy,
  relateOutcome,
  unusable,
  type RelateAction,
} from './translate-relationships.ts';
import {
  accepted,
  controlOutcome,
  droppedOutcome,
  eventOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Refusal,
  type Translation,
} from './translation.ts';
import {
  anonymousIdOf,
  attributesFault,
  eventDataOr,
  eventNameOr,
  fromUnixSeconds,
  identifierOr,
  sentMessageId,
  shapeFault,
  type Texts,
} from './validate.ts';

const identifyShape = Compile(TrackIdentify);
const eventShape = Compile(TrackEvent);
const mergeShape = Compile(TrackMerge);
const operationShape = Compile(TrackOperation);

const identifyTexts: Texts = { id: 'id attribute must be a string value' };
const eventTexts: Texts = { name: 'event name must not be blank', data: 'event data must be a hash' };

/** `PUT /api/v1/customers/{identifier}`. `path` is decoded. */
export function translateIdentify(call: CallContext, path: string, body: SentObject): Translation {
  const named = pathIdentifier(path);
  return isRefusal(named)
    ? named
    : identify(call, { identifier: named, attributes: body, sent: body, timestamp: undefined });
}

/** `POST /api/v1/customers/{identifier}/events`. */
export function translatePersonEvent(call: CallContext, path: string, body: SentObject): Translation {
  const named = pathIdentifier(path);
  return isRefusal(named) ? named : v1Event(call, named, body);
}

/** `POST /api/v1/events`: a visitor's event, or without anonymous id an invite. */
export function translateAnonymousEvent(call: CallContext, body: SentObject): Translation {
  return v1Event(call, null, body);
}

export type PersonControl = 'delete' | 'suppress' | 'unsuppress';

export function translateControl(call: CallContext, kind: PersonControl, path: string): Translation {
  const identifier = pathIdentifier(path);
  if (isRefusal(identifier)) return identifier;
  return accepted(controlOutcome(call, kind, { messageId: call.mintMessageId(), identifier }));
}

/** `POST /api/v1/merge_customers`, and `merge` of v2. */
export function translateMerge(call: CallContext, body: SentObject): Translation {
  const fault = shapeFault(mergeShape, body.value, {
    primary: 'primary must be an object',
    secondary: 'secondary must be an object',
  });
  if (fault !== undefined) return fault;
  const identifier = sideOf(body, 'primary');
  const other = sideOf(body, 'secondary');
  if (isRefusal(identifier)) return identifier;
  if (isRefusal(other)) return other;
  return accepted(controlOutcome(call, 'merge', { messageId: call.mintMessageId(), identifier, other }));
}

/** One operation of v2. */
export function translateOperation(call: CallContext, operation: SentObject): Translation {
  const fault = shapeFault(operationShape, operation.value, {});
  if (fault !== undefined) return fault;
  if (operation.bytes > callBytesMax) {
    return refused(
      'limit_exceeded',
      null,
      `an operation cannot be larger than ${String(callBytesMax)} bytes`,
    );
  }
  const { type, action } = operation.value as TrackOperation; // the shape has been checked
  if (type === 'object') return objectOperation(call, operation, action);
  if (type !== 'person') return refused('not_supported_yet', 'type', `type ${type} is not supported yet`);
  if (action === 'merge') return translateMerge(call, operation);
  const who = identifiersOf(operation);
  if (isRefusal(who)) return who;
  switch (action) {
    case 'identify':
      return operationIdentify(call, operation, who);
    case 'event':
    case 'page':
    case 'screen':
      return v2Event(call, operation, { ...who, type: action });
    case 'viewed_content':
    case 'clicked_content':
      return v2Event(call, operation, { ...who, type: 'event', name: action });
    case 'add_relationships':
    case 'delete_relationships': {
      const verb = action === 'add_relationships' ? 'add' : 'delete';
      const outcomes = personRelationships(call, who, operation, verb);
      return outcomes.some(({ type }) => type === 'event') ? accepted(...outcomes) : noRelationships();
    }
    case 'delete':
    case 'suppress':
    case 'unsuppress':
      if (who.identifier === null)
        return refused('invalid_call', 'identifiers', 'id attribute must be present');
      return accepted(
        controlOutcome(call, action, { messageId: call.mintMessageId(), identifier: who.identifier }),
      );
    default:
      return refused('not_supported_yet', 'action', `action ${action} is not supported yet`);
  }
}

const OBJECT_ACTIONS: ReadonlyMap<string, RelateAction> = new Map([
  ['identify', 'add'],
  ['identify_anonymous', 'add'],
  ['add_relationships', 'add'],
  ['delete_relationships', 'delete'],
]);

/** An object with those who have it: a record for each of them. */
function objectOperation(call: CallContext, operation: SentObject, name: string): Translation {
  const action = OBJECT_ACTIONS.get(name);
  if (action === undefined) {
    return refused('not_supported_yet', 'action', `action ${name} of an object is not supported yet`);
  }
  const outcomes = operation.objects('cio_relationships').map((entry) => {
    const object = relatedBy(operation.object('identifiers'), entry, operation.object('attributes'));
    const who = entry === undefined ? noRelationships() : identifiersOf(entry);
    if (object === undefined || isRefusal(who)) return unusable(call, { anonymousId: null });
    return relateOutcome(call, who, { action, related: [object], ...timeOf(operation) });
  });
  return outcomes.some(({ type }) => type === 'event') ? accepted(...outcomes) : noRelationships();
}

function timeOf(operation: SentObject): { readonly timestamp: number | undefined } {
  return { timestamp: fromUnixSeconds(operation.value.timestamp) };
}

interface IdentifyCall {
  readonly identifier: Identifier;
  readonly attributes: SentObject;
  /** Where cio_relationships stands: among the attributes (v1), or beside them. */
  readonly sent: SentObject;
  /** ms */
  readonly timestamp: number | undefined;
  /** An anonymous id given beside the attributes. */
  readonly anonymousId?: string | null;
}

function identify(
  call: CallContext,
  { identifier, attributes, sent, timestamp, ...rest }: IdentifyCall,
): Translation {
  const body = attributes.value;
  const fault = shapeFault(identifyShape, body, identifyTexts) ?? attributesFault(attributes);
  if (fault !== undefined) return fault;
  const anonymousId = anonymousIdOf(attributes, 'anonymous_id');
  const id = bodyIdentifier('id', body.id);
  const email = bodyIdentifier('email', body.email);
  const cioId = bodyIdentifier('cio_id', body.cio_id);
  if (isRefusal(anonymousId)) return anonymousId;
  if (isRefusal(id)) return id;
  if (isRefusal(email)) return email;
  if (isRefusal(cioId)) return cioId;
  const own = (kind: Identifier['kind']) => (identifier.kind === kind ? identifier.value : null);
  const who = { identifier, anonymousId: anonymousId ?? rest.anonymousId ?? null };
  const event = eventOutcome(
    call,
    {
      type: 'identify',
      ...who,
      messageId: call.mintMessageId(),
      timestamp,
      name: null,
      properties: attributes.text,
      context: null,
    },
    {
      id: id ?? own('id'),
      email: email ?? own('email'),
      cioId: cioId ?? own('cio_id'),
      updateOnly: body._update === true,
      attributesAt: fromUnixSeconds(body._timestamp) ?? null,
    },
  );
  return accepted(event, ...personRelationships(call, who, sent));
}

function v1Event(call: CallContext, identifier: Identifier | null, body: SentObject): Translation {
  const fault = shapeFault(eventShape, body.value, eventTexts);
  if (fault !== undefined) return fault;
  const anonymousId = anonymousIdOf(body, 'anonymous_id');
  const type = typeOf(body.value.type);
  const name = eventNameOr(body.value.name, type);
  const properties = eventDataOr(body, 'data');
  if (isRefusal(anonymousId)) return anonymousId;
  if (isRefusal(name)) return name;
  if (isRefusal(properties)) return properties;
  const { messageId, timestamp } = stamps(call, body);
  const parts = { type, identifier, anonymousId, messageId, timestamp, name, properties, context: null };
  return accepted(eventOutcome(call, parts));
}

interface Who {
  readonly identifier: Identifier | null;
  readonly anonymousId: string | null;
}

function v2Event(
  call: CallContext,
  operation: SentObject,
  { identifier, anonymousId, type, ...rest }: Who & { type: 'event' | 'page' | 'screen'; name?: string },
): Translation {
  const name = eventNameOr(rest.name ?? operation.value.name, type);
  const properties = eventDataOr(operation, 'attributes');
  if (isRefusal(name)) return name;
  if (isRefusal(properties)) return properties;
  const { messageId, timestamp } = stamps(call, operation);
  const parts = { type, identifier, anonymousId, messageId, timestamp, name, properties, context: null };
  return accepted(eventOutcome(call, parts));
}

function operationIdentify(call: CallContext, operation: SentObject, who: Who): Translation {
  if (who.identifier === null) {
    return accepted(
      droppedOutcome(call, {
        reason: 'identify_without_identifier',
        messageId: null,
        anonymousId: who.anonymousId,
        detail: {},
      }),
    );
  }
  const attributes = operation.object('attributes') ?? emptyObject;
  const timestamp = fromUnixSeconds(operation.value.timestamp);
  const { identifier, anonymousId } = who;
  return identify(call, { identifier, attributes, sent: operation, timestamp, anonymousId });
}

const V2_KINDS = { id: 'id', email: 'email', cio_id: 'cio_id', phone: 'id' } as const;

/** Exactly one of id, email, phone (an id to us) and cio_id, or an anonymous_id, or that beside one of them. */
function identifiersOf(operation: SentObject): Who | Refusal {
  const identifiers = operation.object('identifiers');
  if (identifiers === undefined)
    return refused('invalid_call', 'identifiers', 'id attribute must be present');
  const anonymousId = anonymousIdOf(identifiers, 'anonymous_id');
  if (isRefusal(anonymousId)) return anonymousId;
  const present = kindsIn(identifiers, V2_KINDS);
  if (present.length > 1) return refused('invalid_call', 'identifiers', 'only one identifier can be given');
  const [field] = present;
  if (field === undefined) {
    if (anonymousId !== null) return { identifier: null, anonymousId };
    return refused('invalid_call', 'identifiers', 'id attribute must be present');
  }
  const identifier = identifierIn(identifiers, field, V2_KINDS[field]);
  return isRefusal(identifier) ? identifier : { identifier, anonymousId };
}

const V1_KINDS = { id: 'id', email: 'email', cio_id: 'cio_id' } as const;

function sideOf(body: SentObject, side: 'primary' | 'secondary'): Identifier | Refusal {
  const identifiers = body.object(side) ?? emptyObject;
  const [field, ...more] = kindsIn(identifiers, V1_KINDS);
  if (field === undefined || more.length > 0) {
    return refused('invalid_call', side, `${side} must have exactly one of id, email or cio_id`);
  }
  return identifierIn(identifiers, field, V1_KINDS[field]);
}

function kindsIn<Field extends string>(sent: SentObject, kinds: Readonly<Record<Field, unknown>>): Field[] {
  const fields = Object.keys(kinds) as Field[]; // the keys of a record of Field
  return fields.filter((field) => sent.value[field] !== undefined && sent.value[field] !== null);
}

function identifierIn(sent: SentObject, field: string, kind: Identifier['kind']): Identifier | Refusal {
  const value = sent.value[field];
  const text = typeof value === 'number' ? sent.textOf(field) : value;
  if (typeof text !== 'string') {
    return refused('invalid_call', field, `${field} attribute must be a string value`);
  }
  return identifierOr(field, { kind, value: text });
}

function pathIdentifier(path: string): Identifier | Refusal {
  if (path === '') return refused('invalid_call', 'id', 'id attribute must be present');
  return identifierOr('id', identifierByShape(path));
}

/** An identifier among the attributes; null when absent, or an email that does not look like one. */
function bodyIdentifier(kind: Identifier['kind'], value: unknown): string | null | Refusal {
  if (typeof value !== 'string') return null;
  if (kind === 'email' && !isEmailShaped(value)) return null;
  const checked = identifierOr(kind, { kind, value });
  return isRefusal(checked) ? checked : checked.value;
}

function typeOf(sent: unknown): 'event' | 'page' | 'screen' {
  return sent === 'page' || sent === 'screen' ? sent : 'event';
}

function stamps(call: CallContext, sent: SentObject) {
  return {
    messageId: sentMessageId(sent.value.id) ?? call.mintMessageId(),
    timestamp: fromUnixSeconds(sent.value.timestamp),
  };
}
