/** What a visitor may be shown, over HTTP, with the service's own processor behind it. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  claimed,
  DAY,
  did,
  HOUR,
  InAppRig,
  MINUTE,
  SECOND,
  SHOP,
  T0,
  viewed,
  VISITORS_AGENT,
} from '../testing/scenarios/in-app-rig.ts';
import { newVisitor } from './decide/visitor.ts';
import { visitorFrom } from './visitor-bytes.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

describe('who is unidentified gets a message', () => {
  test('without an audience and page rules everybody does, on every page (spec E rows 48 and 53)', async () => {
    rig.message('hello');
    expect(await rig.poll(T0)).toMatchObject({ ids: ['hello'], status: 200 });
    expect((await rig.poll(T0, { who: 'bob', page: `${SHOP}cart` })).ids).toEqual(['hello']);
  });

  test('an unknown site gets nothing (spec E row 47)', async () => {
    rig.message('hello');
    expect(await rig.poll(T0, { site_id: 'another' })).toMatchObject({ ids: [], status: 401 });
  });

  test('an identify in the middle of the visit ends it, before identity has said who that is (spec E rows 49, 50, 83)', async () => {
    rig.message('hello');
    rig.feed(viewed(SHOP, T0));
    expect((await rig.poll(T0)).ids).toEqual(['hello']);
    rig.feed(did({ type: 'identify', name: null, at: T0 + SECOND, userId: '42' }));
    expect(await rig.poll(T0 + SECOND)).toMatchObject({ ids: [], seconds: 60 });
    expect(rig.told('hello')).toEqual(['eligible', 'refused identified']);
    rig.feed(claimed('ann', 'cio_1', T0 + SECOND));
    expect((await rig.show('hello', T0 + 2 * SECOND)).reason).toBe('identified');
  });

  test('a client that says who it is gets nothing either', async () => {
    rig.message('hello');
    expect((await rig.poll(T0, { user_id: '42' })).ids).toEqual([]);
  });

  test('a program that says what it is gets nothing', async () => {
    rig.message('hello');
    rig.feed(did({ at: T0, isBot: true }));
    expect((await rig.poll(T0)).ids).toEqual([]);
    expect(rig.told('hello')).toEqual(['eligible', 'refused bot']);
  });

  test('until a page is viewed in a browser: an order that a script sent in their name bars nobody for ever', async () => {
    rig.message('hello', { suppress: [] });
    rig.feed(viewed(SHOP, T0), did({ name: 'Order Completed', at: T0 + SECOND, isBot: true }));
    rig.feed(did({ at: T0 + MINUTE }));
    expect((await rig.poll(T0 + MINUTE)).ids).toEqual([]);
    rig.feed(viewed(SHOP, T0 + 2 * MINUTE));
    expect((await rig.poll(T0 + 2 * MINUTE)).ids).toEqual(['hello']);
  });

  test('nor does one whose poll alone says it', async () => {
    rig.message('hello');
    rig.feed(viewed(SHOP, T0));
    const headers = {
      'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    };
    const body = { message_id: 'hello', exposure: 'x', anonymous_id: 'ann', page: SHOP };
    const answer = await rig.post('/v1/in-app/shows', body, T0, headers);
    expect(answer.json()).toEqual({ show: false, reason: 'bot' });
  });

  test('a draft is not delivered, and a stopped one is not any more (spec E row 61)', async () => {
    rig.message('hello', { state: 'draft' });
    expect((await rig.poll(T0)).ids).toEqual([]);
    rig.message('hello');
    expect((await rig.poll(T0)).ids).toEqual(['hello']);
    rig.message('hello', { state: 'stopped' });
    expect((await rig.poll(T0)).ids).toEqual([]);
  });

  test('a schedule has a start, which counts, and an end, which does not (spec E row 60)', async () => {
    const [from, until] = [T0 + MINUTE, T0 + HOUR].map((at) => new Date(at).toISOString());
    rig.message('hello', { schedule: { from, until } });
    expect(await rig.poll(T0 + MINUTE - 1)).toMatchObject({ ids: [], seconds: 2 });
    expect((await rig.poll(T0 + MINUTE)).ids).toEqual(['hello']);
    expect((await rig.poll(T0 + HOUR - 1)).ids).toEqual(['hello']);
    expect((await rig.poll(T0 + HOUR)).ids).toEqual([]);
  });
});

describe('page rules (spec E rows 41, 51 and 52)', () => {
  const cases: [object[], string, boolean][] = [
    [[{ contains: 'pricing' }], `${SHOP}pricing?plan=1`, true],
    [[{ contains: 'pricing' }], `${SHOP}Pricing`, false],
    [[{ equals: `${SHOP}cart` }], `${SHOP}cart`, true],
    [[{ equals: '/cart' }], `${SHOP}cart?x=1`, true],
    [[{ equals: `${SHOP}cart` }], `${SHOP}cart/2`, false],
    [[{ equals: '/products/*/reviews' }], `${SHOP}products/boots/reviews`, true],
    [[{ equals: '/products/*/reviews' }], `${SHOP}products/reviews`, false],
    [[{ contains: 'a.c' }], `${SHOP}abc`, false],
    [[{ contains: 'sale' }, { equals: '/' }], SHOP, true],
    [[{ contains: 'sale' }, { equals: '/cart' }], SHOP, false],
  ];
  test.each(cases)('%j on %s: %s', async (pages, page, matches) => {
    rig.message('hello', { pages });
    expect((await rig.poll(T0, { page })).ids).toEqual(matches ? ['hello'] : []);
  });
});

describe('how often', () => {
  test('without a frequency on each page that matches, until it is dismissed (spec E rows 55 and 56)', async () => {
    rig.message('hello');
    for (let page = 0; page < 4; page += 1) {
      const at = T0 + page * MINUTE;
      rig.feed(viewed(SHOP, at));
      const { show, exposure } = await rig.show('hello', at + SECOND);
      expect(show).toBe(true);
      if (page === 3) expect(await rig.report('hello', exposure, at + 2 * SECOND)).toEqual({ taken: true });
    }
    rig.feed(viewed(SHOP, T0 + HOUR));
    expect((await rig.poll(T0 + HOUR)).ids).toEqual([]);
    expect(await rig.show('hello', T0 + HOUR)).toMatchObject({ show: false, reason: 'dismissed' });
  });

  test('a frequency of N is N times, and a dismissal ends it below N (spec E rows 54 and 56)', async () => {
    rig.message('twice', { frequency: { times: 2 } }).message('thrice', { frequency: { times: 3 } });
    for (const at of [T0, T0 + MINUTE]) {
      rig.feed(viewed(SHOP, at));
      expect((await rig.show('twice', at)).show).toBe(true);
    }
    rig.feed(viewed(SHOP, T0 + HOUR));
    expect((await rig.show('twice', T0 + HOUR)).reason).toBe('frequency');
    const { exposure } = await rig.show('thrice', T0 + HOUR);
    await rig.report('thrice', exposure, T0 + HOUR);
    expect((await rig.show('thrice', T0 + 2 * HOUR)).reason).toBe('dismissed');
  });

  test('a gap lies between one time and the next', async () => {
    rig.message('slow', { frequency: { times: 5, gap: 'PT1H' } });
    expect((await rig.show('slow', T0)).show).toBe(true);
    rig.feed(viewed(SHOP, T0 + MINUTE));
    expect((await rig.show('slow', T0 + HOUR - 1)).reason).toBe('frequency_gap');
    expect((await rig.show('slow', T0 + HOUR)).show).toBe(true);
  });

  test('always goes on after a click, and ends with a dismissal (spec E row 57)', async () => {
    rig.message('always', { frequency: { mode: 'always' } });
    for (let time = 0; time < 30; time += 1) {
      const { show, exposure } = await rig.show('always', T0 + time * MINUTE);
      expect(show).toBe(true);
      await rig.report('always', exposure, T0 + time * MINUTE, { event: 'clicked', action: 'go' });
    }
    const { exposure } = await rig.show('always', T0 + DAY);
    await rig.report('always', exposure, T0 + DAY);
    expect((await rig.show('always', T0 + 2 * DAY)).reason).toBe('dismissed');
  });

  test('who cleared their cache is a new visitor (spec E row 58)', async () => {
    rig.message('once', { frequency: { mode: 'once' } });
    expect((await rig.show('once', T0)).show).toBe(true);
    expect((await rig.show('once', T0 + HOUR)).show).toBe(false);
    expect((await rig.show('once', T0 + HOUR, { who: 'ann-again' })).show).toBe(true);
  });

  test('a cap a session holds until the session is over (spec E row 79)', async () => {
    rig.message('nudge', { caps: { session: 1 } });
    rig.feed(viewed(SHOP, T0));
    expect((await rig.show('nudge', T0)).show).toBe(true);
    rig.feed(viewed(SHOP, T0 + 20 * MINUTE));
    expect((await rig.show('nudge', T0 + 20 * MINUTE)).reason).toBe('session_cap');
    rig.feed(viewed(SHOP, T0 + 51 * MINUTE));
    expect((await rig.show('nudge', T0 + 51 * MINUTE)).show).toBe(true);
  });

  test('a cap a day holds over sessions, on the days of where the visitor is (spec E row 80)', async () => {
    rig.message('nudge', { caps: { day: 1 } });
    const timezone = 'America/Los_Angeles'; // noon UTC is four in the morning
    rig.feed(did({ at: T0, context: { timezone } }));
    expect((await rig.show('nudge', T0)).show).toBe(true);
    rig.feed(viewed(SHOP, T0 + 13 * HOUR)); // the next day in UTC
    expect((await rig.show('nudge', T0 + 13 * HOUR)).reason).toBe('day_cap');
    rig.feed(viewed(SHOP, T0 + 20 * HOUR));
    expect((await rig.show('nudge', T0 + 20 * HOUR)).show).toBe(true);
  });

  test('a cap of a group counts all of its messages, and a gap follows any message (spec E row 84)', async () => {
    rig
      .message('one', { caps: { day: 1, group: 'offers' } })
      .message('two', { caps: { day: 1, group: 'offers' } });
    rig.message('three', { caps: { gap: 'PT2H' } });
    expect((await rig.show('one', T0)).show).toBe(true);
    rig.feed(viewed(SHOP, T0 + MINUTE));
    expect((await rig.show('two', T0 + MINUTE)).reason).toBe('day_cap');
    expect((await rig.show('three', T0 + 2 * HOUR - 1)).reason).toBe('cap_gap');
    expect((await rig.show('three', T0 + 2 * HOUR)).show).toBe(true);
  });

  test('one at a time, whichever tab asks, until it is closed', async () => {
    rig.message('one').message('two', { priority: 1 });
    expect((await rig.poll(T0)).ids).toEqual(['two']);
    const { exposure } = await rig.show('two', T0);
    expect((await rig.show('one', T0 + SECOND)).reason).toBe('another_message');
    await rig.report('two', exposure, T0 + 2 * SECOND);
    expect((await rig.show('one', T0 + 3 * SECOND)).show).toBe(true);
  });

  test('a tooltip of an element that the page may not have keeps no other message from it', async () => {
    const tip = (element: string) => ({ kind: 'tooltip', element, title: 'Here' });
    rig.message('tip', { priority: 1, content: tip('#size') }).message('tip-2', { content: tip('#size') });
    rig.message('hello', { priority: 2 }).message('later', { priority: 3 });
    expect((await rig.poll(T0)).ids).toEqual(['tip', 'hello']);
    // The page has it: still one at a time.
    expect((await rig.show('tip', T0)).show).toBe(true);
    expect((await rig.show('hello', T0)).reason).toBe('another_message');
  });

  test('a snooze brings it back when its time is up', async () => {
    rig.message('later', { frequency: { mode: 'always' } });
    const { exposure } = await rig.show('later', T0);
    await rig.report('later', exposure, T0, { event: 'snoozed', minutes: 30 });
    expect(await rig.poll(T0 + 30 * MINUTE - 1)).toMatchObject({ ids: [], seconds: 2 });
    expect((await rig.poll(T0 + 30 * MINUTE)).ids).toEqual(['later']);
  });
});

describe('by what a visitor did', () => {
  const stall = {
    all: [
      { event: 'Added to Cart' },
      { not: { event: 'Added to Cart', within: 'PT10M' } },
      { not: { event: 'Checkout Started' } },
    ],
  };

  test('a cart without a checkout for ten minutes is offered at the first poll after it, to the second (spec E row 73)', async () => {
    rig.message('cart', { audience: stall });
    rig.feed(did({ at: T0 }), did({ at: T0, who: 'bob' }));
    rig.feed(did({ at: T0 + 599 * SECOND, who: 'bob', name: 'Checkout Started' }));
    expect(await rig.poll(T0 + 8 * MINUTE)).toMatchObject({ ids: [], seconds: 10 });
    expect(await rig.poll(T0 + 10 * MINUTE - 1)).toMatchObject({ ids: [], seconds: 2 });
    expect((await rig.poll(T0 + 10 * MINUTE)).ids).toEqual(['cart']);
    expect((await rig.poll(T0 + 10 * MINUTE, { who: 'bob' })).ids).toEqual([]);
  });

  test('a rule picks the visitor who did it and no other (spec E row 72)', async () => {
    rig.message('cart', { audience: { event: 'Added to Cart' } });
    rig.feed(did({ at: T0 }));
    expect((await rig.poll(T0)).ids).toEqual(['cart']);
    expect((await rig.poll(T0, { who: 'bob' })).ids).toEqual([]);
  });

  test('one, three and five product pages are told apart (spec E row 75)', async () => {
    const seen = (n: number) => ({ event: 'Product Viewed', count: { at_least: n } });
    rig
      .message('five', { priority: 1, audience: seen(5) })
      .message('three', { priority: 2, audience: seen(3) });
    rig.message('one', { priority: 3, audience: seen(1) });
    const best: string[] = [];
    for (let page = 0; page < 6; page += 1) {
      best.push(
        ...((await rig.poll(T0 + page)).ids.length === 0 ? ['none'] : (await rig.poll(T0 + page)).ids),
      );
      rig.feed(did({ at: T0 + page, name: 'Product Viewed', properties: { sku: `s${String(page)}` } }));
    }
    expect(best).toEqual(['none', 'one', 'one', 'three', 'three', 'five']);
  });

  test('what calls carry can be asked for, and "not on the first page" (spec E rows 76 and 81)', async () => {
    rig.message('tiktok', {
      audience: {
        all: [
          { attribute: 'utm_source', operator: 'eq', value: 'tiktok' },
          { attribute: 'session_page_views', operator: 'gt', value: 1 },
        ],
      },
    });
    const page = (at: number, who: string, source: string) =>
      did({ who, type: 'page', name: SHOP, at, context: { campaign: { source } } });
    rig.feed(page(T0, 'ann', 'tiktok'), page(T0, 'bob', 'search'), page(T0 + 1, 'bob', 'search'));
    expect((await rig.poll(T0 + 1)).ids).toEqual([]);
    rig.feed(page(T0 + 2, 'ann', 'tiktok'));
    expect((await rig.poll(T0 + 2)).ids).toEqual(['tiktok']);
    expect((await rig.poll(T0 + 2, { who: 'bob' })).ids).toEqual([]);
  });

  test('who comes back sees the message of their category (spec E row 77)', async () => {
    rig.message('boots', {
      audience: {
        all: [
          { attribute: 'returning', operator: 'eq', value: true },
          { attribute: 'category_affinity', operator: 'eq', value: 'boots' },
        ],
      },
    });
    const look = (category: string, at: number) =>
      did({ name: 'Product Viewed', at, properties: { sku: `${category}${String(at)}`, category } });
    rig.feed(look('hats', T0), look('boots', T0 + 1), look('boots', T0 + 2));
    expect((await rig.poll(T0 + 3)).ids).toEqual([]);
    rig.feed(viewed(SHOP, T0 + DAY));
    expect((await rig.poll(T0 + DAY)).ids).toEqual(['boots']);
  });

  test('who bought in any tab is left alone for a day (spec E row 82)', async () => {
    rig.message('cart', { audience: { event: 'Added to Cart' } });
    rig.feed(did({ at: T0 }));
    expect((await rig.poll(T0)).ids).toEqual(['cart']);
    rig.feed(did({ at: T0 + MINUTE, name: 'Order Completed', properties: { total: 10 } }));
    expect((await rig.poll(T0 + MINUTE)).ids).toEqual([]);
    expect((await rig.show('cart', T0 + MINUTE)).reason).toBe('suppressed');
    expect((await rig.show('cart', T0 + MINUTE + DAY)).show).toBe(true);
  });

  test('a workspace says for itself what suppresses a message', async () => {
    rig.message('cart', { suppress: [{ event: 'Booked', within: 'PT1H' }] });
    rig.feed(did({ at: T0, name: 'Order Completed' }));
    expect((await rig.poll(T0)).ids).toEqual(['cart']);
    rig.feed(did({ at: T0, name: 'Booked' }));
    expect((await rig.poll(T0 + HOUR - 1)).ids).toEqual([]);
    expect((await rig.poll(T0 + HOUR)).ids).toEqual(['cart']);
  });

  test('a text names the product last looked at, and the cart (spec E row 78)', async () => {
    rig.message('restock', {
      content: {
        kind: 'modal',
        title: 'Tell me when {{ last_item.name }} is back',
        html: '<b>{{ last_item.name }}</b> {{ cart.item_count }} for {{ cart.value }}',
        actions: [{ name: 'go', label: 'See it', url: '{{ last_item.url }}' }],
      },
    });
    const boots = { sku: 'b1', name: 'Boots <3', price: 10, url: 'https://shop.example/boots' };
    rig.feed(did({ name: 'Product Viewed', at: T0, properties: { ...boots } }));
    rig.feed(did({ at: T0, properties: { products: [{ ...boots, quantity: 2 }] } }));
    const { offered } = await rig.poll(T0);
    expect(offered[0]?.content).toMatchObject({
      title: 'Tell me when Boots <3 is back',
      html: '<b>Boots &lt;3</b> 2 for 20',
      actions: [{ name: 'go', label: 'See it', url: 'https://shop.example/boots', close: false }],
    });
    rig.feed(did({ name: 'Product Viewed', at: T0, properties: { ...boots, url: 'javascript:alert(1)' } }));
    const [again] = (await rig.poll(T0)).offered;
    expect(again?.content).toMatchObject({ actions: [{ name: 'go', label: 'See it', close: false }] });
    expect(JSON.stringify(again)).not.toContain('alert');
  });

  test('a segment is nothing that a visitor is in: the definition says so', async () => {
    const answer = await rig.server.inject({
      method: 'PUT',
      url: '/v1/definitions/messages/m',
      headers: { authorization: 'Bearer appkey' },
      payload: {
        name: 'm',
        state: 'draft',
        audience: { segment: 's' },
        content: { kind: 'modal', title: 'x' },
      },
    });
    expect(answer.json()).toMatchObject({ errors: [{ pointer: '/audience', code: 'unknown_value' }] });
  });
});

describe('arms', () => {
  test('a holdout never sees it, and both arms and the refused add up to who was eligible (spec E row 94)', async () => {
    rig.message('half', { holdout: 0.5, frequency: { mode: 'once' } });
    for (let visitor = 0; visitor < 200; visitor += 1) {
      const who = `visitor-${String(visitor)}`;
      const { ids } = await rig.poll(T0, { who });
      if (ids.length > 0) await rig.show('half', T0, { who });
    }
    const count = (event: string) => rig.events('half').filter((one) => one.event === event).length;
    expect(count('shown') + count('held_out') + count('refused')).toBe(count('eligible'));
    expect(count('eligible')).toBe(200);
    expect(count('held_out')).toBeGreaterThan(70);
    expect(count('held_out')).toBeLessThan(130);
  });

  test('who is held out is told so, and how to see it all the same', async () => {
    rig.message('none', { holdout: 1 });
    expect((await rig.why('none', T0)).json()).toMatchObject({
      ...{ outcome: 'held_out', reason: 'held_out', says: expect.stringContaining('"holdout": 0') },
      checks: expect.arrayContaining([
        { check: 'held_out', ok: false, says: expect.stringContaining('always the same') },
      ]),
    });
  });

  test('variants share by weight, and a visitor keeps theirs (spec E row 97)', async () => {
    const content = { kind: 'modal', title: 'x' };
    const variants = [
      { id: 'a', weight: 3, content },
      { id: 'b', weight: 1, content },
    ];
    rig.message('ab', { content: undefined, variants, frequency: { mode: 'always' } });
    const seen = { a: 0, b: 0 };
    for (let visitor = 0; visitor < 200; visitor += 1) {
      const who = `visitor-${String(visitor)}`;
      const { variant } = await rig.show('ab', T0, { who });
      expect((await rig.poll(T0 + DAY, { who })).offered[0]?.variant).toBe(variant);
      seen[variant as 'a' | 'b'] += 1;
    }
    expect(seen.a + seen.b).toBe(200);
    expect(seen.b).toBeGreaterThan(25);
    expect(seen.b).toBeLessThan(75);
  });
});

test('a poll that would be answered the same is answered 304', async () => {
  rig.message('hello');
  const { response } = await rig.poll(T0);
  const etag = String(response.headers.etag);
  const again = await rig.server.inject({
    method: 'GET',
    url: '/v1/in-app/queue',
    query: { site_id: 'site_123', anonymous_id: 'ann', page: SHOP },
    headers: {
      'if-none-match': etag,
      'user-agent': VISITORS_AGENT,
      'x-hindsight-received-at': new Date(T0).toISOString(),
    },
  });
  expect(again.statusCode).toBe(304);
});

test('consent that is withdrawn erases the visitor, until it is given again', async () => {
  rig.message('cart', { audience: { event: 'Added to Cart' } });
  rig.feed(did({ at: T0 }));
  expect((await rig.poll(T0)).ids).toEqual(['cart']);
  const consent = (given: boolean, at: number) =>
    rig.post('/v1/in-app/consent', { anonymous_id: 'ann', consent: given }, at);
  expect((await consent(false, T0)).json()).toEqual({ taken: true });
  rig.feed(did({ at: T0 + 1 }));
  expect((await rig.poll(T0 + 1)).ids).toEqual([]);
  const stored = rig.harness.stores.keyed.scan('v:', 'w:', 10).map(([, value]) => value.subarray(4));
  const nothingElse = { ...newVisitor('ann'), lastAt: T0, hasWithdrawn: true };
  expect(stored.map((bytes) => visitorFrom(bytes, 'ann'))).toEqual([nothingElse]);
  await consent(true, T0 + 2);
  expect((await rig.poll(T0 + 2)).ids).toEqual([]);
  rig.feed(did({ at: T0 + 3 }));
  expect((await rig.poll(T0 + 3)).ids).toEqual(['cart']);
});
