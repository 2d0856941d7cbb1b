/** The calls of Track v1 (spec A.1), each with its route, its form of a refusal and what it becomes. */
import type { Envelope } from './answers.ts';
import type { SentObject } from './json-text.ts';
import { translateDevice, translateDeviceDeletion } from './translate-device.ts';
import { translateForm } from './translate-form.ts';
import {
  translateDelivery,
  translateMetric,
  translatePushEvent,
  translateUnsubscribe,
} from './translate-report.ts';
import {
  translateAnonymousEvent,
  translateControl,
  translateIdentify,
  translateMerge,
  translatePersonEvent,
  type PersonControl,
} from './translate-track.ts';
import type { CallContext, Translation } from './translation.ts';

/** Segments of the path, decoded. */
export interface TrackPath {
  readonly identifier?: string;
  readonly device_id?: string;
  readonly form_id?: string;
  readonly delivery_id?: string;
}

export interface TrackCall {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly source: string;
  readonly envelope: Envelope;
  /** 204 without a body in the place of 200. */
  readonly isEmptyAnswer?: boolean;
  readonly translate: (call: CallContext, path: TrackPath, body: SentObject) => Translation;
}

function control(method: 'POST' | 'DELETE', url: string, kind: PersonControl): TrackCall {
  const translate: TrackCall['translate'] = (call, { identifier = '' }) =>
    translateControl(call, kind, identifier);
  return { method, url, source: `track.v1.${kind}`, envelope: 'error', translate };
}

function pushEvent(url: string): TrackCall {
  const translate: TrackCall['translate'] = (call, _path, body) => translatePushEvent(call, body);
  return { method: 'POST', url, source: 'track.v1.push', envelope: 'error', translate };
}

const person = '/api/v1/customers/:identifier';

const people: readonly TrackCall[] = [
  {
    method: 'PUT',
    url: person,
    source: 'track.v1.identify',
    envelope: 'error',
    translate: (call, { identifier = '' }, body) => translateIdentify(call, identifier, body),
  },
  {
    method: 'POST',
    url: `${person}/events`,
    source: 'track.v1.event',
    envelope: 'errors',
    translate: (call, { identifier = '' }, body) => translatePersonEvent(call, identifier, body),
  },
  {
    method: 'POST',
    url: '/api/v1/events',
    source: 'track.v1.anonymous_event',
    envelope: 'errors',
    translate: (call, _path, body) => translateAnonymousEvent(call, body),
  },
  {
    method: 'POST',
    url: '/api/v1/merge_customers',
    source: 'track.v1.merge',
    envelope: 'error',
    translate: (call, _path, body) => translateMerge(call, body),
  },
  control('DELETE', person, 'delete'),
  control('POST', `${person}/suppress`, 'suppress'),
  control('POST', `${person}/unsuppress`, 'unsuppress'),
  {
    method: 'PUT',
    url: `${person}/devices`,
    source: 'track.v1.device',
    envelope: 'errors',
    translate: (call, { identifier = '' }, body) => translateDevice(call, identifier, body),
  },
  {
    method: 'DELETE',
    url: `${person}/devices/:device_id`,
    source: 'track.v1.device_deletion',
    envelope: 'errors',
    translate: (call, { identifier = '', device_id = '' }) =>
      translateDeviceDeletion(call, identifier, device_id),
  },
  {
    method: 'POST',
    url: '/api/v1/forms/:form_id/submit',
    source: 'track.v1.form',
    envelope: 'errors',
    isEmptyAnswer: true,
    translate: (call, { form_id = '' }, body) => translateForm(call, form_id, body),
  },
];

const deliveries: readonly TrackCall[] = [
  {
    method: 'POST',
    url: '/api/v1/metrics',
    source: 'track.v1.metric',
    envelope: 'error',
    translate: (call, _path, body) => translateMetric(call, body),
  },
  {
    method: 'POST',
    url: '/api/v1/cio_deliveries/events',
    source: 'track.v1.delivery',
    envelope: 'error',
    translate: (call, _path, body) => translateDelivery(call, body),
  },
  pushEvent('/api/v1/push/events'),
  pushEvent('/push/events'), // customerio-ruby's
  {
    method: 'POST',
    url: '/unsubscribe/:delivery_id',
    source: 'track.v1.unsubscribe',
    envelope: 'error',
    translate: (call, { delivery_id = '' }, body) => translateUnsubscribe(call, delivery_id, body),
  },
];

export const trackCalls: readonly TrackCall[] = [...people, ...deliveries];
