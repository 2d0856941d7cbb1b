/** Our client of on-site messages in Chromium, with a whole installation behind it: what a visitor of a shop sees. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { findChromium } from '../testing/browsers/find-chromium.ts';
import { ShopStack } from '../testing/browsers/shop-stack.ts';
import type { WatchedPage } from '../testing/browsers/watched-page.ts';
import { eventually } from '../testing/eventually.ts';

const START_MS_MAX = 300_000;
const program = findChromium();
const inChromium = program === undefined ? describe.skip : describe;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let shop: ShopStack;

inChromium('our client, with everything behind it', () => {
  beforeAll(async () => {
    shop = await ShopStack.open(program ?? '');
  }, START_MS_MAX);
  afterAll(() => shop.close(), START_MS_MAX);
  afterEach(() => shop.leave());

  const at = (path: string) => [{ contains: path }];
  /** Until it is acknowledged. */
  const tracks = (visitor: WatchedPage, event: string, properties: object = {}) =>
    visitor.evaluate(
      `analytics.track(${JSON.stringify(event)}, ${JSON.stringify(properties)}).then(() => true)`,
    );

  describe.each(['js', 'classic'])('by the snippet %s', (snippet) => {
    test('a message is shown, counted, dismissed, and never shown again (spec E rows 48, 56, 68, 70)', async () => {
      const id = `hello-${snippet}`;
      await shop.message(id, { pages: at(`/${snippet}/hello`) });
      const visitor = await shop.visitor();
      await shop.goes(visitor, `/${snippet}/hello`);
      await visitor.shows(id);
      const anonymousId = await visitor.anonymousId();
      expect(await shop.told(id)).toEqual(['eligible', 'shown']);
      await shop.passes(1_000);
      await visitor.press('.close');
      await visitor.showsNothing();
      await shop.goes(visitor, `/${snippet}/hello`);
      expect(await shop.offers(visitor)).toEqual([]);
      expect(await visitor.titles()).toEqual([]);
      expect(await shop.told(id, anonymousId)).toEqual([
        'eligible',
        'shown',
        'dismissed',
        'eligible',
        'refused dismissed',
      ]);
    });
  });

  test('a button leads where it says, and the click counts by its name (spec E rows 42, 65 and 69)', async () => {
    await shop.message('sale', { pages: at('/js/sale') });
    const visitor = await shop.visitor();
    await shop.goes(visitor, '/js/sale');
    await visitor.shows('sale');
    await shop.passes(1_000);
    await visitor.press('a.button');
    expect(await visitor.evaluate('location.hash')).toBe('#sale');
    expect(await shop.told('sale')).toEqual(['eligible', 'shown', 'clicked go']);
  });

  test('who is identified in the middle of the visit sees it go, and none after it (spec E rows 49 and 50)', async () => {
    await shop.message('stranger', { pages: at('/js/stranger'), frequency: { mode: 'always' } });
    const visitor = await shop.visitor();
    await shop.goes(visitor, '/js/stranger');
    await visitor.shows('stranger');
    await visitor.does(`analytics.identify('ada', { email: 'ada@shop.example' })`);
    await visitor.showsNothing();
    await shop.calls.settled();
    const anonymousId = await visitor.anonymousId();
    await shop.goes(visitor, '/js/stranger');
    const site = shop.stack.credentials.default.site_id;
    const query = new URLSearchParams({
      site_id: site,
      anonymous_id: anonymousId,
      page: shop.url('/js/stranger'),
    });
    const queue = await fetch(`${shop.stack.http}/v1/in-app/queue?${query.toString()}`);
    expect(await queue.json()).toEqual({ messages: [], poll_seconds: 60 });
    expect([await visitor.titles(), await visitor.answers()]).toEqual([[], 0]);
  });

  test('twice is twice, over pages and tabs (spec E row 54)', async () => {
    await shop.message('twice', { pages: at('/js/twice'), frequency: { times: 2 } });
    const visitor = await shop.visitor();
    await shop.goes(visitor, '/js/twice');
    await visitor.shows('twice');
    const second = await visitor.tab();
    await shop.goes(second, '/js/twice?tab=2');
    await second.shows('twice');
    await shop.goes(visitor, '/js/twice');
    expect(await shop.offers(visitor)).toEqual([]);
    const counted = await shop.told('twice');
    expect(counted.filter((what) => what === 'shown')).toHaveLength(2);
    expect(counted).toContain('refused frequency');
  });

  test('each form of a page rule shows its message on its pages and on no other (spec E rows 41, 51, 52, 53)', async () => {
    const forms: Readonly<Record<string, readonly object[]>> = {
      contains: [{ contains: 'rules/pricing' }],
      equals: [{ equals: '/js/rules/cart' }],
      wildcard: [{ equals: '/js/rules/p-*/size' }],
      several: [{ equals: '/js/rules/a' }, { contains: 'rules/b' }],
    };
    // Within the page each has a place of its own, so that one hides no other.
    for (const [id, pages] of Object.entries(forms)) {
      const content = { kind: 'inline', element: 'slot', title: id, body: id };
      await shop.message(id, { pages, content, frequency: { mode: 'always' } });
    }
    const visitor = await shop.visitor();
    const shown: Record<string, readonly string[]> = {};
    for (const page of ['pricing?plan=1', 'cart', 'cart/2', 'p-7/size', 'p-7', 'a', 'b2', 'a2', 'Pricing']) {
      await shop.goes(visitor, `/js/rules/${page}`);
      shown[page] = await shop.offers(visitor);
      await (shown[page].length > 0 ? visitor.shows(shown[page][0] ?? '') : visitor.showsNothing());
    }
    expect(shown).toEqual({
      'pricing?plan=1': ['contains'],
      cart: ['equals'],
      'cart/2': [],
      'p-7/size': ['wildcard'],
      'p-7': [],
      a: ['several'],
      b2: ['several'],
      a2: [],
      Pricing: [],
    });
  });

  describe('by what they did', () => {
    const stall = (event: string, without: string) => ({
      event,
      without: { event: without },
      for: 'PT10M',
      within: 'PT1H',
    });

    const isMetByAPoll = async (id: string, event: string, without: string): Promise<void> => {
      await shop.message(id, { pages: at(`/js/${id}`), audience: stall(event, without), suppress: [] });
      const [slow, quick] = [await shop.visitor(), await shop.visitor()];
      for (const visitor of [slow, quick]) {
        await visitor.goto(shop.url(`/js/${id}`));
        await visitor.comes('window.analytics.initialized');
        await tracks(visitor, event, { sku: 'boots' });
      }
      await shop.calls.settled();
      // By the browser's own clock it happened some milliseconds before we had it.
      await shop.passes(10 * MINUTE - 2_000);
      await tracks(quick, without, { total: 10 });
      expect(await shop.offers(slow)).toEqual([]);
      expect(await shop.offers(quick)).toEqual([]);
      await shop.passes(2_000);
      await slow.shows(id); // nothing has happened: it is the poll that finds it
      expect(await shop.offers(quick)).toEqual([]);
      expect(await quick.titles()).toEqual([]);
      expect(await shop.told(id)).toEqual(['eligible', 'shown']);
    };

    test('a cart that stalls for ten minutes is met at the first poll after it, and not before (spec E row 73)', () =>
      isMetByAPoll('cart', 'Added to Cart', 'Checkout Started'));

    test('a checkout that stalls for ten minutes is met at the first poll after it, and not before (spec E row 74)', () =>
      isMetByAPoll('checkout', 'Checkout Started', 'Order Completed'));

    test('three product pages, not two, and the text names the last of them (spec E rows 75 and 78)', async () => {
      const count = { distinct: 'sku', at_least: 3 };
      const content = { kind: 'overlay', title: 'Help with {{ last_item.name }}?', body: 'Ask us.' };
      await shop.message('depth', {
        pages: at('/js/depth'),
        audience: { event: 'Product Viewed', count },
        content,
      });
      const visitor = await shop.visitor();
      await shop.goes(visitor, '/js/depth');
      await visitor.comes('window.analytics.initialized');
      for (const sku of ['boots', 'socks', 'boots'])
        await tracks(visitor, 'Product Viewed', { sku, name: sku });
      expect(await shop.offers(visitor)).toEqual([]);
      await tracks(visitor, 'Product Viewed', { sku: 'laces', name: 'Laces' });
      await visitor.shows('Help with Laces?');
    });

    test('an order in another tab silences the nudge that this one waits with (spec E row 82)', async () => {
      await shop.message('nudge', { pages: at('/js/nudge'), audience: stall('Added to Cart', 'Nothing') });
      const visitor = await shop.visitor();
      const other = await visitor.tab();
      await visitor.goto(shop.url('/js/nudge'));
      await visitor.comes('window.analytics.initialized');
      await tracks(visitor, 'Added to Cart', { sku: 'boots' });
      await other.goto(shop.url('/js/paying'));
      await other.comes('window.analytics.initialized');
      await tracks(other, 'Order Completed', { total: 10 });
      await shop.calls.settled();
      await shop.passes(10 * MINUTE);
      expect(await shop.offers(visitor)).toEqual([]);
      expect(await shop.told('nudge')).toEqual(['eligible', 'refused suppressed']);
    });

    test('once a day is once a day, and a new day is a new one (spec E row 80)', async () => {
      const frequency = { mode: 'always' };
      await shop.message('daily', { pages: at('/js/daily'), frequency, caps: { day: 1 } });
      const visitor = await shop.visitor();
      await shop.goes(visitor, '/js/daily');
      await visitor.shows('daily');
      await shop.goes(visitor, '/js/daily');
      expect(await shop.offers(visitor)).toEqual([]);
      await shop.passes(24 * HOUR);
      await shop.goes(visitor, '/js/daily');
      await visitor.shows('daily');
    });
  });

  test('two devices are two visitors until both are claimed by one person, who is shown nothing and counted once (spec E rows 83, 87, 93)', async () => {
    const form = { fields: ['email'], submit: 'Get ten percent' };
    const content = { kind: 'modal', title: 'Ten percent', form };
    await shop.message('letter', { pages: at('/js/letter'), frequency: { mode: 'once' }, content });
    const [phone, laptop] = [await shop.visitor(), await shop.visitor()];
    for (const device of [phone, laptop]) {
      await shop.goes(device, '/js/letter');
      await device.shows('Ten percent');
      await device.fill({ email: 'Bea@shop.example' });
      await device.comes(
        `document.querySelector('[data-hindsight-message]').shadowRoot.querySelector('[role=status]')`,
      );
      await shop.calls.settled();
    }
    const people = await shop.calls.rows(
      `SELECT count(), uniqExact(person_id) FROM identities WHERE kind = 'anonymous_id' AND value IN ('${await phone.anonymousId()}', '${await laptop.anonymousId()}')`,
    );
    expect(people).toEqual([[2, 1]]);
    for (const device of [phone, laptop]) {
      await shop.goes(device, '/js/letter');
      await device.comes('window.analytics.initialized');
      await tracks(device, 'Order Completed', { total: 20, currency: 'EUR' });
    }
    await shop.calls.settled();
    for (const device of [phone, laptop])
      expect([await device.titles(), await device.answers()]).toEqual([[], 0]);
    const report = `SELECT people, identified, shown, submitted, converted FROM message_report WHERE message_id = 'letter'`;
    expect(await shop.calls.rows(report)).toEqual([[1, 2, 2, 2, 1]]);
  });

  test('a workspace that asks for consent has nothing of a visitor before it, all of it with it, and nothing after a withdrawal', async () => {
    const ask = (required: boolean) =>
      shop.calls.app('PUT', '/v1/workspaces/default', { consent: { required } });
    expect(await ask(true)).toMatchObject({ status: 200 });
    const visitor = await shop.visitor();
    await visitor.goto(shop.url('/js/consent'));
    await visitor.comes('window.hindsightInApp && window.analytics.initialized');
    await visitor.does(`analytics.track('Looked')`);
    await visitor.comes(`(localStorage['hindsight.held'] ?? '').includes('Looked')`);
    const anonymousId = await visitor.anonymousId();
    const found = async () => {
      await shop.calls.settled();
      const rows = await shop.calls.rows(
        `SELECT name FROM anonymous_events WHERE anonymous_id = '${anonymousId}' AND type = 'event' ORDER BY name`,
      );
      return rows.flat();
    };
    expect([await found(), await visitor.answers()]).toEqual([[], 0]);
    await visitor.does('hindsightInApp.consent(true)');
    await eventually(async () => (await found()).length === 2);
    expect(await found()).toEqual(['Consent Given', 'Looked']);
    await visitor.does('hindsightInApp.consent(false)');
    await eventually(async () => (await found()).length === 0);
    await ask(false);
  });
});
