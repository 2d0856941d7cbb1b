/**
 * Devices of people (spec A.1 devices, A.2 add_device). Whatever API tells of one, it becomes the semantic event that
 * Pipelines has for it: `Device Created or Updated` or `Device Deleted`, the device in `context.device` as token, type and
 * last_used, what else is told of it as properties. So what devices somebody has is a fold of events, which a claim and a
 * merge take along as they do the rest. Pure.
 */
import { deviceTokenBytesMax } from '../../schemas/http/limits.ts';
import { noted, type NotedCall } from './corrections.ts';
import { emptyObject, type SentObject } from './json-text.ts';
import { nameIn } from './names.ts';
import { pathPerson, type Who } from './track-names.ts';
import { stamps } from './track-stamps.ts';
import {
  accepted,
  eventOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Refusal,
  type Translation,
} from './translation.ts';
import { attributesFault, isLonger } from './validate.ts';

export type DeviceAction = 'add' | 'delete';

const NAMES: Readonly<Record<DeviceAction, string>> = {
  add: 'Device Created or Updated',
  delete: 'Device Deleted',
};
const PLATFORMS = new Set(['ios', 'android']);
/** Members of a device that are not attributes; Python's and Ruby's clients put those beside them. */
const OWN = ['id', 'token', 'platform', 'last_used', 'attributes'];

/** `PUT /api/v1/customers/{identifier}/devices`. */
export function translateDevice(call: CallContext, path: string, body: SentObject): Translation {
  return noted(call, body, (noting) => {
    const identifier = pathPerson(noting, path);
    if (isRefusal(identifier)) return identifier;
    const device = body.object('device');
    if (device === undefined) return refused('invalid_call', 'device', 'device must be an object');
    return deviceEvent(noting, { identifier, anonymousId: null }, { action: 'add', sent: body, device });
  });
}

/** `DELETE /api/v1/customers/{identifier}/devices/{device_id}`; both decoded. */
export function translateDeviceDeletion(call: CallContext, path: string, token: string): Translation {
  return noted(call, emptyObject, (noting) => {
    const identifier = pathPerson(noting, path);
    if (isRefusal(identifier)) return identifier;
    const device = emptyObject.amended([], { id: token });
    const told = { action: 'delete', sent: emptyObject, device } as const;
    return deviceEvent(noting, { identifier, anonymousId: null }, told);
  });
}

export interface ToldDevice {
  readonly action: DeviceAction;
  /** Where its time and message id stand. */
  readonly sent: SentObject;
  readonly device: SentObject;
}

/** The event of a device whose token is its `id` (v1) or `token` (v2). */
export function deviceEvent(call: NotedCall, who: Who, { action, sent, device }: ToldDevice): Translation {
  const context = deviceContext(call, action, device);
  if (isRefusal(context)) return context;
  const attributes = action === 'add' ? attributesOf(device) : emptyObject;
  const fault = attributesFault(attributes);
  if (fault !== undefined) return fault;
  const { messageId, timestamp } = stamps(call, sent);
  const properties = attributes.text;
  const parts = { type: 'event', messageId, timestamp, name: NAMES[action], properties, context } as const;
  return accepted(eventOutcome(call, { ...parts, ...who }));
}

function deviceContext(call: NotedCall, action: DeviceAction, device: SentObject): string | Refusal {
  const token = nameIn(call, device, 'token') ?? nameIn(call, device, 'id');
  if (token === null) return refused('invalid_call', 'device', 'device id must be present');
  if (isLonger(token, deviceTokenBytesMax)) {
    const text = `device id cannot be longer than ${String(deviceTokenBytesMax)} bytes`;
    return refused('limit_exceeded', 'device', text);
  }
  const members = [`"token":${JSON.stringify(token)}`];
  if (action === 'add') {
    const { platform } = device.value;
    const type = typeof platform === 'string' ? platform.trim().toLowerCase() : '';
    if (!PLATFORMS.has(type)) {
      return refused('invalid_call', 'platform', 'device platform must be ios or android');
    }
    if (type !== platform) {
      call.corrections.push({ field: 'device.platform', sent: platform, kept: type, why: 'canonical_form' });
    }
    members.push(`"type":${JSON.stringify(type)}`);
    const lastUsed = device.textOf('last_used');
    if (lastUsed !== undefined && lastUsed !== 'null') members.push(`"last_used":${lastUsed}`);
  }
  return `{"device":{${members.join(',')}}}`;
}

/** Those under `attributes`, and those beside it, which count less. */
function attributesOf(device: SentObject): SentObject {
  const named = device.object('attributes');
  const beside = device.amended(OWN);
  if (named === undefined) return beside;
  return Object.keys(beside.value).length === 0 ? named : beside.amended([], named.value);
}
