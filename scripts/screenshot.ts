/**
 * `npm run screenshot`: pictures of the page at `/` for README, in light and dark, on a gateway of this
 * process to which a visitor and somebody careless call. Needs Chromium. With `-- messages`: those of on-site messages.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { pictureMessages } from './message-sheets.ts';
import { chromiumBrowser } from '../services/testing/browsers/chromium-browser.ts';
import { findChromium } from '../services/testing/browsers/find-chromium.ts';
import { eventually } from '../services/testing/eventually.ts';
import { keysOfShop, pipelinesAuth, testServer } from '../services/testing/gateway-server.ts';

const folder = new URL('../docs/images/', import.meta.url);
const size = { width: 1120, height: 1210 };
const calls: readonly (readonly [path: string, body: object])[] = [
  ['page', { anonymousId: 'visitor-1', properties: { url: 'https://shop.example/boots' } }],
  ['track', { anonymousId: 'visitor-1', event: 'Product Viewed', properties: { sku: 'boots' } }],
  ['track', { anonymousId: 'visitor-1', event: 'Added to Cart', properties: { sku: 'boots' } }],
  ['track', { anonymousId: 'visitor-2', properties: { sku: 'hat' } }],
  ['identify', { anonymousId: 'visitor-1', userId: '42', traits: { email: ' Ada@Mail.example ' } }],
  ['track', { userId: '42', event: 'Order Completed', properties: { total: 120 } }],
];

async function main(program: string): Promise<void> {
  const { server, statuses } = testServer({ signIn: () => Promise.resolve({ default: keysOfShop }) });
  statuses['sink'] = {};
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  for (const [path, payload] of calls) {
    await server.inject({
      method: 'POST',
      url: `/v1/${path}`,
      payload,
      headers: { authorization: pipelinesAuth },
    });
  }
  const browser = await chromiumBrowser(program);
  const visitor = await browser.visitor();
  await visitor.call('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false });
  await visitor.call('Emulation.setScrollbarsHidden', { hidden: true });
  await visitor.goto(`${url}/#code=0`);
  const isShown = `document.querySelectorAll('#calls tr').length === ${String(calls.length)} && document.querySelectorAll('#refusals tr').length > 0`;
  await eventually(async () => (await visitor.evaluate(isShown)) === true);
  mkdirSync(folder, { recursive: true });
  for (const value of ['light', 'dark']) {
    const features = [{ name: 'prefers-color-scheme', value }];
    await visitor.call('Emulation.setEmulatedMedia', { features });
    const { data } = await visitor.call('Page.captureScreenshot', { format: 'png' });
    writeFileSync(new URL(`page-${value}.png`, folder), Buffer.from(String(data), 'base64'));
  }
  await visitor.close();
  await browser.close();
  await server.close();
}

const program = findChromium();
if (program === undefined) process.exitCode = 1;
else await (process.argv[2] === 'messages' ? pictureMessages(program) : main(program));
