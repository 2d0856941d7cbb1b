/** On-site messages in Chromium: the client and what draws it, against a queue that offers what the test puts up. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  chromiumBrowser,
  type ChromiumBrowser,
  type ChromiumVisitor,
} from '../testing/browsers/chromium-browser.ts';
import { fakeQueue, type FakeQueue } from '../testing/browsers/fake-queue.ts';
import { findChromium } from '../testing/browsers/find-chromium.ts';
import { messagePlaces } from '../testing/browsers/message-places.ts';
import {
  analyticsSnippet,
  classicSnippet,
  openShop,
  type ShopPages,
} from '../testing/browsers/shop-pages.ts';
import { eventually } from '../testing/eventually.ts';
import { siteId, testServer, workspace, writeKey, type TestServer } from '../testing/gateway-server.ts';

const program = findChromium();
const inChromium = program === undefined ? describe.skip : describe;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const BODY = `<style>a { color: inherit }</style><main><h1>Shop</h1><a id="first" href="#boots">Boots</a><button id="buy">Buy</button><div id="slot"></div></main>`;
const HOST = `document.querySelector('[data-hindsight-message]')`;
const IN = (selector: string) => `${HOST}.shadowRoot.querySelector(${JSON.stringify(selector)})`;
const isThere = `${HOST} !== null`;

let browser: ChromiumBrowser;
let under: TestServer;
let queue: FakeQueue;
let shop: ShopPages;
let visitor: ChromiumVisitor;

const offer = (content: object, id = 'hello') => ({ message_id: id, version: 1, variant: 'a', content });
const texts = {
  title: 'Ten percent off',
  body: 'For your first pair of boots.',
  actions: [
    { name: 'look', label: 'Look at boots', url: '#boots' },
    { name: 'no', label: 'No, thank you', close: true },
  ],
};
const events = () => under.sent.events.map(({ value }) => value);
const comes = (expression: string) =>
  eventually(async () => (await visitor.evaluate(`Boolean(${expression})`)) === true);
const press = async (key: string, code = 0) => {
  const of = { key, code: key, windowsVirtualKeyCode: code };
  await visitor.call('Input.dispatchKeyEvent', { type: 'keyDown', ...of });
  await visitor.call('Input.dispatchKeyEvent', { type: 'keyUp', ...of });
};
const escape = () => press('Escape', 27);

inChromium('on-site messages in Chromium', () => {
  beforeAll(async () => {
    browser = await chromiumBrowser(program ?? '');
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    under = testServer();
    await under.server.listen({ host: '127.0.0.1', port: 0 });
    queue = await fakeQueue((under.server.server.address() as AddressInfo).port); // it listens on a port
    const script = `<script async src="${queue.url}/v1/plugins/in-app.js" data-site-id="${siteId}"></script>`;
    const analytics = analyticsSnippet(queue.url, writeKey);
    const snippets = {
      js: analytics,
      silent: analytics.replace('anonymousInApp: true', 'anonymousInApp: false'),
      consent: analytics.replace(
        'anonymousInApp: true',
        'anonymousInApp: true, consent: true, signals: false',
      ),
      classic: classicSnippet(queue.url, writeKey) + script,
    };
    shop = await openShop(snippets, Object.fromEntries(Object.keys(snippets).map((name) => [name, BODY])));
    visitor = await browser.visitor();
  });
  afterEach(async () => {
    await visitor.close();
    await shop.close();
    await queue.close();
    await under.server.close();
  });

  describe.each(['js', 'classic'])('by the snippet %s', (snippet) => {
    test('E row 48: it polls for the visitor and the page, asks again, shows, and a click is reported', async () => {
      queue.offers = [offer({ kind: 'overlay', ...texts })];
      await visitor.goto(`${shop.url}/${snippet}/boots`);
      await comes(isThere);
      await eventually(() => events().length > 0);
      const [show] = queue.shows;
      expect(queue.shows).toHaveLength(1);
      expect(show).toMatchObject({
        site_id: snippet === 'js' ? 'site' : siteId,
        anonymous_id: events()[0]?.anonymous_id,
        message_id: 'hello',
        variant: 'a',
        page: `${shop.url}/${snippet}/boots`,
        path: `/${snippet}/boots`,
      });
      await visitor.evaluate(`${IN('a.button')}.click()`);
      await eventually(() => queue.reports.length === 1);
      expect(queue.reports[0]).toMatchObject({
        event: 'clicked',
        action: 'look',
        exposure: show?.['exposure'],
      });
      expect(await visitor.evaluate(isThere)).toBe(false);
    });

    test('E row 50: who was identified after the offer is shown nothing more, and is not polled for', async () => {
      queue.offers = [offer({ kind: 'modal', ...texts })];
      await visitor.goto(`${shop.url}/${snippet}/`);
      await comes(isThere);
      const global = snippet === 'js' ? 'analytics' : '_cio';
      const who = snippet === 'js' ? `'ada', {}` : `{ id: 'ada' }`;
      await visitor.evaluate(`${global}.identify(${who}), 0`);
      await comes(`${HOST} === null`);
      await visitor.evaluate('new Promise((done) => setTimeout(done, 300))'); // a poll that is under way
      const { length } = queue.polls;
      await visitor.evaluate('new Promise((done) => setTimeout(done, 2500))'); // two polls, if there were any
      expect(queue.polls).toHaveLength(length);
      expect(await visitor.evaluate(isThere)).toBe(false);
    });

    test('E row 87: a form takes an email, which identifies under the same anonymous id, and gives the code', async () => {
      const form = { fields: ['email', 'shoe_size'], submit: 'Get the code' };
      const actions = [
        { name: 'terms', label: 'Terms', url: '/terms' },
        { name: 'no', label: 'No, thank you', close: true },
      ];
      queue.offers = [offer({ kind: 'modal', title: 'A code for you', form, coupon: 'BOOTS10', actions })];
      await visitor.goto(`${shop.url}/${snippet}/`);
      await comes(isThere);
      await visitor.evaluate(
        `${IN('input[name=email]')}.value = 'ada@shop.example', ${IN('input[name=shoe_size]')}.value = '38', ${IN('form')}.requestSubmit(), 0`,
      );
      await eventually(() => events().some(({ type }) => type === 'identify'));
      await eventually(() => events().some(({ name }) => name === 'Message Answered'));
      const identify = events().find(({ type }) => type === 'identify');
      expect(identify).toMatchObject({ email: 'ada@shop.example', anonymous_id: events()[0]?.anonymous_id });
      expect(queue.reports).toMatchObject([{ event: 'submitted', message_id: 'hello' }]);
      expect(await visitor.evaluate(`${IN('code')}.textContent`)).toBe('BOOTS10');
      expect(await visitor.evaluate(`${IN('[role=status]')}.textContent`)).toBe('Thank you.');
      // Who has answered is not asked for "no" any more, and does not dismiss what thanks them.
      const labels = `[...${HOST}.shadowRoot.querySelectorAll('.button')].map(({ textContent }) => textContent)`;
      expect(await visitor.evaluate(labels)).toEqual(['Copy code', 'Terms']);
      await visitor.evaluate(`${IN('.close')}.click(), 0`);
      await comes(`${HOST} === null`);
      expect(queue.reports).toHaveLength(1);
    });
  });

  test('E row 46: a page that does not ask for anonymous messages polls for nobody', async () => {
    queue.offers = [offer({ kind: 'modal', ...texts })];
    await visitor.goto(`${shop.url}/silent/`);
    await eventually(() => events().length > 0);
    await visitor.evaluate('new Promise((done) => setTimeout(done, 1500))');
    expect(queue.polls).toEqual([]);
  });

  test('what is refused at the moment of showing is not shown, nor is what has no place on the page', async () => {
    queue.refusal = 'identified';
    queue.offers = [
      offer({ kind: 'inline', element: '#nowhere', ...texts }, 'lost'),
      offer({ kind: 'modal', ...texts }),
    ];
    await visitor.goto(`${shop.url}/js/`);
    await eventually(() => queue.shows.length > 0);
    await eventually(() => queue.polls.length > 2);
    expect(await visitor.evaluate(isThere)).toBe(false);
    expect(queue.shows.map(({ message_id }) => message_id)).not.toContain('lost');
  });

  test('an answer that the browser has already is asked for by its tag, and comes as 304', async () => {
    await visitor.goto(`${shop.url}/js/`);
    await eventually(() => queue.polls.length >= 3);
    expect(queue.polls.at(-1)).toMatchObject({ isTagged: true, status: 304 });
  });

  test('a modal has the focus, keeps it, closes by Escape, and gives it back', async () => {
    await visitor.goto(`${shop.url}/js/`);
    await visitor.evaluate(`document.getElementById('buy').focus()`);
    queue.offers = [offer({ kind: 'modal', ...texts })];
    await comes(isThere);
    for (let presses = 0; presses < 8; presses++) {
      await press('Tab', 9);
      const place = await visitor.evaluate(
        `document.activeElement === ${HOST} || document.activeElement === document.body`,
      );
      expect(place).toBe(true);
    }
    await escape();
    await comes(`${HOST} === null`);
    expect(await visitor.evaluate('document.activeElement.id')).toBe('buy');
    await eventually(() => queue.reports.length === 1);
    expect(queue.reports[0]).toMatchObject({ event: 'dismissed' });
  });

  test('an overlay takes no focus; with the focus in it Escape closes it and gives it back', async () => {
    await visitor.goto(`${shop.url}/js/`);
    await visitor.evaluate(`document.getElementById('buy').focus()`);
    queue.offers = [offer({ kind: 'overlay', ...texts })];
    await comes(isThere);
    expect(await visitor.evaluate('document.activeElement.id')).toBe('buy');
    await visitor.evaluate(`${IN('.close')}.focus()`);
    await escape();
    await comes(`${HOST} === null`);
    expect(await visitor.evaluate('document.activeElement.id')).toBe('buy');
  });

  test('E row 67: a message has the colours, the letters and the corners that the shop gives it', async () => {
    const look = {
      '--hindsight-accent': 'rgb(120, 0, 60)',
      '--hindsight-on-accent': 'rgb(255, 250, 240)',
      '--hindsight-background': 'rgb(255, 240, 245)',
      '--hindsight-text': 'rgb(40, 0, 20)',
      '--hindsight-font': '18px serif',
      '--hindsight-radius': '3px',
    };
    queue.offers = [offer({ kind: 'modal', ...texts })];
    await visitor.goto(`${shop.url}/js/`);
    for (const [name, value] of Object.entries(look)) {
      await visitor.evaluate(`document.documentElement.style.setProperty('${name}', '${value}')`);
    }
    await comes(isThere);
    const styles = (selector: string, names: readonly string[]) =>
      visitor.evaluate(
        `((styles) => ${JSON.stringify(names)}.map((name) => styles.getPropertyValue(name)))(getComputedStyle(${IN(selector)}))`,
      );
    const names = ['background-color', 'color', 'font-size', 'font-family', 'border-top-left-radius'];
    expect(await styles('.message', names)).toEqual([
      'rgb(255, 240, 245)',
      'rgb(40, 0, 20)',
      '18px',
      'serif',
      '3px',
    ]);
    expect(await styles('a.button', ['background-color', 'color'])).toEqual([
      'rgb(120, 0, 60)',
      'rgb(255, 250, 240)',
    ]);
  });

  test('html is cleaned, and nothing in it runs', async () => {
    const html = `<p onclick="top.bad=1">Hello <a href="/sale">sale</a><script>top.bad=1</script><img src="x" onerror="top.bad=1"><a href="javascript:top.bad=1">x</a></p>`;
    queue.offers = [offer({ kind: 'modal', title: 'Html', html })];
    await visitor.goto(`${shop.url}/js/`);
    const frame = IN('iframe');
    await comes(isThere);
    await comes(`${frame}?.contentDocument?.querySelector('p')`);
    const inside = String(await visitor.evaluate(`${frame}.contentDocument.body.innerHTML`));
    expect(inside).toContain('<a href="/sale" rel="noopener" target="_top">sale</a>');
    expect(inside).not.toMatch(/onclick|onerror|script/);
    expect(await visitor.evaluate(`${frame}.sandbox.contains('allow-scripts')`)).toBe(false);
    expect(await visitor.evaluate('window.bad === undefined')).toBe(true);
    await eventually(async () => Number(await visitor.evaluate(`${frame}.offsetHeight`)) > 20);
  });

  test('two tabs of one page share a poll, and the second goes on when the first is gone', async () => {
    const locks = `navigator.locks.query().then(({ held, pending }) => [held.length, pending.length])`;
    const second = await visitor.tab();
    for (const each of [visitor, second]) {
      await each.call('Emulation.setFocusEmulationEnabled', { enabled: true }); // both are looked at
      await each.goto(`${shop.url}/classic/`);
    }
    await eventually(async () => JSON.stringify(await second.evaluate(locks)) === '[1,1]');
    queue.offers = [offer({ kind: 'banner', ...texts })];
    // Whichever polls, both hear of it; the server decides which may show.
    await eventually(() => queue.shows.length === 2);
    await visitor.goto('about:blank');
    await eventually(async () => JSON.stringify(await second.evaluate(locks)) === '[1,0]');
    const { length } = queue.polls;
    await eventually(() => queue.polls.length > length);
  });

  test('before consent nothing leaves; then it is sent with its own times, and a withdrawal is told', async () => {
    await visitor.goto(`${shop.url}/consent/`);
    await comes(`window.hindsightInApp && analytics.initialized`);
    await visitor.evaluate(`analytics.track('Looked'), 0`);
    await comes(`(localStorage['hindsight.held'] ?? '').includes('Looked')`);
    await visitor.evaluate('new Promise((done) => setTimeout(done, 1500))');
    expect([events(), queue.polls]).toEqual([[], []]);
    const held = `JSON.parse(localStorage['hindsight.held'])[0].events`;
    const times = await visitor.evaluate(`${held}.map(({ timestamp }) => Date.parse(timestamp))`);
    await visitor.evaluate('hindsightInApp.consent(true)');
    await eventually(() => events().some(({ name }) => name === 'Consent Given') && queue.polls.length > 0);
    const sent = events().filter(({ name }) => name !== 'Consent Given');
    expect(sent.map(({ type }) => type)).toEqual(['page', 'event']);
    expect(sent.map(({ timestamp }) => timestamp)).toEqual(times);
    expect(await visitor.evaluate(`localStorage['hindsight.held'] === undefined`)).toBe(true);
    await visitor.evaluate('hindsightInApp.consent(false)');
    await visitor.evaluate(`analytics.track('Unseen'), 0`);
    await eventually(() => queue.consents.length === 2);
    expect(queue.consents.map(({ consent }) => consent)).toEqual([true, false]);
    await visitor.evaluate('new Promise((done) => setTimeout(done, 500))');
    expect(events().some(({ name }) => name === 'Unseen')).toBe(false);
  });

  test.each(['js', 'silent', 'classic'])(
    'a workspace that asks for consent has it from every page, whatever its snippet %s says',
    async (snippet) => {
      const consent = { required: true, events_max: 2, days_max: 1 };
      await under.definitions.put('workspace', workspace, workspace, { body: { consent } });
      queue.offers = [offer({ kind: 'modal', ...texts })];
      await visitor.goto(`${shop.url}/${snippet}/`);
      await comes(
        snippet === 'classic' ? 'window._cio?.isRunning' : 'window.hindsightInApp && analytics.initialized',
      );
      const track = (name: string) =>
        visitor.evaluate(`${snippet === 'classic' ? '_cio' : 'analytics'}.track('${name}'), 0`);
      for (const name of ['One', 'Two', 'Three']) await track(name);
      await visitor.evaluate('new Promise((done) => setTimeout(done, 2500))'); // two polls, if there were any
      expect([events(), queue.polls, queue.consents]).toEqual([[], [], []]);
      // The next page knows it still, and what waits.
      await visitor.goto(`${shop.url}/${snippet}/next`);
      await comes(`window.hindsightInApp && window.${snippet === 'classic' ? '_cio' : 'analytics'}`);
      await visitor.evaluate('new Promise((done) => setTimeout(done, 500))');
      await visitor.evaluate('hindsightInApp.consent(true)');
      await eventually(() => events().some(({ name }) => name === 'Consent Given'));
      await eventually(() => events().length >= 3);
      expect(
        events()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(['Consent Given', 'Three', `${shop.url}/${snippet}/next`]);
      const given = events().find(({ name }) => name === 'Consent Given');
      expect(JSON.parse(given?.properties ?? '')).toMatchObject({ sent: 2, left_out_by_count: 3 });
      if (snippet === 'silent') expect(queue.polls).toEqual([]);
      else await eventually(() => queue.polls.length > 0);
      await visitor.evaluate('hindsightInApp.consent(false)');
      await eventually(() => queue.consents.length === 2);
      expect(
        queue.consents.map((each) => [each['write_key'], each['consent'], each['anonymous_id']]),
      ).toEqual([true, false].map((each) => [writeKey, each, events()[0]?.anonymous_id]));
    },
  );

  const form = { fields: ['email'], submit: 'Tell me' };

  test.each(messagePlaces)(
    'E row 96: $kind $position fits two screens, and axe finds nothing in two schemes',
    async (place) => {
      queue.offers = [offer({ ...place, ...texts, form })];
      const finds: unknown[] = [];
      await visitor.goto(`${shop.url}/js/`);
      await comes(isThere);
      await visitor.evaluate(`${axe}; 0`);
      for (const [width, height] of [
        [360, 640],
        [1280, 800],
      ]) {
        await visitor.call('Emulation.setDeviceMetricsOverride', {
          width,
          height,
          deviceScaleFactor: 1,
          mobile: false,
        });
        for (const scheme of ['light', 'dark']) {
          const features = [
            { name: 'prefers-color-scheme', value: scheme },
            { name: 'prefers-reduced-motion', value: 'reduce' },
          ];
          await visitor.call('Emulation.setEmulatedMedia', { features });
          const style = `document.documentElement.style.colorScheme='${scheme}', new Promise((done) => setTimeout(done, 250))`;
          await visitor.evaluate(style);
          const run = `axe.run(document, { iframes: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join()))`;
          const fits = `(({ left, top, right, bottom }) => [left >= 0, top >= 0, right <= innerWidth, bottom <= innerHeight])(${IN('.message')}.getBoundingClientRect())`;
          finds.push([width, scheme, await visitor.evaluate(run), await visitor.evaluate(fits)]);
        }
      }
      const clean = [[], [true, true, true, true]];
      expect(finds).toEqual([
        [360, 'light', ...clean],
        [360, 'dark', ...clean],
        [1280, 'light', ...clean],
        [1280, 'dark', ...clean],
      ]);
    },
  );
});
