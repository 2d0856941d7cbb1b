/**
 * What became of a delivery (spec A.1 metrics, push events, unsubscribe; A.2 delivery). Whatever API tells it, it becomes
 * the semantic event that Pipelines has for it: `Report Delivery Event` with `deliveryId` and `metric` among its properties.
 * The call names nobody: whose delivery it was is for who sent it to know. Pure.
 */
import { eventDataBytesMax } from '../../schemas/http/limits.ts';
import { noted, type NotedCall } from './corrections.ts';
import { emptyObject, type SentObject } from './json-text.ts';
import { nameIn } from './names.ts';
import type { Identifier } from '../../schemas/lanes.ts';
import { namedBeside } from './track-names.ts';
import { stamps } from './track-stamps.ts';
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
import { nameFault, textFault } from './validate.ts';

const METRICS = ['opened', 'clicked', 'converted', 'delivered', 'bounced', 'deferred', 'dropped', 'spammed'];
const PUSH_METRICS = ['opened', 'converted', 'delivered'];

/** `POST /api/v1/metrics`. */
export function translateMetric(call: CallContext, body: SentObject): Translation {
  return noted(call, body, (noting) => {
    const deliveryId = deliveryIn(noting, body, 'delivery_id');
    if (isRefusal(deliveryId)) return deliveryId;
    const metric = oneOf(body, 'metric', METRICS);
    if (isRefusal(metric)) return metric;
    const rest = body.amended(['delivery_id', 'metric', 'timestamp', 'id']);
    return report(noting, body, rest.amended([], { deliveryId, metric }));
  });
}

/** `POST /api/v1/push/events`, and the same at the root. */
export function translatePushEvent(call: CallContext, body: SentObject): Translation {
  return noted(call, body, (noting) => {
    const deliveryId = deliveryIn(noting, body, 'delivery_id');
    if (isRefusal(deliveryId)) return deliveryId;
    const metric = oneOf(body, 'event', PUSH_METRICS);
    if (isRefusal(metric)) return metric;
    const deviceToken = nameIn(noting, body, 'device_id');
    if (deviceToken === null) return refused('invalid_call', 'device_id', 'device_id must be present');
    const rest = body.amended(['delivery_id', 'event', 'device_id', 'timestamp', 'id']);
    return report(noting, body, rest.amended([], { deliveryId, metric, deviceToken }));
  });
}

/** `POST /api/v1/cio_deliveries/events`: a message in the app, of mobile libraries before iOS 3 and Android 4. */
export function translateDelivery(call: CallContext, body: SentObject): Translation {
  return noted(call, body, (noting) => {
    const payload = body.object('payload');
    if (payload === undefined) return refused('invalid_call', 'payload', 'payload must be an object');
    const deliveryId = deliveryIn(noting, payload, 'delivery_id');
    if (isRefusal(deliveryId)) return deliveryId;
    const metric = oneOf(payload, 'event', METRICS);
    if (isRefusal(metric)) return metric;
    const rest = payload.amended(['delivery_id', 'event', 'timestamp', 'id']);
    return report(noting, payload, rest.amended([], { deliveryId, metric }));
  });
}

/**
 * `POST /unsubscribe/{delivery_id}`; `path` is decoded. Whose delivery it was is not known here; where the call names the
 * person beside it (ours: `id`, `email` or `cio_id`) the attribute `unsubscribed` is set, of a person who is there.
 */
export function translateUnsubscribe(call: CallContext, path: string, body: SentObject): Translation {
  return noted(call, body, (noting) => {
    const deliveryId = deliveryIn(noting, emptyObject.amended([], { delivery_id: path }), 'delivery_id');
    if (isRefusal(deliveryId)) return deliveryId;
    const { unsubscribe } = body.value;
    if (typeof unsubscribe !== 'boolean') {
      return refused('invalid_call', 'unsubscribe', 'unsubscribe must be true or false');
    }
    const named = namedBeside(noting, body);
    if (isRefusal(named)) return named;
    const metric = unsubscribe ? 'unsubscribed' : 'resubscribed';
    const told = report(noting, body, emptyObject.amended([], { deliveryId, metric }));
    if (isRefusal(told) || named === null) return told;
    return accepted(...told.outcomes, subscription(noting, named, { unsubscribed: unsubscribe }));
  });
}

/** An update that makes nobody. */
function subscription(
  call: NotedCall,
  identifier: Identifier,
  said: { readonly unsubscribed: boolean },
): Outcome {
  const { kind, value } = identifier;
  return eventOutcome(
    call,
    {
      type: 'identify',
      identifier,
      anonymousId: null,
      messageId: call.mintMessageId(),
      timestamp: undefined,
      name: null,
      properties: JSON.stringify(said),
      context: null,
    },
    {
      id: kind === 'id' ? value : null,
      email: kind === 'email' ? value : null,
      cioId: kind === 'cio_id' ? value : null,
      updateOnly: true,
      attributesAt: null,
    },
  );
}

/** The operation `event` of a delivery. */
export function deliveryOperation(call: NotedCall, operation: SentObject): Translation {
  const deliveryId = deliveryIn(call, operation.object('identifiers') ?? emptyObject, 'id');
  if (isRefusal(deliveryId)) return deliveryId;
  const metric = oneOf(operation, 'name', PUSH_METRICS);
  if (isRefusal(metric)) return metric;
  const attributes = operation.object('attributes') ?? emptyObject;
  const deviceToken = nameIn(call, attributes, 'device_token');
  if (deviceToken === null) return refused('invalid_call', 'attributes', 'device_token must be present');
  const rest = attributes.amended(['device_token']);
  return report(call, operation, rest.amended([], { deliveryId, metric, deviceToken }));
}

function report(call: NotedCall, sent: SentObject, told: SentObject): Translation {
  const properties = told.text;
  const fault = textFault('event data', properties, eventDataBytesMax);
  if (fault !== undefined) return fault;
  const { messageId, timestamp } = stamps(call, sent);
  return accepted(
    eventOutcome(call, {
      type: 'event',
      identifier: null,
      anonymousId: null,
      messageId,
      timestamp,
      name: 'Report Delivery Event',
      properties,
      context: null,
    }),
  );
}

function deliveryIn(call: NotedCall, sent: SentObject, field: string): string | Refusal {
  const name = nameIn(call, sent, field);
  if (name === null) return refused('invalid_call', field, `${field} must be present`);
  return nameFault(field, name) ?? name;
}

function oneOf(sent: SentObject, field: string, allowed: readonly string[]): string | Refusal {
  const value = sent.value[field];
  if (typeof value === 'string' && allowed.includes(value)) return value;
  return refused('invalid_call', field, `${field} must be one of ${allowed.join(', ')}`);
}
