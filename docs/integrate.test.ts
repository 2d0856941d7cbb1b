/** What docs/integrate.md tells people to paste does what it says there: in a shell, and in a page in Chromium. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  chromiumBrowser,
  type ChromiumBrowser,
  type ChromiumVisitor,
} from '../services/testing/browsers/chromium-browser.ts';
import { findChromium } from '../services/testing/browsers/find-chromium.ts';
import { openShop } from '../services/testing/browsers/shop-pages.ts';
import { eventually } from '../services/testing/eventually.ts';
import {
  adminKey,
  appKey,
  browserKey,
  siteId,
  testServer,
  workspace,
  writeKey,
  type TestServer,
} from '../services/testing/gateway-server.ts';

const run = promisify(execFile);
const page = readFileSync(new URL('integrate.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```(\w+) (\w+)\n(.*?)^```$/gms)];
const block = (name: string) => blocks.find(([, , each]) => each === name)?.[3] ?? '';

let under: TestServer;
let url: string;
beforeEach(async () => {
  under = testServer();
  url = await under.server.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => under.server.close());

async function paste(name: string): Promise<string> {
  const { PATH } = process.env;
  const env = { PATH, HTTP: url, WRITE_KEY: writeKey, APP_KEY: appKey, ADMIN_KEY: adminKey };
  expect(block(name)).not.toBe('');
  return (await run('sh', ['-euc', block(name)], { env })).stdout;
}

test('each block is one of those that are tried', () => {
  const names = blocks.map(([, , name]) => name);
  expect(names).toEqual(['workspace', 'page', 'calls', 'server', 'strict', 'look', 'rotate']);
  expect(page.match(/^```\w+$/gm)).toBeNull();
});

describe('in a shell', () => {
  test('a workspace is made, and its keys are in the answer', async () => {
    const made = JSON.parse(await paste('workspace')) as { name: string; credentials: object };
    expect(made.name).toBe('my-shop');
    const kinds = ['site_id', 'api_key', 'browser_key', 'write_key', 'app_key'];
    expect(Object.keys(made.credentials).sort()).toEqual(kinds.sort());
  });

  test('a server’s call is taken', async () => {
    expect(await paste('server')).toBe('{}\n');
    expect(under.sent.events).toMatchObject([{ value: { identifier: '42', anonymous_id: 'visitor-1' } }]);
  });

  test('strict mode refuses a batch whole and names the call', async () => {
    expect(JSON.parse(await paste('strict'))).toEqual({
      meta: { error: 'batch[1]: event name must not be blank', batch_indexes: [1] },
    });
    expect(under.sent.events).toEqual([]);
  });

  test('what is looked at answers', async () => {
    const [refusals = '', check = ''] = (await paste('look')).trim().split('\n');
    expect(JSON.parse(refusals)).toMatchObject({ refusals: [], unknown_key_calls_last_hour: 0 });
    expect(JSON.parse(check)).toMatchObject({ state: 'no_page' });
  });

  test('a key is rotated and revoked, and who still calls with it is told and seen', async () => {
    const answers = (await paste('rotate')).trim().split('\n');
    expect(answers.at(0)).toContain('write_key');
    expect(JSON.parse(answers.at(-1) ?? '')).toMatchObject({ meta: { code: 'key_ended' } });
    expect(under.live.refusals(workspace)).toMatchObject([{ reason: 'key_ended', count: 1 }]);
    expect(under.sent.events).toEqual([]);
  });
});

const program = findChromium();
const inChromium = program === undefined ? describe.skip : describe;

inChromium('in a page', () => {
  let browser: ChromiumBrowser;
  let visitor: ChromiumVisitor;
  beforeAll(async () => {
    browser = await chromiumBrowser(program ?? '');
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    visitor = await browser.visitor();
  });
  afterEach(() => visitor.close());

  test('nothing of the visitor comes before they consent; after reset they are somebody else', async () => {
    const snippet = block('page')
      .replaceAll('https://HOST', url)
      .replace('BROWSER_KEY', browserKey)
      .replace('SITE_ID', siteId);
    const shop = await openShop({ boots: snippet });
    await visitor.goto(`${shop.url}/boots/`);
    await eventually(async () => Boolean(await visitor.evaluate(`typeof hindsightInApp === 'function'`)));
    expect(under.sent.events).toEqual([]);
    await visitor.goto(`${shop.url}/boots/`);
    // Until its scripts are there the client keeps calls by their method, and their order is lost.
    await visitor.evaluate('new Promise((done) => analytics.ready(() => done(0)))');
    await visitor.evaluate(`${block('calls')}; 0`);
    const named = (name: string) => under.sent.events.find(({ value }) => value.name === name)?.value;
    const identified = () => under.sent.events.find(({ value }) => value.type === 'identify')?.value;
    // Each call is a request of its own, so they arrive in any order.
    await eventually(() => [named('Added to Cart'), identified(), named('Product Viewed')].every(Boolean));
    const identify = identified();
    expect(identify).toMatchObject({ identifier: '42', anonymous_id: named('Added to Cart')?.anonymous_id });
    expect(named('Product Viewed')).toMatchObject({ identifier: null });
    expect(named('Product Viewed')?.anonymous_id).not.toBe(identify?.anonymous_id);
    await shop.close();
  });
});
