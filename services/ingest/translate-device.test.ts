import { describe, expect, test } from '@jest/globals';
import { call, eventOf, receivedAt, refusalOf, sent } from '../testing/ingest-calls.ts';
import { translateDevice, translateDeviceDeletion } from './translate-device.ts';
import { translatePipelines } from './translate-pipelines.ts';
import { translateOperation } from './translate-track.ts';

const put = (body: object | string) => translateDevice(call, '42', sent(body));
const operation = (body: object) => translateOperation(call, sent({ type: 'person', ...body }));

describe('devices, spec A.1', () => {
  test('a device is an event of the person, the token as the push service gave it', () => {
    const body = '{"device":{"id":"tok","platform":"iOS","last_used":5.0,"attributes":{"build":1e2}}}';
    expect(eventOf(put(body))).toMatchObject({
      type: 'event',
      identifier_kind: 'id',
      identifier: '42',
      name: 'Device Created or Updated',
      properties: '{"build":1e2}',
      context: '{"device":{"token":"tok","type":"ios","last_used":5.0}}',
      timestamp: receivedAt,
    });
  });

  test.each<[string, object, object]>([
    ['Python and Ruby: attributes beside', { color: 'red' }, { color: 'red' }],
    ['Go: attributes null, last_used a text', { attributes: null, last_used: '5' }, {}],
    [
      'both: those that are named as such count',
      { color: 'red', attributes: { color: 'blue' } },
      { color: 'blue' },
    ],
  ])('%s', (_client, device, attributes) => {
    const event = eventOf(put({ device: { id: 'tok', platform: 'android', ...device } }));
    expect(JSON.parse(event.properties ?? '')).toEqual(attributes);
  });

  test('what is removed is named by the path', () => {
    expect(eventOf(translateDeviceDeletion(call, 'a@b.c', 'tok/1'))).toMatchObject({
      identifier_kind: 'email',
      name: 'Device Deleted',
      properties: '{}',
      context: '{"device":{"token":"tok/1"}}',
    });
  });

  test('a token of Android is longer than an identifier may be', () => {
    const id = 'x'.repeat(4_096);
    expect(eventOf(put({ device: { id, platform: 'android' } })).context).toContain(id);
    expect(refusalOf(put({ device: { id: `${id}x`, platform: 'android' } })).message).toBe(
      'device id cannot be longer than 4096 bytes',
    );
  });

  test.each<[object, string]>([
    [{}, 'device must be an object'],
    [{ device: [] }, 'device must be an object'],
    [{ device: { platform: 'ios' } }, 'device id must be present'],
    [{ device: { id: '', platform: 'ios' } }, 'device id must be present'],
    [{ device: { id: 't' } }, 'device platform must be ios or android'],
    [{ device: { id: 't', platform: 'toaster' } }, 'device platform must be ios or android'],
    [
      { device: { id: 't', platform: 'ios', attributes: { a: 'x'.repeat(1_001) } } },
      "value for attribute 'a' cannot be longer than 1000 bytes",
    ],
  ])('%j is refused: %s', (body, message) => {
    expect(refusalOf(put(body))).toMatchObject({ message });
  });

  test('Track v1, Track v2 and Pipelines tell of a device in one form', () => {
    const v1 = eventOf(put({ device: { id: 'tok', platform: 'ios', attributes: { a: 1 } } }));
    const device = { token: 'tok', platform: 'ios', attributes: { a: 1 } };
    const v2 = eventOf(operation({ action: 'add_device', identifiers: { id: '42' }, device }));
    const pipelines = eventOf(
      translatePipelines(
        { ...call, context: null },
        'track',
        sent({
          userId: '42',
          event: 'Device Created or Updated',
          properties: { a: 1 },
          context: { device: { token: 'tok', type: 'ios' } },
        }),
      ),
    );
    expect(v2).toEqual(v1);
    expect({ ...pipelines, message_id: v1.message_id }).toEqual(v1);
  });

  test('a visitor’s device waits for the claim with the rest', () => {
    const device = { token: 'tok', platform: 'ios' };
    const event = eventOf(operation({ action: 'add_device', identifiers: { anonymous_id: 'a' }, device }));
    expect(event).toMatchObject({ identifier: null, anonymous_id: 'a' });
  });

  test('v2 removes one by its token, at its own time', () => {
    const deletion = { action: 'delete_device', device: { token: 'tok' }, timestamp: 1_700_000_000 };
    expect(eventOf(operation({ ...deletion, identifiers: { email: 'A@b.c' } }))).toMatchObject({
      identifier: 'a@b.c',
      name: 'Device Deleted',
      timestamp: 1_700_000_000_000,
    });
    expect(refusalOf(operation({ action: 'add_device', identifiers: { id: '1' } })).message).toBe(
      'device must be an object',
    );
  });
});
