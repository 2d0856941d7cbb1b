/** Calls of the Pipelines API: a call in, outcomes or a refusal out. Pure (spec A.3; contract, *Words*). */
import { Compile } from 'typebox/compile';
import { callBytesMax } from '../../schemas/http/limits.ts';
import { Alias, Group, Identify, Page, Track } from '../../schemas/http/pipelines.ts';
import { identifierByShape, isEmailShaped, type Identifier } from '../../schemas/lanes.ts';
import { emptyObject, type SentObject } from './json-text.ts';
import { objectFault, relateOutcome, type Relate } from './translate-relationships.ts';
import {
  accepted,
  controlOutcome,
  droppedOutcome,
  eventOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Outcome,
  type Refusal,
  type Translation,
} from './translation.ts';
import {
  anonymousIdOf,
  attributesFault,
  eventDataOr,
  eventNameOr,
  fromIso8601,
  identifierOr,
  sentMessageId,
  shapeFault,
  textOrNumber,
  type Texts,
} from './validate.ts';

const shapes = {
  identify: Compile(Identify),
  track: Compile(Track),
  page: Compile(Page),
  screen: Compile(Page),
  alias: Compile(Alias),
  group: Compile(Group),
};
const texts: Texts = {
  event: 'event name must not be blank',
  properties: 'event data must be a hash',
  traits: 'traits must be an object',
  previousId: 'previousId must be present',
};

export interface PipelinesCall extends CallContext {
  /** Context of the batch, for calls that bring none. */
  readonly context: string | null;
}

/** One call; `type` is the route's, or the item's in a batch. */
export function translatePipelines(call: PipelinesCall, type: string, body: SentObject): Translation {
  if (body.bytes > callBytesMax) {
    return refused('limit_exceeded', null, `a call cannot be larger than ${String(callBytesMax)} bytes`);
  }
  if (!isKnown(type)) return refused('invalid_call', 'type', `type ${type} is not known`);
  const fault = shapeFault(shapes[type], body.value, texts);
  if (fault !== undefined) return fault;
  const who = whoOf(body);
  if (isRefusal(who)) return who;
  switch (type) {
    case 'identify':
      return identify(call, body, who);
    case 'alias':
      return alias(call, body, who);
    case 'group':
      return group(call, body, who);
    case 'track':
      return track(call, body, who);
    case 'page':
    case 'screen':
      return view(call, body, { ...who, type });
  }
}

/** Message id and anonymous id of a call that is refused, for its row. */
export function refusedRow(call: CallContext, body: SentObject | undefined, refusal: Refusal): Outcome {
  const anonymousId = body === undefined ? null : anonymousIdOf(body, 'anonymousId');
  return droppedOutcome(call, {
    reason: refusal.reason,
    messageId: sentMessageId(body?.value.messageId) ?? null,
    anonymousId: isRefusal(anonymousId) ? null : anonymousId,
    detail: { message: refusal.message, field: refusal.field },
  });
}

interface Who {
  readonly userId: Identifier | null;
  readonly anonymousId: string | null;
}

/** A blank userId names nobody: browsers send null, others an empty string. */
function whoOf(body: SentObject): Who | Refusal {
  const anonymousId = anonymousIdOf(body, 'anonymousId');
  if (isRefusal(anonymousId)) return anonymousId;
  const text = textOrNumber(body, 'userId');
  if (text === null) return { userId: null, anonymousId };
  const userId = identifierOr('userId', identifierByShape(text));
  return isRefusal(userId) ? userId : { userId, anonymousId };
}

function identify(call: PipelinesCall, body: SentObject, { userId, anonymousId }: Who): Translation {
  const traits = body.object('traits') ?? emptyObject;
  const fault = attributesFault(traits);
  if (fault !== undefined) return fault;
  const email = emailOf(traits);
  if (isRefusal(email)) return email;
  const identifier = userId ?? (email === null ? null : ({ kind: 'email', value: email } as const));
  const { messageId, timestamp, context } = stamps(call, body);
  if (identifier === null) {
    if (anonymousId === null) {
      return refused('invalid_call', 'userId', 'userId, anonymousId or traits.email must be present');
    }
    const reason = 'identify_without_identifier';
    return accepted(
      droppedOutcome(call, { reason, messageId, anonymousId, detail: { traits: traits.value } }),
    );
  }
  const event = eventOutcome(
    call,
    {
      type: 'identify',
      identifier,
      anonymousId,
      messageId,
      timestamp,
      name: null,
      properties: traits.text,
      context,
    },
    {
      id: identifier.kind === 'id' ? identifier.value : null,
      email: email ?? (identifier.kind === 'email' ? identifier.value : null),
      cioId: identifier.kind === 'cio_id' ? identifier.value : null,
      updateOnly: false,
      attributesAt: null,
    },
  );
  return accepted(event);
}

/**
 * previousId is a visitor's anonymous id or another person, and only identity can know which. So a claim goes out
 * first (unless it has the shape of an email or a cio_id), then a merge that carries the same id: if that names
 * nobody, the claim was all.
 */
function alias(call: PipelinesCall, body: SentObject, { userId }: Who): Translation {
  const sent = textOrNumber(body, 'previousId');
  if (userId === null) return refused('invalid_call', 'userId', 'userId must be present');
  if (sent === null) return refused('invalid_call', 'previousId', 'previousId must be present');
  const other = identifierOr('previousId', identifierByShape(sent));
  if (isRefusal(other)) return other;
  const { messageId, timestamp, context } = stamps(call, body);
  if (other.kind !== 'id')
    return accepted(controlOutcome(call, 'merge', { messageId, identifier: userId, other }));
  const claim = eventOutcome(
    call,
    {
      type: 'identify',
      identifier: userId,
      anonymousId: other.value,
      messageId,
      timestamp,
      name: null,
      properties: '{}',
      context,
    },
    {
      id: userId.kind === 'id' ? userId.value : null,
      email: userId.kind === 'email' ? userId.value : null,
      cioId: userId.kind === 'cio_id' ? userId.value : null,
      updateOnly: false,
      attributesAt: null,
    },
  );
  const anonymousId = other.value;
  return accepted(
    claim,
    controlOutcome(call, 'merge', { messageId, identifier: userId, other, anonymousId }),
  );
}

/** An object, of type 1 unless the traits say which, and who has it; the other traits are the object's. */
function group(call: PipelinesCall, body: SentObject, who: Who): Translation {
  const traits = body.object('traits') ?? emptyObject;
  const objectId = textOrNumber(body, 'groupId');
  if (objectId === null) return refused('invalid_call', 'groupId', 'groupId must be present');
  const typeId = textOrNumber(traits, 'object_type_id') ?? '1';
  return relate(call, body, who, {
    action: 'add',
    related: [
      { typeId, objectId, attributes: traits.object('relationshipAttributes'), objectAttributes: traits },
    ],
  });
}

function relate(call: PipelinesCall, body: SentObject, who: Who, what: Relate): Translation {
  const fault = what.related.map(({ typeId, objectId }) => objectFault(typeId, objectId)).find(isRefusal);
  if (fault !== undefined) return fault;
  const { userId: identifier, anonymousId } = who;
  if (identifier === null && anonymousId === null) {
    return refused('invalid_call', 'userId', 'userId or anonymousId must be present');
  }
  const { messageId, timestamp } = stamps(call, body);
  return accepted(relateOutcome(call, { identifier, anonymousId }, { ...what, messageId, timestamp }));
}

/** Track events that ask for something about the person (spec A.3, *Semantic track events*). */
const SEMANTIC = new Map([
  ['User Deleted', 'delete'],
  ['User Suppressed', 'suppress'],
  ['User Unsuppressed', 'unsuppress'],
] as const);
type SemanticName = typeof SEMANTIC extends Map<infer Name, unknown> ? Name : never;

function track(call: PipelinesCall, body: SentObject, who: Who): Translation {
  const name = eventNameOr(body.value.event, 'event');
  if (isRefusal(name)) return name;
  const semantic = SEMANTIC.get(name as SemanticName); // any other name is simply not found
  if (semantic !== undefined && who.userId !== null) {
    const { messageId } = stamps(call, body);
    return accepted(controlOutcome(call, semantic, { messageId, identifier: who.userId }));
  }
  const properties = body.object('properties');
  const objectId = properties === undefined ? null : textOrNumber(properties, 'objectId');
  if (name === 'Relationship Deleted' && properties !== undefined && objectId !== null) {
    const typeId = textOrNumber(properties, 'objectTypeId') ?? '1';
    return relate(call, body, who, { action: 'delete', related: [{ typeId, objectId }] });
  }
  return event(call, body, { ...who, type: 'event', name });
}

function view(call: PipelinesCall, body: SentObject, who: Who & { type: 'page' | 'screen' }): Translation {
  const sent = who.type === 'page' ? pageName(body) : body.value.name;
  if (typeof sent !== 'string' || sent.trim() === '') return event(call, body, { ...who, name: null });
  const name = eventNameOr(sent, who.type);
  return isRefusal(name) ? name : event(call, body, { ...who, name });
}

function event(
  call: PipelinesCall,
  body: SentObject,
  { userId, anonymousId, type, name }: Who & { type: 'event' | 'page' | 'screen'; name: string | null },
): Translation {
  if (userId === null && anonymousId === null) {
    return refused('invalid_call', 'userId', 'userId or anonymousId must be present');
  }
  const properties = eventDataOr(body, 'properties');
  if (isRefusal(properties)) return properties;
  const { messageId, timestamp, context } = stamps(call, body);
  const parts = { type, identifier: userId, anonymousId, messageId, timestamp, name, properties, context };
  return accepted(eventOutcome(call, parts));
}

/** properties.url, else name, else context.page.url. */
function pageName(body: SentObject): unknown {
  const candidates = [
    body.object('properties')?.value.url,
    body.value.name,
    body.object('context')?.object('page')?.value.url,
  ];
  return candidates.find((candidate) => typeof candidate === 'string' && candidate.trim() !== '');
}

function emailOf(traits: SentObject): string | null | Refusal {
  const { email } = traits.value;
  if (typeof email !== 'string' || !isEmailShaped(email)) return null;
  const checked = identifierOr('email', { kind: 'email', value: email });
  return isRefusal(checked) ? checked : checked.value;
}

function stamps(call: PipelinesCall, body: SentObject) {
  return {
    messageId: sentMessageId(body.value.messageId) ?? call.mintMessageId(),
    timestamp: fromIso8601(body.value.timestamp) ?? fromIso8601(body.value.originalTimestamp),
    context: body.object('context')?.text ?? call.context,
  };
}

function isKnown(type: string): type is keyof typeof shapes {
  return Object.hasOwn(shapes, type);
}
