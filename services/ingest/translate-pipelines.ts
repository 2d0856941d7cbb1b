/** Calls of the Pipelines API: a call in, outcomes or a refusal out. Pure (spec A.3; contract, *Words*). */
import { Compile } from 'typebox/compile';
import { callBytesMax } from '../../schemas/http/limits.ts';
import { Alias, Group, Identify, Page, Track } from '../../schemas/http/pipelines.ts';
import { isBotAgent } from '../runtime/bot-agents.ts';
import { noted, type NotedCall } from './corrections.ts';
import { emptyObject, isObject, type SentObject } from './json-text.ts';
import { noteMisspelt } from './misspelt-names.ts';
import { noteCreatedAt } from './noted-time.ts';
import { byShape, nameIn, nameOfEvent, viewName } from './names.ts';
import { emailOf, isEmail, namesNobody, phoneOf, whoOf, type Who } from './pipelines-names.ts';
import { viewProperties } from './view-properties.ts';
import { agentIn, stamps, type PipelinesCall } from './pipelines-stamps.ts';
import { unknownWord } from './unknown-word.ts';
import { visitorTraits } from './visitor-traits.ts';
import { lighterIdentify } from './lighter-identify.ts';
import { readable } from './readable-call.ts';
import { objectOutcome, type ObjectName } from './translate-object.ts';
import { objectFault, relateOutcome, type Relate } from './translate-relationships.ts';
import {
  accepted,
  controlOutcome,
  eventOutcome,
  isRefusal,
  refused,
  type Translation,
} from './translation.ts';
import { attributeFaults, eventDataOr, shapeFault, type Texts } from './validate.ts';

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

/** Track has it in `name`, Pipelines in `event`. */
function trackTexts({ value: { event, name } }: SentObject): Texts {
  if (event !== undefined || typeof name !== 'string') return texts;
  return { ...texts, event: `${texts.event ?? ''}: it has name, and Pipelines has it in event` };
}

type Call = PipelinesCall & NotedCall;

/** One call; `type` is the route's, or the item's in a batch. */
export function translatePipelines(call: PipelinesCall, type: string, body: SentObject): Translation {
  const agent = agentIn(call, body);
  const isBot = agent !== undefined && isBotAgent(agent);
  return noted(isBot ? { ...call, isBot } : call, body, (noting) => translate(noting, type, body));
}

function translate(call: Call, type: string, whole: SentObject): Translation {
  let sent = whole;
  if (whole.isLonger(callBytesMax)) {
    const text = `a call cannot be larger than ${String(callBytesMax)} bytes: it has ${String(whole.bytes)}`;
    const fault = refused('limit_exceeded', null, text);
    const lighter = type === 'identify' ? lighterIdentify(call, whole) : undefined;
    if (lighter === undefined) return fault;
    call.strictFaults.push(fault);
    sent = lighter;
  }
  if (!isKnown(type)) return unknownWord('type', { word: type, known: Object.keys(shapes) });
  if (call.nulls !== undefined && call.nulls > 0) {
    call.corrections.push({ field: '', sent: 'NaN or Infinity', kept: 'null', why: 'not_a_number' });
  }
  const body = readable(call, sent);
  const fault = shapeFault(shapes[type], body.value, type === 'track' ? trackTexts(body) : texts);
  if (fault !== undefined) return fault;
  noteMisspelt(call, body, ['userId', 'anonymousId']);
  const who = whoOf(call, body, type === 'identify' && isEmail(body.object('traits')?.value.email));
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

function identify(call: Call, body: SentObject, { userId, anonymousId }: Who): Translation {
  const traits = withinLimits(call, body.object('traits') ?? emptyObject);
  noteCreatedAt(call, traits, 'traits.');
  const sent = emailOf(call, traits);
  const identifier =
    userId ?? (sent === null ? phoneOf(call, traits) : ({ kind: 'email', value: sent } as const));
  const email = userId?.kind === 'cio_id' ? emailByCioId(call, sent) : sent;
  const { messageId, timestamp, context } = stamps(call, body);
  if (identifier === null) {
    if (anonymousId === null) {
      return namesNobody(call, 'userId', 'userId, anonymousId or traits.email must be present');
    }
    return accepted(visitorTraits(call, anonymousId, { traits, messageId, timestamp, context }));
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

/** A call by cio_id changes what is set, also an email, by which people are written to and found: not by a key of a page. */
function emailByCioId(call: Call, email: string | null): string | null {
  if (email === null || call.barred?.has('rename') !== true) return email;
  const field = 'traits.email';
  const text =
    'a key of kind browser may not give an email to a person named by cio_id: call from a server, or set browser_keys_may_alias';
  call.strictFaults.push(refused('identifier_conflict', field, text));
  call.corrections.push({ field, sent: email, kept: null, why: 'key_not_allowed' });
  return null;
}

/**
 * previousId is a visitor's anonymous id or another person, and only identity can know which. So a claim goes out
 * first (unless it has the shape of an email or a cio_id), then a merge that carries the same id: if that names
 * nobody, the claim was all.
 */
function alias(call: Call, body: SentObject, { userId }: Who): Translation {
  const sent = nameIn(call, body, 'previousId');
  if (userId === null) return namesNobody(call, 'userId', 'userId must be present');
  if (sent === null) return refused('invalid_call', 'previousId', 'previousId must be present');
  const other = byShape(call, 'previousId', sent);
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
function group(call: Call, body: SentObject, who: Who): Translation {
  const traits = body.object('traits') ?? emptyObject;
  const objectId = nameIn(call, body, 'groupId');
  if (objectId === null) return refused('invalid_call', 'groupId', 'groupId must be present');
  const typeId = nameIn(call, traits, 'object_type_id') ?? '1';
  return relate(call, body, who, {
    action: 'add',
    related: [
      { typeId, objectId, attributes: traits.object('relationshipAttributes'), objectAttributes: traits },
    ],
  });
}

function relate(call: Call, body: SentObject, who: Who, what: Relate): Translation {
  const fault = what.related.map(({ typeId, objectId }) => objectFault(typeId, objectId)).find(isRefusal);
  if (fault !== undefined) return fault;
  const { userId: identifier, anonymousId } = who;
  if (identifier === null && anonymousId === null) {
    return namesNobody(call, 'userId', 'userId or anonymousId must be present');
  }
  const { messageId, timestamp } = stamps(call, body);
  return accepted(relateOutcome(call, { identifier, anonymousId }, { ...what, messageId, timestamp }));
}

/** Whoever tells of it: it is deleted for all who belong to it. */
function objectDeleted(call: Call, body: SentObject, object: ObjectName): Translation {
  const fault = objectFault(object.typeId, object.objectId);
  if (fault !== undefined) return fault;
  const { messageId, timestamp } = stamps(call, body);
  return accepted(objectOutcome(call, { action: 'delete', ...object, messageId, timestamp }));
}

/** Track events that ask for something about the person (spec A.3, *Semantic track events*). */
const SEMANTIC = new Map([
  ['User Deleted', 'delete'],
  ['User Suppressed', 'suppress'],
  ['User Unsuppressed', 'unsuppress'],
] as const);
type SemanticName = typeof SEMANTIC extends Map<infer Name, unknown> ? Name : never;

function track(call: Call, body: SentObject, who: Who): Translation {
  const name = nameOfEvent(call, body.value.event, 'event', 'event');
  if (isRefusal(name)) return name;
  const semantic = SEMANTIC.get(name as SemanticName); // any other name is simply not found
  if (semantic !== undefined && who.userId !== null) {
    const { messageId } = stamps(call, body);
    return accepted(controlOutcome(call, semantic, { messageId, identifier: who.userId }));
  }
  // Few events say of which object they are, and the others need not be looked into.
  const { properties: said } = body.value;
  const properties = isObject(said) && said.objectId !== undefined ? body.object('properties') : undefined;
  const objectId = properties === undefined ? null : nameIn(call, properties, 'objectId');
  const isOfObject = name === 'Relationship Deleted' || name === 'Object Deleted';
  if (isOfObject && properties !== undefined && objectId !== null) {
    const typeId = nameIn(call, properties, 'objectTypeId') ?? '1';
    if (name === 'Object Deleted') return objectDeleted(call, body, { typeId, objectId });
    return relate(call, body, who, { action: 'delete', related: [{ typeId, objectId }] });
  }
  return event(call, body, { ...who, type: 'event', name });
}

function view(call: Call, body: SentObject, who: Who & { type: 'page' | 'screen' }): Translation {
  const sent = who.type === 'page' ? pageName(body) : body.value.name;
  if (typeof sent !== 'string' || sent.trim() === '') {
    return event(call, body, { ...who, name: null, properties: viewProperties(body, null) });
  }
  const whole = nameOfEvent(call, sent, who.type);
  if (isRefusal(whole)) return whole;
  const name = viewName(call, who.type, whole);
  return event(call, body, { ...who, name, properties: viewProperties(body, name) });
}

function event(
  call: Call,
  body: SentObject,
  {
    userId,
    anonymousId,
    type,
    name,
    ...rest
  }: Who & { type: 'event' | 'page' | 'screen'; name: string | null; properties?: string | null },
): Translation {
  if (userId === null && anonymousId === null) {
    return namesNobody(call, 'userId', 'userId or anonymousId must be present');
  }
  const sent = eventDataOr(body, 'properties');
  if (isRefusal(sent)) return sent;
  const properties = rest.properties ?? sent;
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

/** Without the traits that break a limit: they cost no other trait, and not the person. */
function withinLimits(call: Call, traits: SentObject): SentObject {
  const faults = attributeFaults(traits);
  if (faults.length === 0) return traits;
  for (const { names, fault } of faults) {
    call.strictFaults.push(fault);
    for (const name of names) {
      const why = fault.field === null ? 'extra_attributes' : 'over_limit';
      call.corrections.push({ field: `traits.${name}`, sent: traits.value[name], kept: null, why });
    }
  }
  return traits.amended(faults.flatMap(({ names }) => names));
}

function isKnown(type: string): type is keyof typeof shapes {
  return Object.hasOwn(shapes, type);
}
