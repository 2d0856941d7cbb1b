/** Pages with the published snippets, in jsdom, against the server in this process. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Visitor } from '../testing/browsers/browser.ts';
import { jsdomBrowser } from '../testing/browsers/jsdom-browser.ts';
import {
  analyticsSnippet,
  classicSnippet,
  openShop,
  type ShopPages,
} from '../testing/browsers/shop-pages.ts';
import { eventually } from '../testing/eventually.ts';
import { cookieIn } from './in-app/cookie.ts';
import { testServer, workspace, writeKey, type TestServer } from '../testing/gateway-server.ts';

const unexpected = () => Promise.reject(new Error('no page of these polls'));
const nobodyPolls = { poll: unexpected, why: unexpected };
const calls = {
  send: () => Promise.resolve(),
  decide: () => Promise.resolve({ taken: true, reason: null, variant: null }),
};
let under: TestServer;
let shop: ShopPages;
let visitor: Visitor;
/** Paths that pages have asked for, in their order. */
let asked: string[];
/** What is said of consent is answered 429. */
let isFull: boolean;
/** Addresses of others. */
let elsewhere: string[];
beforeEach(async () => {
  under = testServer({ onSite: { view: nobodyPolls, calls } });
  asked = [];
  elsewhere = [];
  isFull = false;
  under.server.addHook('onRequest', (request, reply, done) => {
    asked.push(request.url);
    if (isFull && request.url === '/v1/in-app/consent') void reply.code(429).send();
    else done();
  });
  const base = await under.server.listen({ host: '127.0.0.1', port: 0 });
  const classic = classicSnippet(base, writeKey);
  const withConsent = classic.replace(
    /(\S+)\.id\s*=\s*(['"])cio-tracker\2/,
    "$&,$1.setAttribute('data-consent','required')",
  );
  shop = await openShop({ js: analyticsSnippet(base, writeKey), classic, asked: withConsent });
  visitor = await jsdomBrowser((url) => elsewhere.push(url)).visitor();
});
afterEach(async () => {
  await visitor.close();
  await shop.close();
  await under.server.close();
});

function addressOf({ server }: TestServer): string {
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens nowhere');
  return `http://127.0.0.1:${String(address.port)}`;
}
/** What was said; that consent was given or withdrawn stands in the lane beside it. */
const events = () =>
  under.sent.events
    .map(({ value }) => value)
    .filter(({ type }) => type !== 'consent' && type !== 'withdrawal');
const names = () =>
  events()
    .map(({ name }) => name ?? '')
    .sort();
const come = (count: number) => eventually(() => events().length >= count);

describe('@customerio/cdp-analytics-browser 0.5.11, by its snippet', () => {
  test('a page is told by itself; an identify keeps the anonymous id, a reset makes another', async () => {
    await visitor.goto(`${shop.url}/js/?utm_source=mail`);
    await come(1);
    await visitor.evaluate(`analytics.track('Product Viewed', { sku: 'boots' })`);
    await visitor.evaluate(`analytics.identify('ada', { email: 'ada@shop.example' })`);
    await visitor.evaluate(`analytics.reset()`);
    await visitor.evaluate(`analytics.track('Looked again')`);
    await come(4);
    const [page, viewed, identify, again] = events();
    expect(page).toMatchObject({ type: 'page', identifier: null, name: `${shop.url}/js/?utm_source=mail` });
    expect(JSON.parse(page?.context ?? '')).toMatchObject({ campaign: { source: 'mail' } });
    const anonymous_id = page?.anonymous_id;
    expect(viewed).toMatchObject({ name: 'Product Viewed', properties: '{"sku":"boots"}', anonymous_id });
    expect(identify).toMatchObject({
      type: 'identify',
      identifier: 'ada',
      email: 'ada@shop.example',
      anonymous_id,
    });
    expect(again).toMatchObject({ name: 'Looked again', identifier: null });
    expect(again?.anonymous_id).not.toBe(anonymous_id);
    expect(under.sent.dropped).toEqual([]);
  });
});

describe('E row 116: the library on every load', () => {
  const settings = `/v1/projects/${writeKey}/settings`;

  test('starts with one call for its settings, whoever comes and however often, and tells of each page', async () => {
    const pages = ['', 'boots', 'cart'].map((page) => `${shop.url}/js/${page}`);
    const told = () => events().flatMap(({ type, name }) => (type === 'page' ? [name] : []));
    for (const [index, page] of pages.entries()) {
      await visitor.goto(page);
      await eventually(() => told().length > index); // jsdom forgets what a page that is left has not sent
    }
    expect(asked.filter((path) => path === settings)).toHaveLength(3);
    expect(told()).toEqual(pages);
    expect(new Set(events().map(({ anonymous_id }) => anonymous_id)).size).toBe(1);
  });

  test('a page of a key that is revoked is whole, asks once, and tells of nothing', async () => {
    const gone = await openShop({ js: analyticsSnippet(addressOf(under), 'wk_revoked') });
    await visitor.goto(`${gone.url}/js/`);
    await eventually(() => asked.some((path) => path.endsWith('/settings')));
    expect(await visitor.evaluate(`(analytics.track('Into the void'), document.readyState !== '')`)).toBe(
      true,
    );
    expect(asked.filter((path) => path.endsWith('/settings'))).toEqual(['/v1/projects/wk_revoked/settings']);
    expect(events()).toEqual([]);
    await gone.close();
  });

  test.each([
    ['has ended', 'wk_revoked', ''],
    ['is a placeholder that nobody filled', '{{ browser_key }}', ''],
    [
      'is refused, on a page that asks the library for its debugging',
      'wk_revoked',
      '?cio_debug_session=true',
    ],
  ])('whose key %s, tells nobody else of its visitor', async (_why, key, query) => {
    const gone = await openShop({ js: analyticsSnippet(addressOf(under), key) });
    await visitor.goto(`${gone.url}/js/${query}`);
    await eventually(() => [...asked, ...elsewhere].some((path) => path.endsWith('/settings')));
    await visitor.evaluate(`analytics.track('Into the void'), 0`);
    await visitor.evaluate('new Promise((done) => setTimeout(done, 300))');
    expect(elsewhere).toEqual([]);
    expect(events()).toEqual([]);
    await gone.close();
  });
});

describe('our classic track.js (spec A.8)', () => {
  test('E rows 32, 36: what was queued before it came is sent, the page goes first, an identify claims', async () => {
    await visitor.goto(`${shop.url}/classic/`);
    await come(1);
    await visitor.evaluate(`_cio.track('addedToCart', { product: 'cool-shoes' })`);
    await visitor.evaluate(`_cio.identify({ id: 'ada', email: 'ada@shop.example', created_at: 1700000000 })`);
    await visitor.evaluate(`_cio.track('orderPlaced')`);
    await come(4);
    const [page, added, identify, placed] = events();
    const anonymous_id = page?.anonymous_id;
    expect(page).toMatchObject({ type: 'page', name: `${shop.url}/classic/`, identifier: null });
    expect(anonymous_id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(added).toMatchObject({
      name: 'addedToCart',
      properties: '{"product":"cool-shoes"}',
      anonymous_id,
    });
    expect(identify).toMatchObject({
      type: 'identify',
      identifier: 'ada',
      email: 'ada@shop.example',
      anonymous_id,
      properties: '{"email":"ada@shop.example","created_at":1700000000}',
    });
    expect(placed).toMatchObject({ name: 'orderPlaced', identifier: 'ada', anonymous_id });
    expect(new Set(events().map(({ message_id }) => message_id)).size).toBe(4);
  });

  test('the next page knows the visitor and the person; reset forgets both', async () => {
    await visitor.goto(`${shop.url}/classic/`);
    await visitor.evaluate(`_cio.identify({ email: 'ada@shop.example' })`);
    await come(2);
    await visitor.goto(`${shop.url}/classic/cart`);
    await come(3);
    const [first, identify, second] = events();
    expect(identify).toMatchObject({ identifier: 'ada@shop.example', anonymous_id: first?.anonymous_id });
    expect(second).toMatchObject({
      name: `${shop.url}/classic/cart`,
      identifier: 'ada@shop.example',
      anonymous_id: first?.anonymous_id,
    });
    await visitor.evaluate(`_cio.reset()`);
    await visitor.evaluate(`_cio.page('https://shop.example/home', { section: 'top' })`);
    await come(4);
    const last = events()[3];
    expect(last).toMatchObject({ name: 'https://shop.example/home', identifier: null });
    expect(JSON.parse(last?.properties ?? '')).toMatchObject({ section: 'top' });
    expect(last?.anonymous_id).not.toBe(first?.anonymous_id);
  });

  test.each([
    ['two, which a host and its domain may have', 'one', 'two', 'two'],
    ['one that is broken', '%E0%A4%A', '%E0%A4%A', '%E0%A4%A'],
  ])(
    'events and polls are of one visitor whatever the cookies are: %s',
    async (_what, under, over, known) => {
      await visitor.goto(`${shop.url}/classic/`);
      await come(1);
      await visitor.evaluate(`document.cookie = '_cioanonid=${under}; path=/classic/cart'`);
      await visitor.evaluate(`document.cookie = '_cioanonid=${over}; path=/'`);
      await visitor.goto(`${shop.url}/classic/cart/`);
      await come(2);
      expect(events()[1]?.anonymous_id).toBe(known);
      const { cookie } = (await visitor.evaluate(`({ cookie: document.cookie })`)) as {
        readonly cookie: string;
      };
      expect(cookie).toContain(`_cioanonid=${under}; _cioanonid=${over}`);
      expect(cookieIn(cookie, '_cioanonid')).toBe(known);
    },
  );

  test('another person on the same device does not get what the first one did', async () => {
    await visitor.goto(`${shop.url}/classic/`);
    await visitor.evaluate(`_cio.identify({ email: 'ada@shop.example' })`);
    await visitor.evaluate(`_cio.sidentify({ id: 'ada', email: 'ada@shop.example' })`);
    await visitor.evaluate(`_cio.identify({ id: 'bob' })`);
    await come(4);
    const [page, , same, other] = events();
    expect(same).toMatchObject({ identifier: 'ada', anonymous_id: page?.anonymous_id });
    expect(other?.identifier).toBe('bob');
    expect(other?.anonymous_id).not.toBe(page?.anonymous_id);
  });

  test('an identify that names nobody is not sent, an unknown call does nothing', async () => {
    await visitor.goto(`${shop.url}/classic/`);
    await visitor.evaluate(`_cio.identify({ plan: 'free' })`);
    await visitor.evaluate(`_cio.push(['constructor', 1])`);
    await visitor.evaluate(`_cio.track('x')`);
    await come(2);
    expect(events().map(({ type }) => type)).toEqual(['page', 'event']);
  });

  test('a call that waited keeps its own time when it is sent at last', async () => {
    const before = new Date(Date.now() - 3_600_000).toISOString();
    await visitor.goto(`${shop.url}/classic/`);
    await come(1);
    const call = {
      type: 'track',
      event: 'Waited',
      anonymousId: 'v',
      writeKey,
      timestamp: before,
      sentAt: before,
    };
    const waiting = JSON.stringify([{ path: '/v1/t', body: JSON.stringify({ ...call, messageId: 'm' }) }]);
    await visitor.evaluate(`localStorage.setItem('_ciowaiting', ${JSON.stringify(waiting)})`);
    await visitor.evaluate(`dispatchEvent(new Event('online')), 0`);
    await come(2);
    const { timestamp = 0 } = events()[1] ?? {};
    expect(Math.abs(timestamp - Date.parse(before))).toBeLessThan(60_000);
  });

  test('where consent is required calls wait for it, and after its withdrawal none is kept', async () => {
    await visitor.goto(`${shop.url}/asked/`);
    await visitor.evaluate(`_cio.track('Looked')`);
    await visitor.evaluate('new Promise((done) => setTimeout(done, 300))');
    expect(events()).toEqual([]);
    await visitor.evaluate('_cio.consent(true)');
    await come(3);
    expect(names()).toEqual(['Consent Given', 'Looked', `${shop.url}/asked/`]);
    await visitor.evaluate('_cio.consent(false)');
    await visitor.evaluate(`_cio.track('Unseen')`);
    expect(await visitor.evaluate(`localStorage.getItem('_ciowaiting')`)).toBeNull();
    expect(events()).toHaveLength(3);
    // Who withdraws has it told, by the key that the page has.
    await eventually(() => asked.filter((path) => path === '/v1/in-app/consent').length === 2);
  });

  test('a withdrawal that the server did not take is told again, and before what was said after it', async () => {
    isFull = true;
    const said = () =>
      under.sent.events
        .map(({ value }) => value.type)
        .filter((type) => type === 'consent' || type === 'withdrawal');
    await visitor.goto(`${shop.url}/classic/`);
    await come(1);
    await visitor.evaluate('_cio.consent(false)');
    await visitor.evaluate('_cio.consent(true)');
    await eventually(() => asked.includes('/v1/in-app/consent'));
    expect(said()).toEqual([]);
    expect(await visitor.evaluate(`JSON.parse(localStorage.getItem('hindsight.untold')).length`)).toBe(2);
    isFull = false;
    await visitor.evaluate(`dispatchEvent(new Event('online')), 0`);
    await eventually(() => said().length === 2);
    expect(said()).toEqual(['withdrawal', 'consent']);
  });

  test('a workspace that asks for consent has it from every page, with its own limits, and is told what was left out', async () => {
    const body = { consent: { required: true, events_max: 2, days_max: 1 } };
    await under.definitions.put('workspace', workspace, workspace, { body });
    await visitor.goto(`${shop.url}/classic/`);
    for (const name of ['One', 'Two', 'Three']) await visitor.evaluate(`_cio.track('${name}')`);
    await visitor.evaluate('new Promise((done) => setTimeout(done, 300))');
    expect(events()).toEqual([]);
    const old = `localStorage.setItem('_ciowaiting', JSON.stringify(JSON.parse(localStorage.getItem('_ciowaiting')).map((call, index) => {
      if (index > 0) return call;
      const told = JSON.parse(call.body);
      return { ...call, body: JSON.stringify({ ...told, timestamp: new Date(Date.now() - 90000000).toISOString() }) };
    })))`;
    await visitor.evaluate(old);
    await visitor.evaluate('_cio.consent(true)');
    await come(2);
    expect(names()).toEqual(['Consent Given', 'Three']);
    const given = events().find(({ name }) => name === 'Consent Given');
    expect(JSON.parse(given?.properties ?? '')).toMatchObject({
      sent: 1,
      left_out_by_count: 2,
      left_out_by_age: 1,
    });
  });
});
