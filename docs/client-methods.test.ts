/**
 * Each method of each client is called, unmodified, and what was answered is the table of README.md and client-methods.md: a method
 * that a new version of a client brings, one that begins to work and one that stops fail here until the page says so.
 * HINDSIGHT_WRITE_PAGES=on writes the page.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Analytics } from '@customerio/cdp-analytics-node';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as five from 'customerio-node';
import * as four from 'customerio-node-4';
import { openHttps, type HttpsDoor } from '../services/gateway/https.ts';
import { jsdomBrowser } from '../services/testing/browsers/jsdom-browser.ts';
import { analyticsSnippet, openShop } from '../services/testing/browsers/shop-pages.ts';
import { eventually } from '../services/testing/eventually.ts';
import {
  apiKey,
  appKey,
  browserKey,
  siteId,
  testServer,
  workspace,
  writeKey,
  type TestServer,
} from '../services/testing/gateway-server.ts';

const pagePath = new URL('./client-methods.md', import.meta.url);
const readmePath = new URL('../README.md', import.meta.url);
const inReadme = /(?<=<!-- Made by docs\/client-methods.test.ts -->\n\n)[^]*?(?=\n\n<!-- end -->)/;
const tls = (name: string) =>
  fileURLToPath(new URL(`../services/testing/fixtures/tls/${name}`, import.meta.url));

let under: TestServer;
let url: string;
let door: HttpsDoor;
/** Of every request: where to, whether there is such a route, and how it was answered. */
const requests: { readonly to: string; readonly isRouted: boolean; readonly status: number }[] = [];

beforeAll(async () => {
  under = testServer();
  const ordinary = new WeakSet<IncomingMessage>();
  under.server.addHook('onRequest', ({ raw }, _reply, done) => {
    ordinary.add(raw);
    done();
  });
  // A call that comes whole passes by the framework (services/gateway/whole-requests.ts).
  under.server.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.once('finish', () => {
      const { method = '', url: path = '' } = request;
      if (ordinary.has(request)) return;
      requests.push({ to: `${method} ${path}`, isRouted: true, status: response.statusCode });
    });
  });
  under.server.addHook(
    'onResponse',
    ({ method, url: path, is404: isUnknown }, { statusCode: status }, done) => {
      requests.push({ to: `${method} ${path}`, isRouted: !isUnknown, status });
      done();
    },
  );
  under.rows['FROM people'] = [{ person_id: 'cio_1', id: '42', email: 'ada@mail.example', attributes: '{}' }];
  under.rows['FROM identities'] = [{ person_id: 'cio_1', kind: 'id', value: '42' }];
  url = await under.server.listen({ host: '127.0.0.1', port: 0 });
  door = await openHttps({
    app: under.server,
    doors: under.doors,
    cert: tls('first.crt'),
    key: tls('first.key'),
    host: '127.0.0.1',
    port: 0,
    logger: { error: () => undefined, warn: () => undefined, info: () => undefined },
  });
  await under.definitions.put('segment', workspace, '7', { body: { name: 'Hand', type: 'manual' } });
});
afterAll(async () => {
  door.closeAllConnections();
  await door.close();
  await under.server.close();
});

type Outcome = 'works' | 'not built';
type Call = () => unknown;

function methodsOf(prototype: object): readonly string[] {
  return Object.getOwnPropertyNames(prototype).filter(
    (name) =>
      name !== 'constructor' && typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === 'function',
  );
}

/** @throws when it did neither: a method with a route must be called so that it is answered well. */
async function outcomeOf(name: string, call: Call): Promise<Outcome> {
  const before = requests.length;
  const fault: unknown = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  const seen = requests.slice(before);
  if (seen.length > 0 && seen.every(({ isRouted }) => !isRouted)) return 'not built';
  const isGood = seen.length > 0 && seen.every(({ status }) => status < 300);
  if (fault === undefined && isGood) return 'works';
  throw new Error(`${name}: ${String(fault)} ${JSON.stringify(seen)}`);
}

interface Client {
  readonly title: string;
  readonly works: readonly string[];
  readonly missing: readonly string[];
}

async function tryAll(
  title: string,
  names: readonly string[],
  callOf: (name: string) => Call,
): Promise<Client> {
  const works: string[] = [];
  const missing: string[] = [];
  for (const name of names) {
    ((await outcomeOf(`${title} ${name}`, callOf(name))) === 'works' ? works : missing).push(name);
  }
  return { title, works, missing };
}

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

/** @param known arguments by method; whatever is not in it gets some of each kind. */
function withArguments(client: object, known: Readonly<Record<string, readonly unknown[]>>) {
  const methods = client as Methods; // looked up by the names of its prototype
  return (name: string): Call =>
    () =>
      methods[name]?.(...(known[name] ?? ['1', { name: 'x' }, { name: 'x' }, {}]));
}

const trackArguments = {
  identify: ['42', { email: 'ada@mail.example', anonymous_id: 'visitor' }],
  destroy: ['43'],
  suppress: ['44'],
  unsuppress: ['44'],
  track: ['42', { name: 'Order Completed' }],
  trackAnonymous: ['visitor', { name: 'Added to Cart' }],
  trackPageView: ['42', 'https://shop.example/'],
  trackPush: [{ delivery_id: 'd', device_id: 'token', event: 'opened', timestamp: 1_700_000_000 }],
  addDevice: ['42', 'token', 'ios'],
  deleteDevice: ['42', 'token'],
  mergeCustomers: ['id', '42', 'email', 'bob@mail.example'],
  batch: [[{ type: 'person', action: 'identify', identifiers: { id: '42' }, attributes: {} }]],
  entity: [{ type: 'person', action: 'identify', identifiers: { id: '42' }, attributes: {} }],
  getAccountRegion: [],
  addCustomersToSegment: ['7', ['42']],
  removeCustomersFromSegment: ['7', ['42']],
  submitForm: ['form', { email: 'ada@mail.example' }],
  reportMetric: [{ delivery_id: 'd', metric: 'opened', timestamp: 1_700_000_000 }],
  unsubscribe: ['d', true],
} as const;

const pipelinesArguments = {
  identify: [{ userId: '42', anonymousId: 'visitor', traits: { email: 'ada@mail.example' } }],
  track: [{ anonymousId: 'visitor', event: 'Added to Cart' }],
  page: [{ anonymousId: 'visitor', name: 'Boots' }],
  screen: [{ anonymousId: 'visitor', name: 'Boots' }],
  group: [{ userId: '42', groupId: 'acme' }],
  alias: [{ userId: '42', previousId: 'visitor-2' }],
  batch: [[{ type: 'track', anonymousId: 'visitor', event: 'Added to Cart' }]],
} as const;

async function nodeFive(): Promise<readonly Client[]> {
  const track = new five.TrackClient(siteId, apiKey, { url: `${url}/api/v1` });
  const pipelines = new five.PipelinesClient(writeKey, { url: `${url}/v1`, strictMode: true });
  return [
    await tryAll(
      'customerio-node 5, `TrackClient`',
      methodsOf(five.TrackClient.prototype),
      withArguments(track, trackArguments),
    ),
    await tryAll(
      'customerio-node 5, `PipelinesClient`',
      methodsOf(five.PipelinesClient.prototype).filter((name) => name !== 'envelope'), // its own, inside
      withArguments(pipelines, pipelinesArguments),
    ),
    await appClient('customerio-node 5, `APIClient`', five),
  ];
}

async function nodeFour(): Promise<readonly Client[]> {
  const https = { port: door.port, rejectUnauthorized: false };
  const track = new four.TrackClient(siteId, apiKey, { url: 'https://localhost/api/v1', ...https });
  return [
    await tryAll(
      'customerio-node 4, `TrackClient`',
      methodsOf(four.TrackClient.prototype),
      withArguments(track, trackArguments),
    ),
    await appClient('customerio-node 4, `APIClient`', four, { url: 'https://localhost/v1', ...https }),
  ];
}

/** Of the App API: what a method with a route answers is for its own suite to show, which must call it. */
const appSuite = readFileSync(new URL('../services/app/app-clients.real.test.ts', import.meta.url), 'utf8');

async function appClient(
  title: string,
  { APIClient, ...requestsOf }: typeof five | typeof four,
  defaults: object = { url: `${url}/v1` },
): Promise<Client> {
  const api = new APIClient(appKey, defaults);
  const methods = api as unknown as Methods; // looked up by the names of its prototype
  const known = appArguments(requestsOf as unknown as Requests); // the classes that it exports
  const works: string[] = [];
  const missing: string[] = [];
  for (const name of methodsOf(APIClient.prototype).filter((each) => each !== 'resourceBase')) {
    const first = await firstRequest(known[name] === undefined ? tries : [known[name]], (args) =>
      methods[name]?.(...args),
    );
    if (first === undefined) throw new Error(`${title} ${name} asked for nothing: give it arguments`);
    if (!first.isRouted) missing.push(name);
    else if (appSuite.includes(`api.${name}(`)) works.push(name);
    else throw new Error(`${title} ${name} has a route, and app-clients.real.test.ts does not call it`);
  }
  return { title, works, missing };
}

const some = {
  name: 'x',
  tag: 'x',
  value: 'x',
  language: 'en',
  start: 1,
  end: 2,
  res: 'days',
  endpoint: 'https://shop.example/',
  data_file_url: 'https://shop.example/people.csv',
  identifier: 'id',
  type: 'people',
  data: 'x',
  filename: 'x.png',
};
/** Some of each kind, for methods of which no more is asked than whether they have a route. */
const tries: readonly (readonly unknown[])[] = [
  ['1', some],
  ['1', '1', '1', some],
  [some],
  [['1']],
  ['1', ['1']],
  ['1', 'id'],
  ['email', '1'],
  ['1', '1', 'id'],
  ['1', 'en', some],
  [some, some],
  [[some]],
  ['1', [some]],
];

async function firstRequest(
  tried: readonly (readonly unknown[])[],
  call: (args: readonly unknown[]) => unknown,
) {
  for (const args of tried) {
    const before = requests.length;
    await Promise.resolve(args)
      .then(call)
      .catch(() => undefined); // an answer of 404, or of the client itself: the request says which
    if (requests.length > before) return requests[before];
  }
  return undefined;
}

type Requests = Readonly<Record<string, new (options: object) => object>>;

function appArguments(classes: Requests): Readonly<Record<string, readonly unknown[]>> {
  const made = (name: string) => {
    const Request = classes[name];
    if (Request === undefined) return [];
    return [new Request({ identifiers: { id: '42' }, to: 'ada@mail.example', transactional_message_id: 1 })];
  };
  return {
    sendEmail: made('SendEmailRequest'),
    sendPush: made('SendPushRequest'),
    sendSMS: made('SendSMSRequest'),
    sendWhatsApp: made('SendWhatsAppRequest'),
    sendInboxMessage: made('SendInboxMessageRequest'),
    sendInApp: made('SendInAppRequest'),
    getCustomersByEmail: ['ada@mail.example'],
  };
}

async function analyticsNode(): Promise<readonly Client[]> {
  const own = ['closeAndFlush', 'register', 'deregister', '_dispatch'];
  const calls = {
    ...Object.fromEntries(Object.entries(pipelinesArguments).filter(([name]) => name !== 'batch')),
  };
  const names = methodsOf(Analytics.prototype).filter((name) => !own.includes(name));
  const callOf =
    (name: string): Call =>
    async () => {
      const analytics = new Analytics({ writeKey, host: url });
      const before = under.sent.events.length;
      withArguments(analytics, calls)(name)();
      await analytics.closeAndFlush({ timeout: 60_000 });
      expect([name, under.sent.events.length]).toEqual([name, before + 1]);
    };
  return [await tryAll('@customerio/cdp-analytics-node', names, callOf)];
}

/** The calls of Pipelines. Its helpers for links and forms come to `track`. */
const browserCalls = {
  page: `analytics.page('Boots')`,
  screen: `analytics.screen('Boots')`,
  track: `analytics.track('Added to Cart', { sku: 'boots' })`,
  identify: `analytics.identify('42', { email: 'ada@mail.example' })`,
  group: `analytics.group('acme')`,
  alias: `analytics.alias('43', '42')`,
} as const;

async function analyticsBrowser(): Promise<readonly Client[]> {
  const shop = await openShop({ js: analyticsSnippet(url, browserKey) });
  const browser = jsdomBrowser();
  const visitor = await browser.visitor();
  await visitor.goto(`${shop.url}/js/`);
  await visitor.evaluate('new Promise((done) => analytics.ready(done))');
  await eventually(() => under.sent.events.some(({ value }) => value.source.startsWith('pipelines.p')));
  const works: string[] = [];
  for (const [name, call] of Object.entries(browserCalls)) {
    const before = under.sent.events.length + under.sent.requests.length;
    await visitor.evaluate(`Promise.resolve(${call}).then(() => 1)`);
    await eventually(() => under.sent.events.length + under.sent.requests.length > before);
    works.push(name);
  }
  await visitor.close();
  await browser.close();
  await shop.close();
  return [{ title: '@customerio/cdp-analytics-browser', works, missing: [] }];
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? '' : names.map((name) => `\`${name}\``).join(', ');
}

function tableOf(clients: readonly Client[]): string {
  const rows = clients.map(({ title, works }) => `| ${title} | ${listOf(works)} |`);
  return ['| client | methods that work |', '|---|---|', ...rows].join('\n');
}

function pageOf(clients: readonly Client[]): string {
  const missing = clients
    .filter((client) => client.missing.length > 0)
    .map(({ title, missing: names }) => `**${title}** (${String(names.length)}): ${listOf(names)}.`);
  return `# Methods of clients

Each method of each client is called, unmodified, by \`docs/client-methods.test.ts\`, which makes this page (\`HINDSIGHT_WRITE_PAGES=on npm test -- docs/client-methods.test.ts\`). What the calls come to is in [the requirement](spec/http.md).

${tableOf(clients)}

Version 4 of customerio-node speaks https only. A key of kind browser may not alias people unless its workspace says so (\`browser_keys_may_alias\`); the test runs with a workspace that does.

## Not built

Their routes answer 404 with a JSON body, which these clients throw as an error.

${missing.join('\n\n')}
`;
}

test('the page names each method of each client that works, and each that is not built', async () => {
  await under.definitions.put('workspace', workspace, workspace, { body: { browser_keys_may_alias: true } });
  const clients = [
    ...(await nodeFive()),
    ...(await nodeFour()),
    ...(await analyticsNode()),
    ...(await analyticsBrowser()),
  ];
  const page = pageOf(clients);
  const readme = readFileSync(readmePath, 'utf8');
  if (process.env['HINDSIGHT_WRITE_PAGES'] === 'on') {
    writeFileSync(pagePath, page);
    writeFileSync(readmePath, readme.replace(inReadme, tableOf(clients)));
  }
  expect(inReadme.exec(readFileSync(readmePath, 'utf8'))?.[0]).toBe(tableOf(clients));
  expect(readFileSync(pagePath, 'utf8')).toBe(page);
}, 300_000);
