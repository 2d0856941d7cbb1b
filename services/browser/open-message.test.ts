/** A message that is on the screen when the page is left and comes back, or when another tab names the visitor. In jsdom. */
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Visitor } from '../testing/browsers/browser.ts';
import { fakeQueue, type FakeQueue } from '../testing/browsers/fake-queue.ts';
import { jsdomBrowser } from '../testing/browsers/jsdom-browser.ts';
import { classicSnippet, openShop, type ShopPages } from '../testing/browsers/shop-pages.ts';
import { eventually } from '../testing/eventually.ts';
import { siteId, testServer, writeKey, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
let queue: FakeQueue;
let shop: ShopPages;
let visitor: Visitor;

/** Of the renderer only what is open matters here, and jsdom draws nothing. */
const renderer = `<script>
  window.open_ = [];
  window.hindsightRenderer = {
    hasPlace: () => true,
    show: (content) => {
      const one = { isOpen: () => open_.includes(one), close: () => open_.splice(open_.indexOf(one), 1) };
      open_.push(one);
      return one;
    },
  };
</script>`;
const open = async () => await visitor.evaluate('open_.length');

beforeEach(async () => {
  under = testServer();
  await under.server.listen({ host: '127.0.0.1', port: 0 });
  queue = await fakeQueue((under.server.server.address() as AddressInfo).port); // it listens on a port
  queue.offers = [{ message_id: 'hello', version: 1, variant: 'a', content: { kind: 'modal' } }];
  const client = `<script async src="${queue.url}/v1/plugins/in-app.js" data-site-id="${siteId}" data-signals="off"></script>`;
  shop = await openShop({ classic: renderer + classicSnippet(queue.url, writeKey) + client });
  visitor = await jsdomBrowser().visitor();
  await visitor.goto(`${shop.url}/classic/`);
  await eventually(async () => (await open()) === 1);
});
afterEach(async () => {
  await visitor.close();
  await shop.close();
  await queue.close();
  await under.server.close();
});

test('is gone when the visitor has been named in another tab, at the next poll', async () => {
  await visitor.evaluate(`document.cookie = '_cioid=ada; path=/'`);
  await eventually(async () => (await open()) === 0);
  const { length } = queue.polls;
  await visitor.evaluate('new Promise((done) => setTimeout(done, 1500))'); // a poll, if there were one
  expect([await open(), queue.polls.length, queue.reports]).toEqual([0, length, []]);
});

test('is gone when the page comes back by Back, and is decided anew', async () => {
  await visitor.evaluate(`dispatchEvent(new Event('pagehide'))`);
  expect(await open()).toBe(0);
  queue.refusal = 'dismissed';
  await visitor.evaluate(`dispatchEvent(new Event('pageshow'))`);
  await eventually(() => queue.shows.length === 2);
  expect([await open(), queue.reports]).toEqual([0, []]);
});
