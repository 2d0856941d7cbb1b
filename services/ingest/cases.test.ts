/** Calls of the real world, each with the number of its case: what they are read as. */
import { describe, expect, test } from '@jest/globals';
import {
  call as context,
  controlOf,
  correctionsOf,
  eventOf,
  receivedAt,
  refusalOf,
  sent,
  strictFaultsOf,
} from '../testing/ingest-calls.ts';
import { readJson } from './json-text.ts';
import { translateSplit } from './translate-split.ts';
import type { Translation } from './translation.ts';
import { translatePipelines } from './translate-pipelines.ts';
import {
  translateAnonymousEvent,
  translateControl,
  translateIdentify,
  translateMerge,
  translateOperation,
  translatePersonEvent,
} from './translate-track.ts';

const call = { ...context, context: null };
const pipelines = (type: string, body: object | string) => translatePipelines(call, type, sent(body));
const put = (path: string, body: object | string) => translateIdentify(context, path, sent(body));
const v2 = (body: object | string) => translateOperation(context, sent(body));
const visit = { anonymousId: 'v', event: 'Look' };

describe('case 5: PHP’s empty list is an empty object', () => {
  test.each(['identify', 'track', 'page', 'screen', 'alias', 'group'])('%s', (type) => {
    const body = { userId: '42', previousId: 'p', groupId: 'g', event: 'x', name: 'x' };
    const translation = pipelines(type, { ...body, traits: [], properties: [], context: [] });
    expect(translation.type).toBe('accepted');
    expect(correctionsOf(translation)).toEqual([
      'traits: empty_list',
      'properties: empty_list',
      'context: empty_list',
    ]);
    expect(strictFaultsOf(translation)).toEqual([]);
  });

  test('the event has an empty object', () => {
    expect(eventOf(pipelines('track', { ...visit, properties: [], context: [] }))).toMatchObject({
      properties: '{}',
      context: '{}',
    });
  });

  test('Track refuses it, as documented', () => {
    const body = { name: 'x', anonymous_id: 'v', data: [] };
    expect(refusalOf(translateAnonymousEvent(context, sent(body))).message).toBe('event data must be a hash');
  });
});

describe('case 6: a trait over a limit costs itself and nothing else', () => {
  const traits = { email: 'ada@mail.example', avatar: 'x'.repeat(1_100), plan: 'gold', n: 1 };
  const identify = { anonymousId: 'v', traits };

  test('permissive: person, email and claim stand, the rest of the traits as they were written', () => {
    const text = JSON.stringify(identify).replace('"n":1', '"n":1.0');
    const translation = pipelines('identify', text);
    expect(eventOf(translation)).toMatchObject({
      identifier_kind: 'email',
      identifier: 'ada@mail.example',
      anonymous_id: 'v',
      properties: '{"email":"ada@mail.example","plan":"gold","n":1.0}',
    });
    expect(correctionsOf(translation)).toEqual(['traits.avatar: over_limit']);
  });

  test.each([
    ['a value', { traits: { avatar: 'x'.repeat(1_001) } }],
    ['a name', { traits: { ['n'.repeat(151)]: 1 } }],
    ['a number', `{"userId":"42","traits":{"n":${'1'.repeat(1_001)}}}`],
    ['too many', { traits: Object.fromEntries(Array.from({ length: 301 }, (_, n) => [`a${String(n)}`, n])) }],
    ['no object', { traits: 'gold' }],
  ])('%s: strict mode refuses, permissive mode has a person', (_what, body) => {
    const translation = pipelines('identify', typeof body === 'string' ? body : { userId: '42', ...body });
    expect(eventOf(translation).identifier).toBe('42');
    expect(correctionsOf(translation)).toHaveLength(1);
    expect(strictFaultsOf(translation)).toHaveLength(1);
  });

  test('Track answers 400', () => {
    expect(refusalOf(put('42', traits)).reason).toBe('limit_exceeded');
    expect(
      refusalOf(v2({ type: 'person', action: 'identify', identifiers: { id: '42' }, attributes: traits }))
        .reason,
    ).toBe('limit_exceeded');
  });
});

describe('case 7: what cannot be a name beside one that can', () => {
  test.each([false, true, ['42'], { id: 42 }, 'x'.repeat(151), 'a\0b'])('a userId %j', (userId) => {
    const translation = pipelines('track', { ...visit, userId });
    expect(eventOf(translation)).toMatchObject({ identifier_kind: 'none', anonymous_id: 'v' });
    expect(correctionsOf(translation)).toEqual(['userId: not_a_name']);
    expect(strictFaultsOf(translation)).toHaveLength(1);
  });

  test.each([false, ['v'], { v: 1 }, 'x'.repeat(151)])('an anonymousId %j', (anonymousId) => {
    const translation = pipelines('track', { userId: '42', anonymousId, event: 'Look' });
    expect(eventOf(translation)).toMatchObject({ identifier: '42', anonymous_id: null });
    expect(correctionsOf(translation)).toEqual(['anonymousId: not_a_name']);
  });

  test('a number beyond all numbers', () => {
    const visitor = pipelines('track', '{"userId":1e400,"anonymousId":"v","event":"Look"}');
    expect(eventOf(visitor)).toMatchObject({ identifier_kind: 'none', anonymous_id: 'v' });
    const person = pipelines('track', '{"userId":"42","anonymousId":-1e400,"event":"Look"}');
    expect(eventOf(person)).toMatchObject({ identifier: '42', anonymous_id: null });
    expect(correctionsOf(person)).toEqual(['anonymousId: not_a_name']);
  });

  test('neither is one: the call names nobody', () => {
    expect(refusalOf(pipelines('track', { userId: false, anonymousId: [], event: 'x' })).reason).toBe(
      'invalid_call',
    );
  });

  test('properties that are none', () => {
    expect(eventOf(pipelines('track', { ...visit, properties: 7 })).properties).toBeNull();
  });
});

describe('case 8: numbers that JSON does not have', () => {
  test.each(['NaN', '-NaN', 'Infinity', '-Infinity', 'nan', '-inf'])('%s is null where it may be', (word) => {
    const text = `{"a":[${word},1], "b":"${word}, \\"${word}\\"","c":${word}}`;
    const read = readJson(Buffer.from(text), { lenient: true });
    expect(read).toMatchObject({ type: 'object', sent: { value: { a: [null, 1], c: null } } });
    expect(read.type === 'object' && read.sent.value['b']).toBe(`${word}, "${word}"`);
    expect(readJson(Buffer.from(text)).type).toBe('malformed');
  });

  test.each(['{"a":nano}', '{"a":xNaN}', '{"NaN', '{"a":"NaN}', '{"a":NaN', '{"a\\":"NaN}'])(
    '%s stays malformed',
    (text) => {
      expect(readJson(Buffer.from(text), { lenient: true }).type).toBe('malformed');
    },
  );
});

describe('case 13: the name of a page is short', () => {
  const address = 'https://shop.example/pricing';
  const url = `${address}?${'q'.repeat(9_000)}#top`;

  test('Pipelines: the address without query and fragment; the whole stays in the properties', () => {
    const translation = pipelines('page', { anonymousId: 'v', properties: { url } });
    expect(eventOf(translation)).toMatchObject({ name: address, properties: JSON.stringify({ url }) });
    expect(correctionsOf(translation)).toEqual(['name: long_page_name']);
  });

  test('Track: the whole goes among the data', () => {
    const body = { name: url, type: 'page', data: { a: 1 } };
    for (const event of [
      eventOf(translateAnonymousEvent(context, sent({ ...body, anonymous_id: 'v' }))),
      eventOf(translatePersonEvent(context, '42', sent(body))),
    ]) {
      expect(event).toMatchObject({ name: address, properties: JSON.stringify({ a: 1, url }) });
    }
    const operation = { type: 'person', action: 'page', identifiers: { id: '42' }, name: url };
    expect(eventOf(v2(operation))).toMatchObject({ name: address, properties: JSON.stringify({ url }) });
  });

  test('cut at the limit, between letters', () => {
    const long = `https://shop.example/${'é'.repeat(5_000)}`;
    const { name } = eventOf(pipelines('page', { anonymousId: 'v', properties: { url: long } }));
    expect(Buffer.byteLength(name ?? '')).toBeLessThanOrEqual(8_192);
    expect(long.startsWith(name ?? 'no')).toBe(true);
    expect(name?.length).toBeGreaterThan(4_000);
  });
});

describe('cases 15 and 24: one name in many spellings', () => {
  const spellings = [
    'a@mail.example ',
    '\ta@mail.example\n',
    '\u00a0a@mail.example\u3000',
    'a\u200b@mail.example',
    '\ufeffa@mail.example',
    '"a@mail.example"',
    "'a@mail.example'",
    '“a@mail.example”',
    '%22a@mail.example%22',
    '"\\"a@mail.example\\""',
    ' " A@Mail.Example " ',
  ];
  test.each(spellings)('the email %j', (email) => {
    const events = [
      pipelines('identify', { traits: { email } }),
      pipelines('track', { userId: email, event: 'x' }),
      put(email, {}),
      put('42', { email }),
      translatePersonEvent(context, email, sent({ name: 'x' })),
      v2({ type: 'person', action: 'event', name: 'x', identifiers: { email } }),
    ].map(eventOf);
    expect(events.map(({ identifier, email: given }) => given ?? identifier)).toEqual(
      events.map(() => 'a@mail.example'),
    );
    expect(controlOf(translateControl(context, 'delete', email)).identifier).toBe('a@mail.example');
    const merge = { primary: { email }, secondary: { id: '42' } };
    expect(controlOf(translateMerge(context, sent(merge))).identifier).toBe('a@mail.example');
    const split = { identifiers: [email, { kind: 'email', value: email }], into: email, by: 'b', why: 'w' };
    const read = readJson(Buffer.from(JSON.stringify(split)));
    const taken = translateSplit(context, email, read);
    if (taken.type === 'faults') throw new Error(JSON.stringify(taken.faults));
    const detail = controlOf(taken).detail ?? '';
    const named = { kind: 'email', value: 'a@mail.example' };
    expect(JSON.parse(detail)).toMatchObject({ identifiers: [named, named], into: named });
  });

  test.each([' 42', '42\u2003', '\u200d42', '"42"', '%2242%22', "'42'"])('the id %j', (id) => {
    const named = [
      eventOf(pipelines('track', { userId: id, event: 'x' })).identifier,
      eventOf(put('a@b.c', { id })).id,
      eventOf(put(id, {})).identifier,
      eventOf(v2({ type: 'person', action: 'event', name: 'x', identifiers: { id } })).identifier,
      eventOf(pipelines('alias', { userId: 'u', previousId: id })).anonymous_id,
      eventOf(pipelines('track', { anonymousId: id, event: 'x' })).anonymous_id,
      eventOf(translateAnonymousEvent(context, sent({ name: 'x', anonymous_id: id }))).anonymous_id,
      eventOf(put('u', { anonymous_id: id })).anonymous_id,
      eventOf(v2({ type: 'person', action: 'event', name: 'x', identifiers: { anonymous_id: id } }))
        .anonymous_id,
    ];
    expect(named).toEqual(named.map(() => '42'));
    expect(correctionsOf(put(id, {}))).toEqual(['id: canonical_form']);
  });

  test('Unicode forms are one; joiners within emoji and Persian are letters', () => {
    expect(eventOf(put('e\u0301', {})).identifier).toBe('é');
    for (const name of ['👩‍🚀', 'می‌خواهم', 'a"b', "tis'"])
      expect(eventOf(put(name, {})).identifier).toBe(name);
  });

  test('only quotes or white space name nobody', () => {
    for (const blank of ['  ', '""', '" "', '\u200b']) {
      expect(refusalOf(put(blank, {})).reason).toBe('invalid_call');
      expect(eventOf(pipelines('track', { ...visit, userId: blank })).identifier).toBeNull();
    }
  });
});

describe('case 16: a cio_id without its prefix', () => {
  const bare = '3686d37724af687b938d';
  test('every field that says that it is one', () => {
    const identifiers = { cio_id: bare };
    expect(eventOf(v2({ type: 'person', action: 'event', name: 'x', identifiers })).identifier).toBe(
      `cio_${bare}`,
    );
    expect(controlOf(v2({ type: 'person', action: 'delete', identifiers })).identifier).toBe(`cio_${bare}`);
    expect(eventOf(put('42', { cio_id: bare })).cio_id).toBe(`cio_${bare}`);
    const merge = controlOf(translateMerge(context, sent({ primary: identifiers, secondary: identifiers })));
    expect([merge.identifier, merge.other]).toEqual([`cio_${bare}`, `cio_${bare}`]);
    expect(eventOf(put('42', { cio_id: `cio_${bare}` })).cio_id).toBe(`cio_${bare}`);
  });
});

describe('case 17: placeholders name nobody', () => {
  const placeholders = [
    'anonymousId',
    'user_id',
    'unknown',
    'Undefined',
    '"null"',
    '{{customer.id}}',
    'id-{{ customer.id }}',
    '%7B%7Bcustomer.id%7D%7D',
    '${user.id}',
    '<%= user.id %>',
    '%user_id%',
    '*|EMAIL|*',
    '[object Object]',
    'user:[object Undefined]',
    'NaN',
    '-1',
    '0',
    '0000-00',
    'undefined undefined',
    '(not set)',
  ];
  test.each(placeholders)('%j', (name) => {
    const withBoth = pipelines('track', { userId: name, anonymousId: 'v', event: 'x' });
    expect(eventOf(withBoth)).toMatchObject({ identifier_kind: 'none', anonymous_id: 'v' });
    expect(correctionsOf(withBoth)).toContain('userId: placeholder');
    const visitor = pipelines('track', { userId: '42', anonymousId: name, event: 'x' });
    expect(eventOf(visitor)).toMatchObject({ identifier: '42', anonymous_id: null });
    expect(refusalOf(pipelines('track', { anonymousId: name, event: 'x' })).reason).toBe('invalid_call');
    expect(eventOf(put('42', { anonymous_id: name })).anonymous_id).toBeNull();
    expect(
      eventOf(translateAnonymousEvent(context, sent({ name: 'x', anonymous_id: name }))).anonymous_id,
    ).toBeNull();
    const event = { name: 'x', anonymous_id: 'v' };
    expect(eventOf(translatePersonEvent(context, name, sent(event)))).toMatchObject({
      identifier_kind: 'none',
      anonymous_id: 'v',
    });
    const identifiers = { id: name, anonymous_id: 'v' };
    expect(eventOf(v2({ type: 'person', action: 'event', name: 'x', identifiers })).identifier).toBeNull();
  });

  test('an identify goes by the email when the userId is one', () => {
    const identify = pipelines('identify', { userId: 'null', anonymousId: 'v', traits: { email: 'a@b.c' } });
    expect(eventOf(identify)).toMatchObject({ identifier_kind: 'email', anonymous_id: 'v', id: null });
  });

  test.each([
    'guest_house_7',
    'guest-1',
    '100',
    'nullable',
    '50%off',
    '{a b}',
    '__proto__',
    '-12',
    'unknown7',
  ])('%j is a fine name', (name) => {
    expect(eventOf(pipelines('track', { userId: name, anonymousId: 'v', event: 'x' })).identifier).toBe(name);
  });

  test('a workspace may let them be', () => {
    const allowed = { ...call, placeholdersAllowed: true };
    const body = sent({ userId: 'null', anonymousId: '0', event: 'x' });
    expect(eventOf(translatePipelines(allowed, 'track', body))).toMatchObject({
      identifier: 'null',
      anonymous_id: '0',
    });
  });
});

describe('case 18: one number is one name', () => {
  test.each([
    ['910042.0', '910042'],
    ['91004.2e1', '910042'],
    ['1e3', '1000'],
    ['1E+2', '100'],
    ['12345678901234567890', '12345678901234567890'],
    ['12345678901234567890.0', '12345678901234567890'],
    ['9007199254740993', '9007199254740993'],
    ['1.50', '1.5'],
    ['-5.0', '-5'],
  ])('%s is %s', (number, name) => {
    expect(eventOf(pipelines('track', `{"userId":${number},"event":"x"}`)).identifier).toBe(name);
    expect(eventOf(pipelines('track', `{"anonymousId":${number},"event":"x"}`)).anonymous_id).toBe(name);
    expect(eventOf(put('a@b.c', `{"anonymous_id":${number}}`)).anonymous_id).toBe(name);
    const operation = `{"type":"person","action":"event","name":"x","identifiers":{"id":${number}}}`;
    expect(eventOf(v2(operation)).identifier).toBe(name);
  });

  test('text stays text, and what no number is names nobody', () => {
    expect(eventOf(pipelines('track', { userId: '910042.0', event: 'x' })).identifier).toBe('910042.0');
    expect(refusalOf(pipelines('track', '{"userId":1e400,"event":"x"}')).reason).toBe('invalid_call');
  });
});

describe('case 19: the future does not order attributes', () => {
  const ms = receivedAt - 1_000;
  test.each([
    ['seconds', ms / 1_000, ms],
    ['ms', ms, receivedAt],
    ['text of ms', String(ms), receivedAt],
    ['tomorrow', receivedAt / 1_000 + 86_400, receivedAt],
    ['zero', 0, null],
    ['no time', 'soon', null],
    ['absent', undefined, null],
  ])('%s', (_what, _timestamp, expected) => {
    expect(eventOf(put('42', { _timestamp })).attributes_at).toBe(expected);
    const operation = {
      type: 'person',
      action: 'identify',
      identifiers: { id: '42' },
      attributes: { _timestamp },
    };
    expect(eventOf(v2(operation)).attributes_at).toBe(expected);
  });
});

describe('cases 20 and 22: times', () => {
  const at = Date.UTC(2024, 2, 5, 10);
  test.each([
    ['2024-03-05 10:00:00 +0000', at],
    ['2024-03-05T10:00:00 +00:00', at],
    ['2024-03-05 10:00:00 UTC', at],
    ['2024-03-05T11:00:00+01', at],
    ['2024-03-05T11:00:00+01:00[Europe/Berlin]', at],
    ['Tue, 05 Mar 2024 10:00:00 GMT', at],
    ['5 Mar 2024 11:00:00 +0100', at],
    ['Tue Mar 05 2024 11:00:00 GMT+0100 (Central European Standard Time)', at],
    [at, at],
    [at / 1_000, at],
    [String(at), at],
    [String(at / 1_000), at],
    [at * 1_000, at],
    ['20240305T100000Z', at],
  ])('%p is read', (timestamp, expected) => {
    const translation = pipelines('track', { ...visit, timestamp });
    expect(eventOf(translation).timestamp).toBe(expected);
    expect(correctionsOf(translation)).toEqual([]);
  });

  test.each([
    [0, 'zero_time'],
    ['0', 'zero_time'],
    ['1970-01-01T00:00:00Z', 'zero_time'],
    ['1970-01-01T00:00:00.000+00:00', 'zero_time'],
    ['0001-01-01T00:00:00Z', 'zero_time'],
    ['0000-00-00 00:00:00', 'zero_time'],
    ['yesterday', 'unreadable_time'],
    ['2026-02-31T10:00:00Z', 'unreadable_time'],
    [-1, 'unreadable_time'],
    [true, 'unreadable_time'],
    [{ at }, 'unreadable_time'],
  ])('%j is the receive time, with a note', (timestamp, why) => {
    const translation = pipelines('track', { ...visit, timestamp });
    expect(eventOf(translation).timestamp).toBe(receivedAt);
    expect(correctionsOf(translation)).toEqual([`timestamp: ${why}`]);
  });

  test('Track: a zero is absent, and ms are the far future that they say, with a note', () => {
    const event = (timestamp: unknown) => translateAnonymousEvent(context, sent({ name: 'x', timestamp }));
    expect(eventOf(event(0)).timestamp).toBe(receivedAt);
    expect(correctionsOf(event(0))).toEqual(['timestamp: zero_time']);
    expect(correctionsOf(event(at))).toEqual(['timestamp: ms_as_seconds']);
    expect(correctionsOf(event(String(at)))).toEqual(['timestamp: ms_as_seconds']);
    expect(correctionsOf(event(at * 1_000))).toEqual(['timestamp: time_out_of_range']);
  });
});

describe('whom a call is about, under a name that is not read, is a note', () => {
  test.each([
    [{ ...visit, user_id: '42' }, ['user_id: misspelt_name']],
    [{ userId: '42', event: 'Look', anonymous_id: 'v', userID: '' }, ['anonymous_id: misspelt_name']],
    [{ userId: '42', user_id: '42', anonymousId: 'v', anonymous_id: 'v', event: 'Look' }, []],
    [{ userId: '42', event: 'Look', anonymous_id: null }, []],
  ])('Pipelines %j', (body, notes) => {
    expect(correctionsOf(pipelines('track', body))).toEqual(notes);
  });

  test('Track: an event of nobody', () => {
    const event = translateAnonymousEvent(context, sent({ name: 'Look', anonymousId: 'v' }));
    expect(correctionsOf(event)).toEqual(['anonymousId: misspelt_name']);
    const person = translatePersonEvent(context, 'ada', sent({ name: 'Look', anonymousId: 'v' }));
    expect(correctionsOf(person)).toEqual([]);
  });
});

describe('when a person signed up, in a form that says no time, is an attribute only, with a note', () => {
  const ms = receivedAt - 86_400_000;

  test.each([
    [{ created_at: ms }, 'created_at: ms_as_seconds'],
    [{ created_at: String(ms) }, 'created_at: ms_as_seconds'],
    [{ created_at: '30.11.2026' }, 'created_at: unreadable_time'],
    [{ created_at: 0 }, 'created_at: zero_time'],
    [{ created_at: '  ' }, 'created_at: unreadable_time'],
    [{ created_at: true }, 'created_at: unreadable_time'],
    [{ created_at: { at: ms } }, 'created_at: unreadable_time'],
    [{ created_at: 1e17 }, 'created_at: time_out_of_range'],
    [{ createdAt: 'gestern' }, 'createdAt: unreadable_time'],
    [{ createdAt: '99999-01-01' }, 'createdAt: time_out_of_range'],
  ])('%j', (attributes, note) => {
    const traits = { plan: 'gold', ...attributes };
    const kept = (translation: Translation) => JSON.parse(eventOf(translation).properties ?? '') as unknown;
    for (const translation of [
      put('ada', traits),
      translateOperation(
        context,
        sent({ type: 'person', action: 'identify', identifiers: { id: 'ada' }, attributes: traits }),
      ),
      translateOperation(
        context,
        sent({ type: 'person', action: 'identify', identifiers: { anonymous_id: 'v' }, attributes: traits }),
      ),
    ]) {
      expect(correctionsOf(translation)).toEqual([note]);
      expect(kept(translation)).toMatchObject(traits);
    }
    for (const who of [{ userId: 'ada' }, { anonymousId: 'v' }]) {
      const translation = pipelines('identify', { ...who, traits });
      expect(correctionsOf(translation)).toEqual([`traits.${note}`]);
      expect(kept(translation)).toMatchObject(traits);
    }
  });

  test.each([
    [{ created_at: Math.floor(ms / 1_000) }],
    [{ created_at: new Date(ms).toISOString() }],
    [{ created_at: '' }],
    [{ created_at: null, createdAt: ms }],
    [{ createdAt: new Date(ms).toISOString() }],
  ])('%j is as it should be', (traits) => {
    expect(correctionsOf(pipelines('identify', { userId: 'ada', traits }))).toEqual([]);
    expect(correctionsOf(put('ada', traits))).toEqual([]);
  });
});

describe('case 21: a device whose clock is wrong', () => {
  const sixDays = 6 * 86_400_000;
  const iso = (ms: number) => new Date(ms).toISOString();
  const timestamp = receivedAt - sixDays;

  test.each([
    ['both six days ago', timestamp, timestamp + 5_000, receivedAt - 5_000],
    ['both six days ahead', receivedAt + sixDays, receivedAt + sixDays + 5_000, receivedAt - 5_000],
    ['sent a minute ago', timestamp, receivedAt - 60_000, timestamp],
    ['sent more than a minute ago', timestamp, receivedAt - 60_001, timestamp + 60_001],
    ['sent before it happened', timestamp + 9, timestamp, receivedAt],
  ])('%s', (_what, happened, sentAt, expected) => {
    const body = { ...visit, timestamp: iso(happened) };
    expect(eventOf(pipelines('track', { ...body, sentAt: iso(sentAt) })).timestamp).toBe(expected);
    const batch = { ...call, sentAt: iso(sentAt) };
    expect(eventOf(translatePipelines(batch, 'track', sent(body))).timestamp).toBe(expected);
  });

  test('what was sent is in the row', () => {
    const translation = pipelines('track', { ...visit, timestamp: iso(timestamp), sentAt: iso(timestamp) });
    expect(correctionsOf(translation)).toEqual(['timestamp: device_clock']);
    expect(JSON.stringify(translation)).toContain(iso(timestamp));
  });
});

test('case 25: an email has a dot in its domain', () => {
  const identify = pipelines('identify', { userId: 'c26@shop', traits: { email: 'c26@mail.example' } });
  expect(eventOf(identify)).toMatchObject({
    identifier_kind: 'id',
    identifier: 'c26@shop',
    id: 'c26@shop',
    email: 'c26@mail.example',
  });
  for (const id of ['a@b.', 'a@.b', '@b.c', 'a@@b.c', 'a b@c.d', 'a/b@c.d']) {
    expect(eventOf(put(id, {})).identifier_kind).toBe('id');
  }
  expect(eventOf(put('c26@shop', { email: 'c26@shop' }))).toMatchObject({ id: 'c26@shop', email: null });
});

test('a call that was corrected has one row, found by its message and visitor', () => {
  const translation = pipelines('track', { ...visit, messageId: 'm', userId: ' 42', timestamp: 0 });
  expect(translation).toMatchObject({
    outcomes: [{ type: 'event' }, { dropped: { reason: 'corrected', message_id: 'm', anonymous_id: 'v' } }],
  });
});
