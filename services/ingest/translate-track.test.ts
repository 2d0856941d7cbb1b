import { describe, expect, test } from '@jest/globals';
import { call, controlOf, droppedOf, eventOf, receivedAt, refusalOf, sent } from '../testing/ingest-calls.ts';
import {
  translateAnonymousEvent,
  translateControl,
  translateIdentify,
  translateMerge,
  translateOperation,
  translatePersonEvent,
} from './translate-track.ts';

const identify = (path: string, body: object | string) => translateIdentify(call, path, sent(body));
const personEvent = (path: string, body: object | string) => translatePersonEvent(call, path, sent(body));
const anonymousEvent = (body: object | string) => translateAnonymousEvent(call, sent(body));
const operation = (body: object | string) => translateOperation(call, sent(body));

describe('PUT /customers/{identifier}, spec A.1', () => {
  test('the attributes are stored as sent, the anonymous id claims, other identifiers come along', () => {
    const body =
      '{"email":"A@b.com","anonymous_id":"anon-1","created_at":1700000000,"big":12345678901234567890}';
    expect(eventOf(identify('42', body))).toEqual({
      received_at: receivedAt,
      type: 'identify',
      identifier_kind: 'id',
      identifier: '42',
      anonymous_id: 'anon-1',
      message_id: 'minted',
      timestamp: receivedAt,
      workspace: 'shop',
      source: 'test',
      name: null,
      id: '42',
      email: 'a@b.com',
      cio_id: null,
      update_only: false,
      bot: false,
      waits: true,
      attributes_at: null,
      properties: body,
      context: null,
    });
  });

  test.each([
    ['a@b.c', { identifier_kind: 'email', email: 'a@b.c', id: null }],
    ['cio_1', { identifier_kind: 'cio_id', cio_id: 'cio_1', id: null }],
    ['+15551234', { identifier_kind: 'id', id: '+15551234', email: null }],
  ])('the path %s names by its shape', (path, expected) => {
    expect(eventOf(identify(path, {}))).toMatchObject({ identifier: path, ...expected });
  });

  test('an id beside an email path comes along', () => {
    expect(eventOf(identify('a@b.c', { id: '7' }))).toMatchObject({
      identifier: 'a@b.c',
      id: '7',
      email: 'a@b.c',
    });
  });

  test('what does not look like an email is an attribute and names nobody', () => {
    expect(eventOf(identify('7', { email: 'n/a' })).email).toBeNull();
    expect(eventOf(identify('7', { email: null })).email).toBeNull();
  });

  test('_update never creates, _timestamp orders', () => {
    const event = eventOf(identify('7', { _update: true, _timestamp: 1_700_000_000 }));
    expect(event).toMatchObject({ update_only: true, attributes_at: 1_700_000_000_000 });
  });

  test('a numeric anonymous id is taken in the digits that were sent', () => {
    expect(eventOf(identify('7', '{"anonymous_id":12345678901234567890}')).anonymous_id).toBe(
      '12345678901234567890',
    );
  });

  test.each([
    [{ id: 7 }, 'id attribute must be a string value'],
    [{ id: '' }, 'id attribute cannot be an empty string'],
    [{ ['n'.repeat(151)]: 1 }, 'attribute name cannot be longer than 150 bytes'],
    [{ plan: 'x'.repeat(1_001) }, "value for attribute 'plan' cannot be longer than 1000 bytes"],
    [
      Object.fromEntries(Array.from({ length: 301 }, (_, index) => [`a${String(index)}`, 1])),
      'cannot identify more than 300 attributes in one request',
    ],
  ])('documented text %#: %j', (body, message) => {
    expect(refusalOf(identify('7', body)).message).toBe(message);
  });

  test('limits are counted in bytes and hold at the border', () => {
    expect(eventOf(identify('7', { plan: 'é'.repeat(500), ['é'.repeat(75)]: 1 })).type).toBe('identify');
    expect(refusalOf(identify('7', { plan: 'é'.repeat(501) })).reason).toBe('limit_exceeded');
    const attributes = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`a${String(index)}`, 1]),
    );
    expect(eventOf(identify('7', { ...attributes, id: '7', anonymous_id: 'x' })).type).toBe('identify');
  });

  test.each(['x'.repeat(151), 'é'.repeat(76)])('an identifier of 151 bytes and more is refused', (path) => {
    expect(refusalOf(identify(path, {})).message).toBe('id cannot be longer than 150 bytes');
    expect(refusalOf(identify('7', { anonymous_id: path })).reason).toBe('limit_exceeded');
  });

  test('an identifier and an anonymous id of 150 bytes are taken', () => {
    const name = 'é'.repeat(75);
    expect(eventOf(identify(name, { anonymous_id: name }))).toMatchObject({
      identifier: name,
      anonymous_id: name,
    });
  });

  test.each([
    ['NUL', 'a\0b'],
    ['half of a surrogate pair', 'a\ud83d'],
  ])('%s cannot name anybody', (_what, name) => {
    expect(refusalOf(identify(name, {})).reason).toBe('identifier_illegal');
    expect(refusalOf(identify('7', { anonymous_id: name })).reason).toBe('identifier_illegal');
  });

  test('an empty path names nobody', () => {
    expect(refusalOf(identify('', {})).message).toBe('id attribute must be present');
  });
});

describe('events, spec A.1', () => {
  test('an event of a person; the anonymous id rides along', () => {
    const body =
      '{"name":" Added to Cart ","data":{"price":1.10},"timestamp":1700000001,"id":"01HB","anonymous_id":"a"}';
    expect(eventOf(personEvent('42', body))).toMatchObject({
      type: 'event',
      name: 'Added to Cart',
      identifier: '42',
      anonymous_id: 'a',
      message_id: '01HB',
      timestamp: 1_700_000_001_000,
      properties: '{"price":1.10}',
      id: null,
    });
  });

  test.each([
    ['page', 'page'],
    ['screen', 'screen'],
    ['event', 'event'],
    ['purchase', 'event'],
    [7, 'event'],
  ])('type %s is %s (E row 7)', (type, expected) => {
    expect(eventOf(anonymousEvent({ name: 'x', type, anonymous_id: 'a' })).type).toBe(expected);
  });

  test('an invite names nobody and has no anonymous id', () => {
    const event = eventOf(anonymousEvent({ name: 'invite', data: { recipient: 'x@y.z' } }));
    expect(event).toMatchObject({ identifier_kind: 'none', anonymous_id: null, message_id: 'minted' });
    expect(eventOf(anonymousEvent({ name: 'invite', anonymous_id: '' })).anonymous_id).toBeNull();
  });

  test.each([
    [{}, 'event name must not be blank'],
    [{ name: '  ' }, 'event name must not be blank'],
    [{ name: 7 }, 'event name must not be blank'],
    [{ name: 'x', data: [1] }, 'event data must be a hash'],
    [{ name: 'x', data: 'y' }, 'event data must be a hash'],
    [{ name: 'x'.repeat(101) }, 'event name cannot be longer than 100 bytes'],
    [{ name: 'x', data: { a: 'x'.repeat(100_000) } }, 'event data cannot be longer than 100000 bytes'],
  ])('documented text %#', (body, message) => {
    expect(refusalOf(anonymousEvent(body)).message).toBe(message);
  });

  test('data null is no data', () => {
    expect(eventOf(anonymousEvent({ name: 'x', data: null })).properties).toBeNull();
  });

  test('a page is named by its URL, however long', () => {
    const name = `https://shop.example/p?${'q'.repeat(2_000)}`;
    expect(eventOf(anonymousEvent({ name, type: 'page' })).name).toBe(name);
  });

  test.each([
    [1_700_000_000_000, Date.UTC(2299, 11, 31)],
    [0, receivedAt],
    ['0', receivedAt],
    ['2024-03-05 10:00:00 +0000', Date.UTC(2024, 2, 5, 10)],
    [1.5, 1_500],
    ['1700000000', 1_700_000_000_000],
    ['yesterday', receivedAt],
    [null, receivedAt],
  ])(
    'timestamp %p: unix seconds are taken literally, what is no time counts as absent',
    (timestamp, expected) => {
      expect(eventOf(anonymousEvent({ name: 'x', timestamp })).timestamp).toBe(expected);
    },
  );

  test('a message id that is too long keeps telling repeats apart', () => {
    const [one, two, other] = ['x', 'x', 'y'].map(
      (letter) => eventOf(anonymousEvent({ name: 'x', id: letter.repeat(500) })).message_id,
    );
    expect(one).toBe(two);
    expect(one).not.toBe(other);
    expect(one?.length).toBeLessThan(100);
  });
});

describe('control calls, spec A.1 and C.3', () => {
  test.each(['delete', 'suppress', 'unsuppress'] as const)('%s names by the shape of the path', (kind) => {
    expect(controlOf(translateControl(call, kind, 'a@b.c'))).toMatchObject({
      kind,
      identifier_kind: 'email',
      identifier: 'a@b.c',
      message_id: 'minted',
      received_at: receivedAt,
    });
  });

  test('a merge names one person on each side', () => {
    const merge = translateMerge(call, sent({ primary: { id: '1' }, secondary: { email: 'b@c.d' } }));
    expect(controlOf(merge)).toMatchObject({
      kind: 'merge',
      identifier_kind: 'id',
      identifier: '1',
      other_kind: 'email',
      other: 'b@c.d',
    });
  });

  test.each([
    [{ primary: { id: '1' } }],
    [{ primary: { id: '1' }, secondary: {} }],
    [{ primary: { id: '1', email: 'a@b.c' }, secondary: { id: '2' } }],
    [{ primary: '1', secondary: { id: '2' } }],
    [{ primary: { id: '' }, secondary: { id: '2' } }],
  ])('a merge without exactly one identifier a side is refused: %j', (body) => {
    expect(refusalOf(translateMerge(call, sent(body))).reason).toBe('invalid_call');
  });
});

describe('operations of v2, spec A.2', () => {
  test('identify', () => {
    const body = {
      type: 'person',
      action: 'identify',
      identifiers: { id: '42' },
      attributes: { anonymous_id: 'a' },
    };
    expect(eventOf(operation(body))).toMatchObject({
      type: 'identify',
      identifier: '42',
      anonymous_id: 'a',
      id: '42',
    });
  });

  test('identify by an email, a cio_id and a phone, which is an id to us', () => {
    const kinds = [{ email: 'a@b.c' }, { cio_id: 'cio_1' }, { phone: '+1555' }].map(
      (identifiers) =>
        eventOf(operation({ type: 'person', action: 'identify', identifiers })).identifier_kind,
    );
    expect(kinds).toEqual(['email', 'cio_id', 'id']);
  });

  test('an event of an anonymous id is anonymous', () => {
    const body = { type: 'person', action: 'event', identifiers: { anonymous_id: 'a' }, name: 'x' };
    expect(eventOf(operation(body))).toMatchObject({ identifier_kind: 'none', anonymous_id: 'a', name: 'x' });
  });

  test('the data of an event is called attributes', () => {
    const body =
      '{"type":"person","action":"page","identifiers":{"id":"1"},"name":"u","attributes":{"p":1.0}}';
    expect(eventOf(operation(body))).toMatchObject({ type: 'page', properties: '{"p":1.0}' });
  });

  test('content reports are events named by their action', () => {
    const body = {
      type: 'person',
      action: 'viewed_content',
      identifiers: { id: '1' },
      attributes: { contentId: 7 },
    };
    expect(eventOf(operation(body))).toMatchObject({ type: 'event', name: 'viewed_content' });
  });

  test('an identify with only an anonymous id names nobody: its attributes wait with the visitor, or it leaves a row', () => {
    const body = { type: 'person', action: 'identify', identifiers: { anonymous_id: 'a' } };
    expect(eventOf(operation({ ...body, attributes: { quiz: 'dry' } }))).toMatchObject({
      type: 'traits',
      identifier: null,
      anonymous_id: 'a',
      properties: '{"quiz":"dry"}',
    });
    const long = operation({ ...body, attributes: { quiz: 'x'.repeat(1_001) } });
    expect(refusalOf(long).message).toMatch(/cannot be longer than 1000 bytes/);
    expect(droppedOf(operation(body))).toMatchObject({
      reason: 'identify_without_identifier',
      anonymous_id: 'a',
    });
  });

  test('a phone is an id; in E.164 where phones name people', () => {
    const body = { type: 'person', action: 'event', name: 'x', identifiers: { phone: '(030) 901820' } };
    expect(eventOf(operation(body)).identifier).toBe('(030) 901820');
    const told = translateOperation({ ...call, phones: { country: 'DE' } }, sent(body));
    expect(eventOf(told)).toMatchObject({ identifier_kind: 'id', identifier: '+4930901820' });
  });

  test.each(['delete', 'suppress', 'unsuppress'])('%s', (action) => {
    expect(controlOf(operation({ type: 'person', action, identifiers: { id: '1' } })).kind).toBe(action);
  });

  test('merge has sides instead of identifiers', () => {
    const body = { type: 'person', action: 'merge', primary: { id: '1' }, secondary: { id: '2' } };
    expect(controlOf(operation(body))).toMatchObject({ identifier: '1', other: '2' });
  });

  test.each([
    [{ action: 'identify' }, 'invalid_call', 'type'],
    [{ type: 'person', action: 'identify' }, 'invalid_call', 'identifiers'],
    [
      { type: 'person', action: 'identify', identifiers: { id: '1', email: 'a@b.c' } },
      'invalid_call',
      'identifiers',
    ],
    [{ type: 'person', action: 'dance', identifiers: { id: '1' } }, 'invalid_call', 'action'],
    [{ type: 'persn', action: 'event', identifiers: { id: '1' } }, 'invalid_call', 'type'],
    [{ type: 'delivery', action: 'dance' }, 'invalid_call', 'action'],
    [{ type: 'object', action: 'delete' }, 'invalid_call', 'identifiers'],
    [{ type: 'object', action: 'dance' }, 'invalid_call', 'action'],
    [
      { type: 'person', action: 'event', identifiers: { id: '1' }, name: 'x', pad: 'x'.repeat(32_768) },
      'limit_exceeded',
      null,
    ],
  ])('refused %#', (body, reason, field) => {
    expect(refusalOf(operation(body))).toMatchObject({ reason, field });
  });

  test.each([
    ['person', 'evnt', 'action evnt is not known: did you mean event?'],
    ['person', 'dance', /^action dance is not known: it is one of identify, event, .*clicked_content$/],
    ['persn', 'event', 'type persn is not known: did you mean person?'],
    ['object', 'delet', 'action of an object delet is not known: did you mean delete?'],
    ['delivery', 'events', 'action events is not known: did you mean event?'],
    ['person', 'x'.repeat(1_000), /^action x{40}… is not known: it is one of/],
  ])('a misspelt word is said to be none: %s %s', (type, action, message) => {
    const body = { type, action, identifiers: { id: '1' } };
    expect(refusalOf(operation(body)).message).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });
});
