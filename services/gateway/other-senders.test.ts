/**
 * Senders that cannot run here, Segment's and RudderStack's clouds, phones and Go: their requests, written after their
 * public sources, over a real socket. Every one is taken, and what it told is an event of whom it meant.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { apiKey, appKey, siteId, testServer, writeKey, type TestServer } from '../testing/gateway-server.ts';
import { authorizationsOf, replay } from '../testing/recorded-requests.ts';
import { readShaped, type Sender } from '../testing/shaped-requests.ts';

let under: TestServer;
let base: string;
beforeEach(async () => {
  under = testServer();
  base = await under.server.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => under.server.close());

const auth = authorizationsOf({
  site_id: siteId,
  api_key: apiKey,
  write_key: writeKey,
  app_key: appKey,
});

/** Every answer is 200, and `{}` where it is no read. */
async function send(sender: Sender): Promise<void> {
  for (const each of readShaped(sender, { writeKey, now: new Date() })) {
    const { status, text } = await replay(base, each, auth);
    const told = { method: each.method, url: each.url, status, text };
    if (each.method === 'GET') expect(told).toMatchObject({ status: 200 });
    else expect(told).toEqual({ method: each.method, url: each.url, status: 200, text: '{}\n' });
  }
}

/** `visitor / person: type name`, in the order in which they went out. */
const told = () =>
  under.sent.events.map(({ value: { anonymous_id: visitor, identifier, type, name } }) =>
    [`${visitor ?? '-'} / ${identifier ?? '-'}: ${type}`, ...(name === null ? [] : [name])].join(' '),
  );
const corrected = () => under.sent.dropped.map(({ value: { reason, detail } }) => [reason, detail]);

describe('E row 34: destinations of other platforms', () => {
  test('Segment’s: a visitor’s page, product, cart and screen, the identify that claims them, then the person', async () => {
    await send('segment-destination');
    expect(told()).toEqual([
      'seg-visitor / -: page https://shop.example/boots',
      'seg-visitor / -: event Product Viewed',
      'seg-visitor / -: page https://shop.example/cart',
      'seg-visitor / -: screen Cart',
      'seg-visitor / -: relate',
      '- / -: object Object Created or Updated',
      'seg-visitor / -: event viewed_content',
      'seg-visitor / seg-ada: identify',
      '- / seg-ada: event Order Completed',
      '- / seg-ada: event Device Created or Updated',
      '- / seg-ada: relate',
      '- / -: object Object Created or Updated',
      '- / seg-ada: relate',
      '- / -: event Report Delivery Event',
    ]);
    expect(corrected()).toEqual([]);
    const { value } = under.sent.events[1] ?? {};
    expect(value).toMatchObject({
      message_id: 'seg-1',
      timestamp: 1_795_442_401_000,
      properties: '{"sku":"boots","price":129.9}',
    });
  });

  test('RudderStack’s, as it was and as it is', async () => {
    await send('rudderstack-destination');
    expect(told()).toEqual([
      'rud-visitor / -: event Product Viewed',
      'rud-visitor / -: event Viewed Cart Screen',
      'rud-visitor / rud/ada: identify',
      '- / rud/ada: event Device Created or Updated',
      'rud-later / -: event Added to Cart',
      'rud-later / -: screen Viewed Cart Screen',
      'rud-later / rud-bob: identify',
      '- / rud-bob: page ApplicationLoaded',
      '- / rud-bob: relate',
      '- / -: object Object Created or Updated',
      '- / rud-bob: event Device Deleted',
    ]);
    expect(under.sent.requests.map(({ value }) => value)).toMatchObject([
      { kind: 'merge', identifier: 'rud/ada', other: 'rud-old@shop.example' },
    ]);
    expect(corrected()).toEqual([]);
  });
});

describe('E row 39: libraries of servers, with an anonymous id set by hand', () => {
  test('go-customerio, whose key is in the URL-safe alphabet', async () => {
    await send('go-customerio');
    expect(told()).toEqual([
      'go-visitor / -: event Product Viewed',
      '- / -: event invite',
      'go-visitor / go ada: identify',
      '- / go ada: event Order Completed',
      '- / go ada: event Device Created or Updated',
      '- / go ada: event Device Deleted',
    ]);
    expect(under.sent.requests.map(({ value }) => value.kind)).toEqual(['merge', 'delete']);
  });

  test('cdp-analytics-go: the context of the batch is that of calls without one', async () => {
    await send('cdp-analytics-go');
    expect(told()).toEqual([
      'cdp-go-visitor / -: event Product Viewed',
      'cdp-go-visitor / -: page Home',
      'cdp-go-visitor / -: screen Cart',
      'cdp-go-visitor / cdp-go-ada: identify',
      '- / cdp-go-ada: relate',
      '- / cdp-go-ada: event Order Completed',
    ]);
    const contexts = under.sent.events.map(({ value }) => value.context);
    expect(contexts[0]).toBe('{"library":{"name":"cdp-analytics-go","version":"0.0.1"}}');
    expect(contexts[5]).toBe('{"ip":"203.0.113.7"}');
  });
});

describe('E row 37: mobile libraries', () => {
  test.each([
    ['mobile-swift', 'ios'],
    ['mobile-kotlin', 'android'],
  ] as const)('%s: a batch with screens, of nobody until the identify', async (sender, system) => {
    await send(sender);
    expect(told()).toEqual([
      `${system}-visitor / -: event Application Installed`,
      `${system}-visitor / -: screen Boots`,
      `${system}-visitor / -: event Product Viewed`,
      `${system}-visitor / ${system}-ada: identify`,
      `${system}-visitor / ${system}-ada: event Device Created or Updated`,
      `${system}-visitor / ${system}-ada: screen Cart`,
    ]);
    expect(corrected()).toEqual([]);
    expect(JSON.parse(under.sent.events[4]?.value.context ?? '')).toMatchObject({
      device: { token: `${system}-token` },
    });
  });
});

test('E row 38: older mobile libraries tell of people only, and nothing that they send is refused', async () => {
  await send('mobile-older');
  const of = (system: string) => [
    `- / old-${system}: identify`,
    `- / old-${system}: screen Cart`,
    `- / old-${system}: event Order Completed`,
    `- / old-${system}: event Device Created or Updated`,
    '- / -: event Report Delivery Event',
    '- / -: event Report Delivery Event',
    `- / old-${system}: event Device Deleted`,
  ];
  expect(told()).toEqual([...of('iOS'), ...of('Android')]);
  expect(under.sent.events.filter(({ value }) => value.anonymous_id !== null)).toEqual([]);
});
