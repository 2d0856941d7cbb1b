/** A whole installation, a shop with its snippets on an origin of its own, and Chromium in front: what a visitor has. */
import { startStack, type Stack } from '../stack.ts';
import { StackCalls } from '../stack-calls.ts';
import { chromiumBrowser, type ChromiumBrowser } from './chromium-browser.ts';
import { analyticsSnippet, classicSnippet, openShop, type ShopPages } from './shop-pages.ts';
import { WatchedPage } from './watched-page.ts';

const BODY = `<main><h1>Shop</h1><a href="#boots">Boots</a> <button id="buy">Buy</button><div id="slot"></div></main>`;
const BUTTON = { actions: [{ name: 'go', label: 'To the sale', url: '#sale' }] };
/** Customer.io's own plugin: its queue, its realtime and its renderer, compiled in (spec B). */
const pluginPorts = [3010, 3009, 9998];

export class ShopStack {
  readonly stack: Stack;
  readonly calls: StackCalls;
  readonly browser: ChromiumBrowser;
  readonly #shop: ShopPages;
  readonly #visitors: WatchedPage[] = [];
  #now = Date.now();

  private constructor(stack: Stack, browser: ChromiumBrowser, shop: ShopPages) {
    this.stack = stack;
    this.calls = new StackCalls(stack);
    this.browser = browser;
    this.#shop = shop;
  }

  /** @param program Chromium. */
  static async open(program: string): Promise<ShopStack> {
    const stack = await startStack({ env: { HINDSIGHT_TEST_CLOCK: 'on' } });
    const port = Number(new URL(stack.http).port);
    const localhost = Object.fromEntries(pluginPorts.map((from) => [from, port]));
    const [browser, shop] = await Promise.all([
      chromiumBrowser(program, { localhost }),
      openShop(snippetsOf(stack), {
        js: BODY,
        classic: BODY,
        silent: BODY,
        plugin: BODY,
        'plugin-silent': BODY,
      }),
    ]);
    const opened = new ShopStack(stack, browser, shop);
    await opened.passes(0);
    return opened;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.#shop.close();
    await this.stack.stop();
  }

  /** Somebody who has never been here; of the test that is running. */
  async visitor(): Promise<WatchedPage> {
    const opened = await WatchedPage.open(this.browser);
    this.#visitors.push(opened);
    return opened;
  }

  /** At the end of a test: their pages ask nothing any more. */
  async leave(): Promise<void> {
    for (const visitor of this.#visitors.splice(0)) await visitor.close();
  }

  /** `/js/cart` of the shop; the first segment says which snippet the page has. */
  url(path: string): string {
    return `${this.#shop.url}${path}`;
  }

  /** Puts a message in force. It runs, and is a modal with one button, unless said otherwise. */
  async message(id: string, rest: object = {}): Promise<void> {
    const content = { kind: 'modal', title: id, ...BUTTON };
    const answer = await this.calls.app('PUT', `/v1/definitions/messages/${id}`, {
      name: id,
      state: 'running',
      content,
      ...rest,
    });
    if (answer.status !== 200) throw new Error(`could not put ${id}: ${JSON.stringify(answer)}`);
  }

  /** The clock of the whole installation goes on; browsers have their own. */
  async passes(ms: number): Promise<void> {
    this.#now += ms;
    const answer = await this.calls.app('PUT', '/v1/test-clock', { now: new Date(this.#now).toISOString() });
    if (answer.status !== 200) throw new Error(`could not set the clock: ${JSON.stringify(answer)}`);
  }

  /** Goes there a second later, and everything has been taken in that was told of it. */
  async goes(visitor: WatchedPage, path: string): Promise<void> {
    await this.passes(1_000);
    await visitor.goto(this.url(path));
  }

  /**
   * The messages that the queue offers a page once all has been taken in that it told so far: an event that no rule asks
   * for has it ask again.
   */
  async offers(visitor: WatchedPage): Promise<readonly string[]> {
    await this.calls.settled();
    const next = visitor.offered();
    await visitor.does(`window.analytics?.user ? analytics.track('Looked') : _cio.track('Looked')`);
    return next;
  }

  /** What analysts find of a message, as `event`, `event reason` or `event action`, in the order of its times, of a visitor if one is named. */
  async told(messageId: string, anonymousId?: string): Promise<readonly string[]> {
    await this.calls.settled();
    const whose = anonymousId === undefined ? '' : `AND anonymous_id = '${anonymousId}'`;
    const rows = await this.calls.rows(
      `SELECT event, coalesce(reason, action, '') FROM message_events WHERE message_id = '${messageId}' ${whose} ORDER BY at, event = 'eligible' DESC, event`,
    );
    return rows.map((row) => row.join(' ').trim());
  }
}

function snippetsOf(stack: Stack): Readonly<Record<string, string>> {
  const { site_id: siteId, browser_key: key } = stack.credentials.default;
  const js = analyticsSnippet(stack.http, key, siteId);
  const plugin = js.replace('anonymousInApp: true', `anonymousInApp: true, enabled: true, _env: "local"`);
  const silent = (snippet: string) => snippet.replace('anonymousInApp: true', 'anonymousInApp: false');
  const script = `<script async src="${stack.http}/v1/plugins/in-app.js" data-site-id="${siteId}"></script>`;
  return {
    js,
    silent: silent(js),
    plugin,
    'plugin-silent': silent(plugin),
    classic: classicSnippet(stack.http, key) + script,
  };
}
