import { describe, expect, test } from '@jest/globals';
import {
  call as context,
  controlOf,
  droppedOf,
  eventOf,
  receivedAt,
  refusalOf,
  sent,
  correctionsOf,
} from '../testing/ingest-calls.ts';
import { translatePipelines } from './translate-pipelines.ts';

const call = { ...context, context: null };
const translate = (type: string, body: object | string) => translatePipelines(call, type, sent(body));

describe('identify, spec A.3 and C.1', () => {
  test('row 4: the anonymousId claims; traits and context are stored as sent', () => {
    const body =
      '{"userId":"42","anonymousId":"anon-1","traits":{"email":"a@b.c","n":1.0},"messageId":"m","timestamp":"2026-11-21T21:16:40.657Z","context":{"ip":"1"}}';
    expect(eventOf(translate('identify', body))).toMatchObject({
      type: 'identify',
      identifier_kind: 'id',
      identifier: '42',
      id: '42',
      email: 'a@b.c',
      anonymous_id: 'anon-1',
      message_id: 'm',
      timestamp: Date.UTC(2026, 10, 21, 21, 16, 40, 657),
      properties: '{"email":"a@b.c","n":1.0}',
      context: '{"ip":"1"}',
    });
  });

  test.each([
    [{ userId: 'cio_1' }, 'cio_id', 'cio_1'],
    [{ userId: 'a@b.c' }, 'email', 'a@b.c'],
    [{ userId: '42', traits: { email: 'a@b.c' } }, 'id', '42'],
    [{ userId: '', traits: { email: 'a@b.c' } }, 'email', 'a@b.c'],
    [{ userId: null, traits: { email: 'a@b.c' } }, 'email', 'a@b.c'],
  ])('row 19 and the order of A.3: %j is named by %s', (body, kind, value) => {
    expect(eventOf(translate('identify', body))).toMatchObject({ identifier_kind: kind, identifier: value });
  });

  test('a numeric userId keeps its digits', () => {
    expect(eventOf(translate('identify', '{"userId":12345678901234567890}')).identifier).toBe(
      '12345678901234567890',
    );
  });

  test('row 18: an anonymousId alone names nobody and creates nobody; the traits wait with the visitor', () => {
    const body = '{"anonymousId":"a","traits":{"plan":"x","n":1.0},"messageId":"m"}';
    expect(eventOf(translate('identify', body))).toMatchObject({
      type: 'traits',
      identifier: null,
      anonymous_id: 'a',
      message_id: 'm',
      name: null,
      properties: '{"plan":"x","n":1.0}',
    });
    expect(droppedOf(translate('identify', { anonymousId: 'a', messageId: 'm' }))).toMatchObject({
      reason: 'identify_without_identifier',
      anonymous_id: 'a',
      message_id: 'm',
    });
  });

  test('a phone alone names somebody where the workspace says so, in E.164', () => {
    const identify = (body: object, phones?: { country: string | null }) =>
      translatePipelines({ ...call, context: null, ...(phones && { phones }) }, 'identify', sent(body));
    const german = { country: 'DE' };
    const phone = { anonymousId: 'a', traits: { phone: '030 901820', plan: 'x' } };
    const named = identify(phone, german);
    expect(eventOf(named)).toMatchObject({
      type: 'identify',
      identifier_kind: 'id',
      identifier: '+4930901820',
      id: '+4930901820',
      anonymous_id: 'a',
    });
    expect(correctionsOf(named)).toEqual(['traits.phone: canonical_form']);
    expect(eventOf(identify(phone))).toMatchObject({ type: 'traits', identifier: null });
    expect(eventOf(identify(phone, { country: null }))).toMatchObject({ type: 'traits', identifier: null });
    const both = { ...phone, traits: { ...phone.traits, email: 'a@b.c' } };
    expect(eventOf(identify(both, german))).toMatchObject({ identifier_kind: 'email', id: null });
    expect(eventOf(identify({ ...phone, userId: '7' }, german))).toMatchObject({ identifier: '7' });
  });

  test('neither id nor email is refused', () => {
    expect(refusalOf(translate('identify', { traits: { email: 'n/a' } })).reason).toBe('invalid_call');
  });
});

describe('track, page and screen', () => {
  test('row 17: a track with both ids is the person of the userId; the anonymousId rides along', () => {
    const event = eventOf(
      translate('track', { userId: '42', anonymousId: 'a', event: ' x ', properties: {} }),
    );
    expect(event).toMatchObject({
      type: 'event',
      name: 'x',
      identifier: '42',
      anonymous_id: 'a',
      properties: '{}',
    });
  });

  test('an email among the properties of an anonymous event names nobody', () => {
    const body = {
      anonymousId: 'a',
      event: 'Email Captured',
      properties: { email: 'a@b.c', source: 'popup' },
    };
    expect(eventOf(translate('track', body))).toMatchObject({ identifier_kind: 'none', anonymous_id: 'a' });
  });

  test.each([
    [{ name: 'home', properties: { url: 'https://x/y' } }, 'https://x/y'],
    [{ name: 'home', properties: {} }, 'home'],
    [{ context: { page: { url: 'https://x/z' } } }, 'https://x/z'],
    [{ name: 'home', context: { page: { url: 'https://x/z' } } }, 'home'],
    [{}, null],
  ])('the name of a page: %j is %s', (body, name) => {
    expect(eventOf(translate('page', { anonymousId: 'a', ...body }))).toMatchObject({ type: 'page', name });
  });

  test('the name and category beside an address are kept among the properties, and what is there stays as sent', () => {
    const view = (type: string, body: string) => eventOf(translate(type, body));
    const page =
      '{"anonymousId":"a","name":"Boots","category":"Shop","properties":{"url":"https://x/y","n":1.0}}';
    expect(view('page', page)).toMatchObject({
      name: 'https://x/y',
      properties: '{"url":"https://x/y","n":1.0,"name":"Boots","category":"Shop"}',
    });
    const own = '{"anonymousId":"a","name":"Boots","properties":{"url":"https://x/y","name":"mine"}}';
    expect(view('page', own).properties).toBe('{"url":"https://x/y","name":"mine"}');
    const named = '{"anonymousId":"a","name":"Boots","category":null,"properties":{"n":1.0}}';
    expect(view('page', named)).toMatchObject({ name: 'Boots', properties: '{"n":1.0}' });
    const address = '{"anonymousId":"a","name":"Boots","context":{"page":{"url":"https://x/y"}}}';
    expect(view('page', address)).toMatchObject({ name: 'Boots', properties: null });
    const screen = '{"anonymousId":"a","name":"Home","category":"App"}';
    expect(view('screen', screen)).toMatchObject({ name: 'Home', properties: '{"category":"App"}' });
  });

  test('a screen is named by its name', () => {
    expect(eventOf(translate('screen', { anonymousId: 'a', name: 'Home' }))).toMatchObject({
      type: 'screen',
      name: 'Home',
    });
  });

  test('the context of a batch holds where a call brings none', () => {
    const withContext = { ...call, context: '{"ip":"1"}' };
    const own = translatePipelines(
      withContext,
      'track',
      sent({ anonymousId: 'a', event: 'x', context: { ip: '2' } }),
    );
    const none = translatePipelines(withContext, 'track', sent({ anonymousId: 'a', event: 'x' }));
    expect([eventOf(own).context, eventOf(none).context]).toEqual(['{"ip":"2"}', '{"ip":"1"}']);
  });

  test.each([
    ['2026-11-21T21:16:40.657Z', Date.UTC(2026, 10, 21, 21, 16, 40, 657)],
    ['2026-11-21T21:16:40+02:00', Date.UTC(2026, 10, 21, 19, 16, 40)],
    ['2026-11-21T21:16:40+0200', Date.UTC(2026, 10, 21, 19, 16, 40)],
    ['2026-11-21T21:16:40', Date.UTC(2026, 10, 21, 21, 16, 40)],
    ['2026-11-21 21:16:40.123456789', Date.UTC(2026, 10, 21, 21, 16, 40, 123)],
    ['2026-11-21', Date.UTC(2026, 10, 21)],
    ['2026-02-31T99:00:00Z', receivedAt],
    ['1700000000', 1_700_000_000_000],
    [1_700_000_000, 1_700_000_000_000],
    ['yesterday', receivedAt],
  ])('timestamp %p', (timestamp, expected) => {
    expect(eventOf(translate('track', { anonymousId: 'a', event: 'x', timestamp })).timestamp).toBe(expected);
  });

  test('originalTimestamp stands in for a missing timestamp', () => {
    const body = { anonymousId: 'a', event: 'x', originalTimestamp: '2026-11-21T00:00:00Z' };
    expect(eventOf(translate('track', body)).timestamp).toBe(Date.UTC(2026, 10, 21));
  });

  test.each([
    ['User Deleted', 'delete'],
    ['User Suppressed', 'suppress'],
    ['User Unsuppressed', 'unsuppress'],
  ])('the semantic event %s is a control call', (event, kind) => {
    expect(controlOf(translate('track', { userId: '42', event }))).toMatchObject({ kind, identifier: '42' });
  });

  test.each([
    ['track', { anonymousId: 'a' }, 'invalid_call'],
    ['track', { event: 'x' }, 'invalid_call'],
    ['track', { anonymousId: 'a', event: 'x'.repeat(101) }, 'limit_exceeded'],
    ['track', { anonymousId: 'a', event: 'x', properties: { p: 'x'.repeat(32_768) } }, 'limit_exceeded'],
    ['track', { anonymousId: 'x'.repeat(151), event: 'x' }, 'limit_exceeded'],
    ['track', { anonymousId: 'a\0', event: 'x' }, 'identifier_illegal'],
    ['track', { userId: 'a\ud800', event: 'x' }, 'identifier_illegal'],
    ['page', { userId: ' ' }, 'invalid_call'],
    ['dance', { userId: '1' }, 'invalid_call'],
    ['group', { userId: '1' }, 'invalid_call'],
  ])('%s is refused %#', (type, body, reason) => {
    expect(refusalOf(translate(type, body)).reason).toBe(reason);
  });
});

describe('row 21: alias', () => {
  test('claims the anonymous id first, then asks for a merge that says it may have been one', () => {
    const alias = translate('alias', { userId: '42', previousId: 'anon-1', messageId: 'm' });
    expect(eventOf(alias)).toMatchObject({
      type: 'identify',
      identifier: '42',
      id: '42',
      anonymous_id: 'anon-1',
    });
    expect(controlOf(alias, 1)).toMatchObject({
      kind: 'merge',
      identifier: '42',
      other: 'anon-1',
      anonymous_id: 'anon-1',
    });
  });

  test('what has the shape of an email is a person only', () => {
    const alias = translate('alias', { userId: '42', previousId: 'a@b.c' });
    expect(controlOf(alias)).toMatchObject({ kind: 'merge', other_kind: 'email', anonymous_id: null });
  });

  test.each([[{ userId: '42' }], [{ previousId: 'a' }], [{ userId: '42', previousId: '' }]])(
    'both ids are needed: %j',
    (body) => {
      expect(refusalOf(translate('alias', body)).reason).toBe('invalid_call');
    },
  );
});

describe('programs that read pages (spec E row 95)', () => {
  const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
  const CHROME =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';
  const track = (fields: object, agent?: string, botEventsWait = true) => {
    const calling = { ...call, agent, botEventsWait };
    const { bot, waits } = eventOf(
      translatePipelines(calling, 'track', sent({ anonymousId: 'v', event: 'Seen', ...fields })),
    );
    return { bot, waits };
  };

  test.each([
    ['its context says', { context: { userAgent: GOOGLEBOT } }, undefined, true],
    ['the browser that calls says', {}, GOOGLEBOT, true],
    ['the context counts before who calls', { context: { userAgent: CHROME } }, GOOGLEBOT, false],
    ['nobody says', {}, undefined, false],
    ['a context of another shape says nothing', { context: { userAgent: 7 } }, CHROME, false],
  ])('an event is marked as %s', (_, fields, agent, bot) => {
    expect(track(fields, agent)).toEqual({ bot, waits: true });
  });

  test('what they do waits as all else does, unless the workspace wants otherwise', () => {
    expect(track({}, GOOGLEBOT, false)).toEqual({ bot: true, waits: false });
    expect(track({}, CHROME, false)).toEqual({ bot: false, waits: true });
  });
});
