import { describe, expect, test } from '@jest/globals';
import type { Translation } from './translation.ts';
import { call, eventOf, receivedAt, refusalOf, sent } from '../testing/ingest-calls.ts';
import {
  translateDelivery,
  translateMetric,
  translatePushEvent,
  translateUnsubscribe,
} from './translate-report.ts';
import { translateOperation } from './translate-track.ts';

const metric = (body: object | string) => translateMetric(call, sent(body));
const push = (body: object) => translatePushEvent(call, sent(body));
const unsubscribe = (path: string, body: object) => translateUnsubscribe(call, path, sent(body));
const operation = (body: object) =>
  translateOperation(call, sent({ type: 'delivery', action: 'event', ...body }));
const told = (translation: Translation) => JSON.parse(eventOf(translation).properties ?? '') as unknown;

describe('what became of a delivery, spec A.1 and A.2', () => {
  test('a metric is the event that Pipelines has for it, and names nobody', () => {
    const body = '{"delivery_id":"d1","metric":"clicked","href":"http://x","n":1.0,"timestamp":1700000000}';
    expect(eventOf(metric(body))).toMatchObject({
      type: 'event',
      identifier: null,
      anonymous_id: null,
      name: 'Report Delivery Event',
      properties: '{"href":"http://x","n":1.0,"deliveryId":"d1","metric":"clicked"}',
      timestamp: 1_700_000_000_000,
    });
    expect(eventOf(metric({ delivery_id: 'd1', metric: 'opened' })).timestamp).toBe(receivedAt);
  });

  test.each(['opened', 'clicked', 'converted', 'delivered', 'bounced', 'deferred', 'dropped', 'spammed'])(
    'the metric %s is taken',
    (name) => {
      expect(told(metric({ delivery_id: 'd', metric: name }))).toEqual({ deliveryId: 'd', metric: name });
    },
  );

  test('a push names its device, by v1 and by v2 in one form', () => {
    const v1 = eventOf(push({ delivery_id: 'd', event: 'opened', device_id: 't', timestamp: 1 }));
    const v2 = eventOf(
      operation({
        identifiers: { id: 'd' },
        name: 'opened',
        attributes: { device_token: 't' },
        timestamp: 1,
      }),
    );
    expect(JSON.parse(v1.properties ?? '')).toEqual({ deliveryId: 'd', metric: 'opened', deviceToken: 't' });
    expect(v2).toEqual(v1);
  });

  test('older mobile libraries tell of a message in the app', () => {
    const metadata = { action_name: 'open', action_value: 'cart' };
    const payload = { delivery_id: 'd', event: 'clicked', timestamp: 1_700_000_000, metadata };
    const event = eventOf(translateDelivery(call, sent({ type: 'in_app', payload })));
    expect(event).toMatchObject({ name: 'Report Delivery Event', timestamp: 1_700_000_000_000 });
    expect(JSON.parse(event.properties ?? '')).toEqual({ metadata, deliveryId: 'd', metric: 'clicked' });
  });

  test('who wants no more is told by the delivery in the path', () => {
    expect(told(unsubscribe('d1', { unsubscribe: true }))).toEqual({
      deliveryId: 'd1',
      metric: 'unsubscribed',
    });
    expect(told(unsubscribe('d1', { unsubscribe: false }))).toEqual({
      deliveryId: 'd1',
      metric: 'resubscribed',
    });
  });

  test('one that names the person beside it sets the attribute, and makes nobody', () => {
    const outcomesOf = (body: object) => {
      const translation = unsubscribe('d1', body);
      return translation.type === 'accepted' ? translation.outcomes : [];
    };
    const [report, identify] = outcomesOf({ unsubscribe: true, email: 'Ann@shop.example' });
    expect(report).toMatchObject({ event: { name: 'Report Delivery Event', identifier: null } });
    expect(identify).toMatchObject({
      event: {
        type: 'identify',
        identifier_kind: 'email',
        identifier: 'ann@shop.example',
        email: 'ann@shop.example',
        update_only: true,
        properties: '{"unsubscribed":true}',
      },
    });
    expect(outcomesOf({ unsubscribe: false, id: '42' })[1]).toMatchObject({
      event: { identifier_kind: 'id', identifier: '42', properties: '{"unsubscribed":false}' },
    });
    const both = unsubscribe('d1', { unsubscribe: true, id: '42', email: 'a@b.example' });
    expect(refusalOf(both).message).toBe('only one identifier can be given');
  });

  test.each<[string, Translation, string]>([
    ['a metric without a delivery', metric({ metric: 'opened' }), 'delivery_id must be present'],
    [
      'an unknown metric',
      metric({ delivery_id: 'd', metric: 'eaten' }),
      'metric must be one of opened, clicked, converted, delivered, bounced, deferred, dropped, spammed',
    ],
    [
      'a push that was clicked',
      push({ delivery_id: 'd', event: 'clicked', device_id: 't' }),
      'event must be one of opened, converted, delivered',
    ],
    ['a message without a payload', translateDelivery(call, sent({})), 'payload must be an object'],
    ['a push without a device', push({ delivery_id: 'd', event: 'opened' }), 'device_id must be present'],
    ['an unsubscribe that says neither', unsubscribe('d', {}), 'unsubscribe must be true or false'],
    ['a blank delivery', unsubscribe(' ', { unsubscribe: true }), 'delivery_id must be present'],
    [
      'a delivery of 151 bytes',
      unsubscribe('x'.repeat(151), { unsubscribe: true }),
      'delivery_id cannot be longer than 150 bytes',
    ],
    [
      'a delivery of v2 without a device',
      operation({ identifiers: { id: 'd' }, name: 'opened' }),
      'device_token must be present',
    ],
    ['a delivery of v2 that nobody names', operation({ name: 'opened' }), 'id must be present'],
    [
      'too much told',
      metric({ delivery_id: 'd', metric: 'bounced', reason: 'x'.repeat(100_000) }),
      'event data cannot be longer than 100000 bytes',
    ],
  ])('%s is refused', (_what, translation, message) => {
    expect(refusalOf(translation).message).toBe(message);
  });
});
