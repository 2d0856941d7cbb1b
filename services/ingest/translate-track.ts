/** Track v1 and the operations of v2 that are about people: a call in, outcomes or a refusal out. Pure (spec A.1, A.2). */
import { Compile } from 'typebox/compile';
import { callBytesMax } from '../../schemas/http/limits.ts';
import { TrackEvent, TrackIdentify, TrackMerge, TrackOperation } from '../../schemas/http/track.ts';
import type { Identifier } from '../../schemas/lanes.ts';
import { noted, type NotedCall } from './corrections.ts';
import { emptyObject, type SentObject } from './json-text.ts';
import {
  anonymousIdIn,
  identifierBeside,
  nameOfEvent,
  placeholderRefusal,
  viewName,
  withoutPlaceholder,
} from './names.ts';
import { bodyIdentifier, identifiersOf, pathIdentifier, sideOf, type Who } from './track-names.ts';
import { deviceEvent } from './translate-device.ts';
import { deliveryOperation } from './translate-report.ts';
import { noteMisspelt } from './misspelt-names.ts';
import { noteCreatedAt } from './noted-time.ts';
import { attributesTime, stamps, timeOf } from './track-stamps.ts';
import { unknownWord } from './unknown-word.ts';
import { visitorTraits } from './visitor-traits.ts';
import { objectOperation } from './translate-object.ts';
import { noRelationships, personRelationships } from './translate-relationships.ts';
import {
  accepted,
  controlOutcome,
  eventOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Refusal,
  type Translation,
} from './translation.ts';
import { attributesFault, eventDataOr, shapeFault, type Texts } from './validate.ts';

const identifyShape = Compile(TrackIdentify);
const eventShape = Compile(TrackEvent);
const mergeShape = Compile(TrackMerge);
const operationShape = Compile(TrackOperation);

const identifyTexts: Texts = { id: 'id attribute must be a string value' };
const eventTexts: Texts = { name: 'event name must not be blank', data: 'event data must be a hash' };

/** `PUT /api/v1/customers/{identifier}`. `path` is decoded. */
export function translateIdentify(call: CallContext, path: string, body: SentObject): Translation {
  return noted(call, body, (noting) => {
    const identifier = pathIdentifier(noting, path);
    if (isRefusal(identifier)) return identifier;
    return identify(noting, { identifier, attributes: body, sent: body, timestamp: undefined });
  });
}

/** `POST /api/v1/customers/{identifier}/events`. */
export function translatePersonEvent(call: CallContext, path: string, body: SentObject): Translation {
  return noted(call, body, (noting) => {
    const named = pathIdentifier(noting, path);
    return isRefusal(named) ? named : v1Event(noting, named, body);
  });
}

/** `POST /api/v1/events`: a visitor's event, or without anonymous id an invite. */
export function translateAnonymousEvent(call: CallContext, body: SentObject): Translation {
  return noted(call, body, (noting) => v1Event(noting, null, body));
}

export type PersonControl = 'delete' | 'suppress' | 'unsuppress';
const PERSON_CONTROLS: ReadonlySet<string> = new Set<PersonControl>(['delete', 'suppress', 'unsuppress']);

export function translateControl(call: CallContext, kind: PersonControl, path: string): Translation {
  return noted(call, emptyObject, (noting) => {
    const identifier = pathIdentifier(noting, path);
    if (isRefusal(identifier)) return identifier;
    return accepted(controlOutcome(call, kind, { messageId: call.mintMessageId(), identifier }));
  });
}

/** `POST /api/v1/merge_customers`, and `merge` of v2. */
export function translateMerge(call: CallContext, body: SentObject): Translation {
  return noted(call, body, (noting) => merge(noting, body));
}

function merge(call: NotedCall, body: SentObject): Translation {
  const fault = shapeFault(mergeShape, body.value, {
    primary: 'primary must be an object',
    secondary: 'secondary must be an object',
  });
  if (fault !== undefined) return fault;
  const identifier = sideOf(call, body, 'primary');
  const other = sideOf(call, body, 'secondary');
  if (isRefusal(identifier)) return identifier;
  if (isRefusal(other)) return other;
  return accepted(controlOutcome(call, 'merge', { messageId: call.mintMessageId(), identifier, other }));
}

/** One operation of v2. */
export function translateOperation(call: CallContext, operation: SentObject): Translation {
  return noted(call, operation, (noting) => translate(noting, operation));
}

function translate(call: NotedCall, operation: SentObject): Translation {
  const fault = shapeFault(operationShape, operation.value, {});
  if (fault !== undefined) return fault;
  if (operation.isLonger(callBytesMax)) {
    return refused(
      'limit_exceeded',
      null,
      `an operation cannot be larger than ${String(callBytesMax)} bytes: it has ${String(operation.bytes)}`,
    );
  }
  const { type, action } = operation.value as TrackOperation; // the shape has been checked
  if (type === 'object') return objectOperation(call, operation, action);
  if (type === 'delivery' && action === 'event') return deliveryOperation(call, operation);
  if (type === 'delivery') return unknownWord('action', { word: action, known: ['event'] });
  if (type !== 'person') return unknownWord('type', { word: type, known: TYPES });
  if (action === 'merge') return merge(call, operation);
  const who = identifiersOf(call, operation, PERSON_CONTROLS.has(action));
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
    case 'add_device':
    case 'delete_device': {
      const device = operation.object('device');
      if (device === undefined) return refused('invalid_call', 'device', 'device must be an object');
      const verb = action === 'add_device' ? 'add' : 'delete';
      return deviceEvent(call, who, { action: verb, sent: operation, device });
    }
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
      return unknownWord('action', { word: action, known: PERSON_ACTIONS });
  }
}

const TYPES = ['person', 'object', 'delivery'];
const PERSON_ACTIONS = [
  ...['identify', 'event', 'page', 'screen', 'merge', 'delete', 'suppress', 'unsuppress', 'add_device'],
  ...['delete_device', 'add_relationships', 'delete_relationships', 'viewed_content', 'clicked_content'],
];

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

/** A person whose identifier is known, with what is told of them. */
export function identify(
  call: NotedCall,
  { identifier: named, attributes, sent, timestamp, ...rest }: IdentifyCall,
): Translation {
  const body = attributes.value;
  const fault = shapeFault(identifyShape, body, identifyTexts) ?? attributesFault(attributes);
  if (fault !== undefined) return fault;
  noteCreatedAt(call, attributes, '');
  const anonymousId = anonymousIdIn(call, attributes, 'anonymous_id');
  const id = bodyIdentifier(call, 'id', body.id);
  const email = bodyIdentifier(call, 'email', body.email);
  const cioId = bodyIdentifier(call, 'cio_id', body.cio_id);
  if (isRefusal(anonymousId)) return anonymousId;
  if (isRefusal(id)) return id;
  if (isRefusal(email)) return email;
  if (isRefusal(cioId)) return cioId;
  const visitor = anonymousId ?? rest.anonymousId ?? null;
  const identifier = whoIsNamed(call, named, { id, email, cio_id: cioId });
  if (identifier === null) {
    if (visitor === null) return placeholderRefusal('id', named.value);
    return ofVisitor(call, visitor, { traits: attributes, sent, timestamp });
  }
  const own = (kind: Identifier['kind']) => (identifier.kind === kind ? identifier.value : null);
  const who = { identifier, anonymousId: visitor };
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
      attributesAt: attributesTime(call, body._timestamp),
    },
  );
  return accepted(event, ...personRelationships(call, who, sent));
}

/** Whom the call names first; where that is a placeholder, whom its attributes name, else null. */
function whoIsNamed(
  call: NotedCall,
  named: Identifier,
  among: Readonly<Record<Identifier['kind'], string | null>>,
): Identifier | null {
  if (withoutPlaceholder(call, 'id', named.value) !== null) return named;
  for (const kind of ['cio_id', 'id', 'email'] as const) {
    const value = among[kind];
    if (value !== null) return { kind, value };
  }
  return null;
}

/** An identify by a placeholder beside an anonymous id: what the visitor says of themselves. */
function ofVisitor(
  call: NotedCall,
  anonymousId: string,
  { traits, sent, timestamp }: { traits: SentObject; sent: SentObject; timestamp: number | undefined },
): Translation {
  const said = { traits: traits.amended(NAMING), messageId: call.mintMessageId(), timestamp, context: null };
  const who = { identifier: null, anonymousId };
  return accepted(visitorTraits(call, anonymousId, said), ...personRelationships(call, who, sent));
}
const NAMING = ['id', 'cio_id', 'anonymous_id', '_update', '_timestamp', 'cio_relationships'];

function v1Event(call: NotedCall, named: Identifier | null, body: SentObject): Translation {
  const fault = shapeFault(eventShape, body.value, eventTexts);
  if (fault !== undefined) return fault;
  const anonymousId = anonymousIdIn(call, body, 'anonymous_id');
  if (named === null) noteMisspelt(call, body, ['anonymous_id']);
  const type = typeIn(call, body.value.type);
  const seen = seenIn(call, body, { type, name: body.value.name, data: 'data' });
  if (isRefusal(anonymousId)) return anonymousId;
  if (isRefusal(seen)) return seen;
  const identifier = named && identifierBeside(call, 'id', named, anonymousId);
  if (isRefusal(identifier)) return identifier;
  const { name, properties } = seen;
  const { messageId, timestamp } = stamps(call, body);
  const parts = { type, identifier, anonymousId, messageId, timestamp, name, properties, context: null };
  return accepted(eventOutcome(call, parts));
}

type EventType = 'event' | 'page' | 'screen';

interface Seen {
  readonly name: string;
  readonly properties: string | null;
}

/** An event's name and data. A page whose name is cut has the whole among its data. */
function seenIn(
  call: NotedCall,
  sent: SentObject,
  { type, name, data }: { readonly type: EventType; readonly name: unknown; readonly data: string },
): Seen | Refusal {
  const whole = nameOfEvent(call, name, type);
  const properties = eventDataOr(sent, data);
  if (isRefusal(whole)) return whole;
  if (isRefusal(properties)) return properties;
  if (type === 'event') return { name: whole, properties };
  const kept = viewName(call, type, whole);
  const bag = sent.object(data) ?? emptyObject;
  if (kept === whole || Object.hasOwn(bag.value, 'url')) return { name: kept, properties };
  return { name: kept, properties: bag.amended([], { url: whole }).text };
}

function v2Event(
  call: NotedCall,
  operation: SentObject,
  { identifier, anonymousId, type, ...rest }: Who & { type: EventType; name?: string },
): Translation {
  const seen = seenIn(call, operation, { type, name: rest.name ?? operation.value.name, data: 'attributes' });
  if (isRefusal(seen)) return seen;
  const { name, properties } = seen;
  const { messageId, timestamp } = stamps(call, operation);
  const parts = { type, identifier, anonymousId, messageId, timestamp, name, properties, context: null };
  return accepted(eventOutcome(call, parts));
}

function operationIdentify(call: NotedCall, operation: SentObject, who: Who): Translation {
  const attributes = operation.object('attributes') ?? emptyObject;
  const { timestamp } = timeOf(call, operation);
  const { identifier, anonymousId } = who;
  if (identifier === null) {
    noteCreatedAt(call, attributes, '');
    const messageId = call.mintMessageId();
    const said = { traits: attributes, messageId, timestamp, context: null };
    return attributesFault(attributes) ?? accepted(visitorTraits(call, anonymousId, said));
  }
  return identify(call, { identifier, attributes, sent: operation, timestamp, anonymousId });
}

function typeIn(call: NotedCall, sent: unknown): EventType {
  if (sent === 'page' || sent === 'screen') return sent;
  if (sent !== undefined && sent !== null && sent !== 'event') {
    call.corrections.push({ field: 'type', sent, kept: 'event', why: 'unknown_type' });
  }
  return 'event';
}
