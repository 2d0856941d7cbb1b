/** The kinds behind the calls of the real world: other fields, routes and spellings than those that were reported. */
import { describe, expect, test } from '@jest/globals';
import { membershipIn } from '../../schemas/membership.ts';
import {
  call as context,
  controlOf,
  correctionsOf,
  droppedOf,
  eventOf,
  receivedAt,
  refusalOf,
  sent,
  strictFaultsOf,
} from '../testing/ingest-calls.ts';
import { readJson } from './json-text.ts';
import { refusedRow } from './refused-call.ts';
import { translatePipelines } from './translate-pipelines.ts';
import { translateDevice } from './translate-device.ts';
import { translateForm } from './translate-form.ts';
import { translateMembership } from './translate-membership.ts';
import { translateSplit } from './translate-split.ts';
import { translateAnonymousEvent, translateIdentify, translateOperation } from './translate-track.ts';

const call = { ...context, context: null };
const pipelines = (type: string, body: object | string) => translatePipelines(call, type, sent(body));
const track = (body: object | string) => translateAnonymousEvent(context, sent(body));
const v2 = (body: object | string) => translateOperation(context, sent(body));
const visit = { anonymousId: 'v', event: 'Look' };
const person = (fields: string) =>
  `{"type":"person","action":"event","name":"x","identifiers":{"id":"1"},${fields}}`;

describe('case 6: a trait that makes the call too large costs itself', () => {
  const picture = `data:image/png;base64,${'x'.repeat(40_000)}`;
  const body = { anonymousId: 'v', traits: { email: 'a@mail.example', avatar: picture, plan: 'gold' } };
  test('person, email and claim stand, and the other digits', () => {
    const text = JSON.stringify(body).replace('"plan":"gold"', `"list":["${'y'.repeat(2_000)}"],"n":1.0`);
    const translation = pipelines('identify', text);
    expect(eventOf(translation)).toMatchObject({
      identifier: 'a@mail.example',
      anonymous_id: 'v',
      properties: '{"email":"a@mail.example","n":1.0}',
    });
    expect(correctionsOf(translation)).toEqual(['traits.avatar: over_limit', 'traits.list: over_limit']);
    expect(strictFaultsOf(translation)).toHaveLength(1);
  });
  test('what is too large by something else is refused, and so are events', () => {
    const context = { page: 'x'.repeat(40_000) };
    const many = Object.fromEntries(
      Array.from({ length: 290 }, (_, at) => [`a${String(at)}`, 'x'.repeat(900)]),
    );
    for (const each of [
      { ...body, context },
      { userId: 'u', traits: many },
    ]) {
      expect(refusalOf(pipelines('identify', each)).reason).toBe('limit_exceeded');
    }
    expect(refusalOf(pipelines('track', { ...visit, properties: { picture } })).reason).toBe(
      'limit_exceeded',
    );
  });
});

describe('case 7: a userId that cannot be a name beside an email', () => {
  test.each(['x'.repeat(151), 'a\0b', true])('%j', (userId) => {
    const translation = pipelines('identify', { userId, traits: { email: 'a@mail.example' } });
    expect(eventOf(translation)).toMatchObject({ identifier_kind: 'email', identifier: 'a@mail.example' });
    expect(correctionsOf(translation)).toEqual(['userId: not_a_name']);
    expect(strictFaultsOf(translation)).toHaveLength(1);
    expect(refusalOf(pipelines('identify', { userId, traits: { email: 'none' } })).type).toBe('refused');
  });
});

describe('case 8: numbers that JSON does not have, in any case', () => {
  test.each(['NAN', 'INF', '-INFINITY', 'infinity', '+Inf'])('%s is null', (word) => {
    const read = readJson(Buffer.from(`{"price":${word},"list":[${word}]}`), { lenient: true });
    expect(read).toMatchObject({ type: 'object', sent: { value: { price: null, list: [null] } } });
  });
});

describe('case 13: the whole of a name that is cut is kept, wherever it stood', () => {
  const url = `https://shop.example/a?${'q'.repeat(9_000)}`;
  test.each([
    ['page', { name: url }, { name: 'https://shop.example/a', properties: JSON.stringify({ name: url }) }],
    [
      'page',
      { properties: { url } },
      { name: 'https://shop.example/a', properties: JSON.stringify({ url }) },
    ],
    [
      'page',
      { context: { page: { url } } },
      { context: JSON.stringify({ page: { url } }), properties: null },
    ],
    ['screen', { name: url }, { name: url.slice(0, 8_192), properties: JSON.stringify({ name: url }) }],
  ])('%s %#', (type, body, kept) => {
    expect(eventOf(pipelines(type, { anonymousId: 'v', ...body }))).toMatchObject(kept);
  });
});

describe('case 17: what is printed of nobody', () => {
  test.each([
    '[Function: id]',
    '[Function (anonymous)]',
    'function () { return id }',
    'Promise { <pending> }',
    '%!s(<nil>)',
    '<User object at 0x7f2a4c>',
    '#<User:0x0007>',
    'Optional(nil)',
    'undefined_undefined',
    'null-null',
    'undefinedundefined',
    'YOUR_USER_ID',
    'user-id-here',
    '{}',
    '[]',
    '-',
  ])('%j names nobody', (name) => {
    const event = eventOf(pipelines('track', { ...visit, userId: name }));
    expect([event.identifier, event.anonymous_id]).toEqual([null, 'v']);
    expect(
      eventOf(pipelines('track', { userId: 'u', anonymousId: name, event: 'x' })).anonymous_id,
    ).toBeNull();
  });
  test.each(['functional', 'promise', 'nullify-null', 'nona', 'your', 'here', 'a-b', '{a b}', 'none-such'])(
    '%j is a fine name',
    (name) => {
      expect(eventOf(pipelines('track', { ...visit, userId: name })).identifier).toBe(name);
    },
  );
});

describe('cases 18 and 23: digits, wherever a number names something', () => {
  const numbers = ['9007199254740992', '9007199254740993'] as const;

  test('two message ids beyond 2^53 are two events', () => {
    const ids = (write: (number: string) => string) => numbers.map(write);
    expect(
      ids((n) => eventOf(pipelines('track', `{"anonymousId":"v","event":"x","messageId":${n}}`)).message_id),
    ).toEqual(numbers);
    expect(ids((n) => eventOf(track(`{"name":"x","anonymous_id":"v","id":${n}}`)).message_id)).toEqual(
      numbers,
    );
    expect(ids((n) => eventOf(v2(person(`"id":${n}`))).message_id)).toEqual(numbers);
    const row = (n: string) => refusedRow(context, sent(`{"messageId":${n}}`), refusalOf(track('{}')));
    expect(numbers.map((n) => droppedOf({ type: 'accepted', outcomes: [row(n)] }).message_id)).toEqual(
      numbers,
    );
  });

  test('so are members of a segment, objects, devices and forms', () => {
    const target = { segmentId: 'vip', type: 'manual', action: 'add', idType: undefined } as const;
    const members = translateMembership(context, target, sent(`{"ids":[${numbers.join(',')},7.0,"8"]}`));
    expect(membershipIn(controlOf(members).detail).values).toEqual([...numbers, '7', '8']);
    expect(correctionsOf(members)).toEqual(['ids.2: canonical_form']);
    const [, number] = numbers;
    expect(eventOf(pipelines('group', `{"userId":"u","groupId":${number}}`)).properties).toContain(
      `"object_id":"${number}"`,
    );
    const device = translateDevice(context, 'u', sent(`{"device":{"id":${number},"platform":"ios"}}`));
    expect(eventOf(device).context).toContain(`"token":"${number}"`);
    const form = translateForm(context, 'f', sent(`{"data":{"id":${number},"n":1.0}}`));
    expect(eventOf(form)).toMatchObject({
      identifier: number,
      properties: `{"n":1.0,"id":"${number}"}`,
    });
  });
});

describe('case 20: other zeros', () => {
  test.each([
    -62_135_596_800,
    -62_135_596_800_000,
    '-62135596800',
    '0001-01-01T00:00:00+01:00',
    '0000-12-31T23:00:00Z',
    '0000-12-00',
    '1601-01-01T00:00:00Z',
    '1899-12-30',
    '1899-12-30T00:00:00Z',
    '1900-01-01 00:00:00',
    '1970-01-01',
    '1970-01-01 01:00:00 +0100',
    '1969-12-31T16:00:00.000Z',
    '1969-12-31T23:59:59Z',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Thu Jan 01 1970 01:00:00 GMT+0100 (Central European Standard Time)',
    '/Date(0)/',
    '/Date(-62135596800000)/',
    '0.0',
  ])('%j is no time', (timestamp) => {
    for (const translation of [
      pipelines('track', { ...visit, timestamp }),
      pipelines('identify', { userId: 'u', timestamp }),
      pipelines('group', { userId: 'u', groupId: 'g', timestamp }),
    ]) {
      expect(eventOf(translation).timestamp).toBe(receivedAt);
      expect(correctionsOf(translation)).toEqual(['timestamp: zero_time']);
    }
    const operation = { type: 'person', action: 'identify', identifiers: { id: '1' }, timestamp };
    for (const translation of [track({ name: 'x', timestamp }), v2(operation)]) {
      expect(eventOf(translation).timestamp).toBe(receivedAt);
    }
    expect(
      eventOf(translateIdentify(context, 'u', sent({ _timestamp: timestamp }))).attributes_at,
    ).toBeNull();
  });

  test('seconds that were taken for ms say what they say', () => {
    const at = Date.UTC(2024, 2, 5, 10);
    const timestamp = new Date(at / 1_000).toISOString();
    expect(timestamp).toBe('1970-01-20T18:53:52.800Z');
    const translation = pipelines('track', { ...visit, timestamp });
    expect(eventOf(translation).timestamp).toBe(at);
    expect(correctionsOf(translation)).toEqual(['timestamp: seconds_as_ms']);
  });
});

describe('case 21: a sentAt that is none', () => {
  test.each([
    ['soon', 'unreadable_time'],
    [0, 'zero_time'],
  ])('%j leaves the time as it is, with a note', (sentAt, why) => {
    const timestamp = receivedAt - 86_400_000;
    const translation = pipelines('track', { ...visit, timestamp, sentAt });
    expect(eventOf(translation).timestamp).toBe(timestamp);
    expect(correctionsOf(translation)).toEqual([`sentAt: ${why}`]);
  });
});

describe('case 22: further forms of a time', () => {
  const at = Date.UTC(2024, 2, 5, 10);
  test.each([
    '2024/03/05 10:00:00',
    '2024/03/05T10:00:00Z',
    '2024-03-05T11:00:00 GMT+0100',
    '2024-03-05 11:00:00 UTC+01:00',
    '/Date(1709632800000)/',
    '/Date(1709632800000+0100)/',
    'Tuesday, 05-Mar-24 10:00:00 GMT',
    'Tue Mar  5 10:00:00 2024',
    '2024-03-05T10:00:00.0000000Z',
    '1709632800.0',
    '1.7096328e9',
  ])('%j is read', (timestamp) => {
    const translation = pipelines('track', { ...visit, timestamp });
    expect(eventOf(translation).timestamp).toBe(at);
    expect(correctionsOf(translation)).toEqual([]);
  });
  test.each(['05/03/2024 10:00', '2024/13/01', '2024-03-05 10:00 PM', '/Date(x)/'])(
    '%j could be several',
    (timestamp) => {
      expect(correctionsOf(pipelines('track', { ...visit, timestamp }))).toEqual([
        'timestamp: unreadable_time',
      ]);
    },
  );
});

describe('what is kept otherwise than it was sent says so', () => {
  const long = 'm'.repeat(200);
  test.each([
    ['messageId: long_message_id', { messageId: long }],
    ['messageId: not_a_name', { messageId: { a: 1 } }],
    ['messageId: not_a_name', { messageId: false }],
    ['messageId: canonical_form', '{"anonymousId":"v","event":"x","messageId":5.0}'],
    ['event: canonical_form', { event: ' Look ' }],
    [': not_unicode', '{"anonymousId":"v","event":"x","properties":{"a":"\\ud800"}}'],
    [': not_unicode', '{"anonymousId":"v","event":"x","context":{"a\\udfff":1}}'],
  ])('%s', (correction, body) => {
    const translation = pipelines('track', typeof body === 'string' ? body : { ...visit, ...body });
    expect(correctionsOf(translation)).toEqual([correction]);
  });
  test.each([
    ['id: long_message_id', { name: 'x', id: long }],
    ['type: unknown_type', { name: 'x', type: 'purchase' }],
    ['name: canonical_form', { name: 'x ' }],
    ['name: canonical_form', { name: '\thttps://a.example/', type: 'page' }],
  ])('Track, %s', (correction, body) => {
    expect(correctionsOf(track(body))).toEqual([correction]);
  });
  test('a platform in capitals, the id of a form, an anonymous id that is taken out', () => {
    const device = translateDevice(context, 'u', sent({ device: { id: 't', platform: 'iOS' } }));
    expect(correctionsOf(device)).toEqual(['device.platform: canonical_form']);
    const form = translateForm(context, ' f', sent({ data: { id: '1' } }));
    expect(correctionsOf(form)).toEqual(['form_id: canonical_form']);
    const body = Buffer.from('{"anonymous_ids":[" a"],"by":"b","why":"w"}');
    const split = translateSplit(context, 'u', readJson(body));
    expect(split.type === 'accepted' && correctionsOf(split)).toEqual(['anonymous_ids.0: canonical_form']);
  });
  test('and what is kept as it was sent does not', () => {
    const body =
      '{"anonymousId":"v","event":"x","messageId":"m","properties":{"a":"\\ud83d\\ude00","b":1e400}}';
    expect(correctionsOf(pipelines('track', body))).toEqual([]);
    expect(correctionsOf(track({ name: 'x', type: 'event', id: 7 }))).toEqual([]);
    expect(correctionsOf(track({ name: 'x', type: null, id: null }))).toEqual([]);
  });
});
