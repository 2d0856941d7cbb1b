/**
 * `npm run screenshot -- messages`: a message in each place on two screens, in light and dark, as contact sheets for
 * docs/on-site.md. Our client and renderer in Chromium, on a page of a shop, against a queue that offers it. Needs Chromium.
 */
import { writeFileSync } from 'node:fs';
import {
  chromiumBrowser,
  type ChromiumBrowser,
  type ChromiumVisitor,
} from '../services/testing/browsers/chromium-browser.ts';
import { fakeQueue, type FakeQueue } from '../services/testing/browsers/fake-queue.ts';
import { messagePlaces, type MessagePlace } from '../services/testing/browsers/message-places.ts';
import { analyticsSnippet, openShop } from '../services/testing/browsers/shop-pages.ts';
import { eventually } from '../services/testing/eventually.ts';
import { testServer, writeKey } from '../services/testing/gateway-server.ts';

const folder = new URL('../docs/images/', import.meta.url);
const screens = [
  { name: 'phone', width: 360, height: 640, scale: 0.4, columns: 9 },
  { name: 'desktop', width: 1_280, height: 800, scale: 0.2, columns: 5 },
] as const;
const schemes = ['light', 'dark'] as const;
type Screen = (typeof screens)[number];
type Scheme = (typeof schemes)[number];

const product = '<div class="product"><i></i><b>Winter boots</b><span>129.90 EUR</span></div>';
const body = `<style>
  :root { color-scheme: light dark }
  body { margin: 0; font: 16px/1.4 sans-serif }
  header { padding: 14px 24px; background: light-dark(#eceff3, #23272e); font-weight: 700 }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 20px; padding: 24px }
  i { display: block; height: 120px; border-radius: 8px; background: light-dark(#dfe4ea, #333a44) }
  .product { display: grid; gap: 4px }
  #slot, #row { grid-column: 1 / -1 }
  #row { text-align: center }
  #buy { padding: 12px 24px; font: inherit }
</style><header>The shop</header><main><div id="slot"></div>${product.repeat(2)}<div id="row"><button id="buy">Buy</button></div>${product.repeat(10)}</main>`;

const content = {
  title: 'Still thinking of the boots?',
  body: 'Leave your email, and take ten percent off.',
  form: { fields: ['email'], submit: 'Send me the code' },
  actions: [{ name: 'no', label: 'Not now', close: true }],
};
const isThere = `document.querySelector('[data-hindsight-message]') !== null`;

interface Picture {
  readonly place: MessagePlace;
  readonly png: string;
}

export async function pictureMessages(program: string): Promise<void> {
  const { server } = testServer();
  const port = Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port);
  const queue = await fakeQueue(port);
  const snippet = analyticsSnippet(queue.url, writeKey);
  const shop = await openShop({ shop: snippet }, { shop: body });
  const browser = await chromiumBrowser(program);
  for (const screen of screens) {
    for (const scheme of schemes) {
      const pictures: Picture[] = [];
      for (const place of messagePlaces) {
        pictures.push({
          place,
          png: await picture(browser, queue, `${shop.url}/shop/`, { place, screen, scheme }),
        });
      }
      const file = `messages-${screen.name}-${scheme}.png`;
      const sheet = await sheetOf(browser, pictures, { screen, scheme });
      writeFileSync(new URL(file, folder), sheet);
      console.log(
        `docs/images/${file}: ${String(pictures.length)} places, ${(sheet.length / 1_000).toFixed(0)} kB`,
      );
    }
  }
  await browser.close();
  await shop.close();
  await queue.close();
  await server.close();
}

interface Of {
  readonly screen: Screen;
  readonly scheme: Scheme;
}

async function picture(
  browser: ChromiumBrowser,
  queue: FakeQueue,
  url: string,
  { place, screen, scheme }: Of & { readonly place: MessagePlace },
): Promise<string> {
  queue.offers = [{ message_id: 'hello', version: 1, variant: 'a', content: { ...content, ...place } }];
  const visitor = await browser.visitor();
  await looks(visitor, { screen, scheme });
  await visitor.goto(url);
  await eventually(async () => (await visitor.evaluate(isThere)) === true);
  await visitor.evaluate('new Promise((done) => setTimeout(done, 300))'); // until it has found its place
  const { width, height, scale } = screen;
  const clip = { x: 0, y: 0, width, height, scale };
  const { data } = await visitor.call('Page.captureScreenshot', { format: 'png', clip });
  await visitor.close();
  return String(data);
}

async function looks(visitor: ChromiumVisitor, { screen: { width, height }, scheme }: Of): Promise<void> {
  await visitor.call('Emulation.setDeviceMetricsOverride', {
    width,
    height,
    deviceScaleFactor: 1,
    mobile: false,
  });
  await visitor.call('Emulation.setScrollbarsHidden', { hidden: true });
  const features = [
    { name: 'prefers-color-scheme', value: scheme },
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ];
  await visitor.call('Emulation.setEmulatedMedia', { features });
}

async function sheetOf(
  browser: ChromiumBrowser,
  pictures: readonly Picture[],
  { screen, scheme }: Of,
): Promise<Buffer> {
  const [width, height] = [screen.width * screen.scale, screen.height * screen.scale];
  const style = `:root { color-scheme: ${scheme} } body { margin: 12px; display: grid; gap: 12px; grid-template-columns: repeat(${String(screen.columns)}, ${String(width)}px); font: 12px sans-serif } figure { margin: 0 } img { display: block; width: ${String(width)}px; height: ${String(height)}px; outline: 1px solid #888 } figcaption { padding-top: 4px; text-align: center }`;
  const figures = pictures.map(
    ({ place: { kind, position = '' }, png }) =>
      `<figure><img src="data:image/png;base64,${png}"><figcaption>${kind} ${position}</figcaption></figure>`,
  );
  const page = `<!doctype html><title>sheet</title><style>${style}</style>${figures.join('')}`;
  const visitor = await browser.visitor();
  await visitor.goto('about:blank');
  await visitor.evaluate(`document.open(), document.write(${JSON.stringify(page)}), document.close()`);
  await eventually(
    async () => (await visitor.evaluate('[...document.images].every(({ complete }) => complete)')) === true,
  );
  const rows = Math.ceil(pictures.length / screen.columns);
  const all = {
    x: 0,
    y: 0,
    width: 24 + screen.columns * (width + 12) - 12,
    height: 12 + rows * (height + 32),
    scale: 1,
  };
  await visitor.call('Emulation.setDeviceMetricsOverride', {
    width: Math.ceil(all.width),
    height: Math.ceil(all.height),
    deviceScaleFactor: 1,
    mobile: false,
  });
  const { data } = await visitor.call('Page.captureScreenshot', { format: 'png', clip: all });
  await visitor.close();
  return Buffer.from(String(data), 'base64');
}
