import { createRequire } from 'node:module';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { withOwnHosts } from '../browser/own-hosts.ts';
import { testServer, workspace, writeKey, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const get = (url: string, headers: Record<string, string> = {}) =>
  under.server.inject({ method: 'GET', url, headers });
const snippet = `/v1/analytics-js/snippet/${writeKey}/analytics.min.js`;
const settings = `/v1/projects/${writeKey}/settings`;
const packaged = (path: string) =>
  readFileSync(createRequire(import.meta.url).resolve(`@customerio/cdp-analytics-browser/${path}`));
const ours = (path: string) => Buffer.from(withOwnHosts(packaged(path).toString()));

describe('what a page loads, spec A.4', () => {
  test('the snippet’s script is the client of the npm package but for its hosts, and says its licence', async () => {
    const answer = await get(snippet);
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload.equals(ours('dist/umd/standalone.js'))).toBe(true);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=300',
      'content-type': 'text/javascript; charset=utf-8',
      'cross-origin-resource-policy': 'cross-origin',
      link: '</v1/analytics-js/LICENSE>; rel="license"',
    });
    expect((await get('/v1/analytics-js/LICENSE')).rawPayload.equals(packaged('LICENSE.MD'))).toBe(true);
  });

  test.each([
    'ajs-destination.js',
    'inAppPlugin.js',
    '573.js',
    '407.js',
    'schemaFilter.js',
    'auto-track.js',
    'tsub-middleware.js',
    'remoteMiddleware.js',
    'legacyVideos.js',
  ])('the chunk %s is served', async (name) => {
    const answer = await get(`/v1/analytics-js/${name}`);
    expect(answer.rawPayload.equals(ours(`dist/umd/${name}`))).toBe(true);
  });

  test('no script that we serve has an address of a third party, but where a page brings its own token for it', async () => {
    const folder = createRequire(import.meta.url).resolve(
      '@customerio/cdp-analytics-browser/dist/umd/index.js',
    );
    const chunks = readdirSync(dirname(folder)).filter((name) => name.endsWith('.js'));
    const urls = [
      snippet,
      ...chunks.map((name) => `/v1/analytics-js/${name}`),
      `/assets/${writeKey}/track.js`,
      ...['in-app.js', 'in-app/renderer', 'in-app/html'].map((name) => `/v1/plugins/${name}`),
      '/index.html',
    ];
    const found = new Map<string, string[]>();
    for (const url of urls) {
      const answer = await get(url);
      expect([url, answer.statusCode]).toEqual([url, 200]);
      const named =
        answer.body.match(
          /(?:https?:|wss?:)?\/\/(?:[\w-]+\.)+[a-z]{2,}|(?:[\w-]+\.)*(?:customer\.io|gist\.build)\b/g,
        ) ?? [];
      const others = named.filter((name) => !/^https?:\/\/(?:www\.w3\.org|github\.com)$/.test(name));
      if (others.length > 0) found.set(url, others);
    }
    // The plugins for videos, which a page gives a token of its own to, and which our settings never load.
    const videos = ['https://api.vimeo.com', 'https://www.googleapis.com'];
    expect([...found]).toEqual([['/v1/analytics-js/407.js', videos]]);
  });

  test.each([
    'standalone.js.gz',
    '..%2Fpackage.json',
    '..%2f..%2fpackage.json',
    'nothing.js',
    '__proto__',
    'constructor',
  ])('no file but those: %s', async (name) => {
    const answer = await get(`/v1/analytics-js/${name}`);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toHaveProperty('meta.error');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  test.each([
    ['gzip, deflate, br', true],
    ['br;q=1.0, gzip;q=0.5', true],
    ['gzip;q=0', false],
    ['gzip;q=0.000, *', false],
    ['br', false],
  ])('whoever accepts %s gets it gzipped: %s', async (accepted, isGzipped) => {
    const answer = await get(snippet, { 'accept-encoding': accepted });
    expect(answer.headers['content-encoding']).toBe(isGzipped ? 'gzip' : undefined);
    const bytes = isGzipped ? gunzipSync(answer.rawPayload) : answer.rawPayload;
    expect(bytes.equals(ours('dist/umd/standalone.js'))).toBe(true);
  });

  test('a page that has it is told so, and HEAD is answered without it', async () => {
    const { headers } = await get(snippet);
    const tag = String(headers.etag);
    const again = await get(snippet, { 'if-none-match': `"x", W/${tag}` });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const packed = await get(snippet, { 'if-none-match': tag, 'accept-encoding': 'gzip' });
    expect(packed.statusCode).toBe(200);
    const head = await under.server.inject({ method: 'HEAD', url: snippet });
    expect([head.statusCode, head.body, head.headers.etag]).toEqual([200, '', tag]);
  });

  test('what the client tells of itself is taken, and goes nowhere', async () => {
    const answer = await under.server.inject({
      method: 'POST',
      url: '/v1/m',
      payload: '{"series":[]}',
      headers: { 'content-type': 'text/plain' },
    });
    expect([answer.statusCode, answer.body]).toEqual([200, '{}\n']);
    expect(under.sent.order).toEqual([]);
  });
});

describe('what a workspace says of consent', () => {
  const put = (consent: object) =>
    under.definitions.put('workspace', workspace, workspace, { body: { consent } });
  const ofPlugin = async () =>
    (await get(settings)).json<{ remotePlugins: { settings: object }[] }>().remotePlugins[0]?.settings;
  const script = () => get(`/assets/${writeKey}/track.js`);

  test('is in the settings document and in the classic script, and in neither unless it is required', async () => {
    const usual = await script();
    expect(await ofPlugin()).toEqual({ writeKey });
    expect(usual.body).toContain('var workspace = {};');
    await put({ required: true, days_max: 3 });
    expect(await ofPlugin()).toEqual({ writeKey, workspaceConsent: { eventsMax: 100, daysMax: 3 } });
    const asking = await script();
    expect(asking.body).toContain('var workspace = {"consent":{"eventsMax":100,"daysMax":3}};');
    expect(asking.headers.etag).not.toBe(usual.headers.etag);
    await put({ required: false, days_max: 3 });
    expect((await script()).headers.etag).toBe(usual.headers.etag);
    expect((await get('/assets/nobody/track.js')).headers.etag).toBe(usual.headers.etag);
  });
});

describe('the settings document, spec A.4', () => {
  const pipelines = async (headers: Record<string, string> = {}) =>
    (await get(settings, headers)).json<{ integrations: Record<string, object> }>().integrations[
      'Customer.io Data Pipelines'
    ];

  test('sends the client to where it came to, and asks for no metrics', async () => {
    const answer = await get(settings, { host: 'events.shop.example:8443' });
    expect(answer.headers['cache-control']).toContain('no-store');
    expect(answer.json()).toMatchObject({
      integrations: {
        'Customer.io Data Pipelines': {
          apiKey: writeKey,
          apiHost: 'events.shop.example:8443/v1',
          protocol: 'http',
        },
      },
      plan: { track: { __default: { enabled: true } } },
      metrics: { sampleRate: 0 },
    });
  });

  test('the library loads our client of on-site messages in the place of its own', async () => {
    const answer = await get(settings, { host: 'events.shop.example', 'x-forwarded-proto': 'https' });
    expect(answer.json()).toMatchObject({
      integrations: { 'Customer.io In-App Plugin': { enabled: false } },
      remotePlugins: [
        {
          name: 'Customer.io In-App Plugin',
          url: 'https://events.shop.example/v1/plugins/in-app.js',
          libraryName: 'hindsightInApp',
          settings: { writeKey },
        },
      ],
    });
  });

  test('behind a proxy that ends TLS a page of https is not sent to http', async () => {
    const host = 'events.shop.example';
    const [told, list, lie] = ['https', 'HTTPS, http', 'gopher'];
    expect(await pipelines({ host, 'x-forwarded-proto': told })).toMatchObject({ protocol: 'https' });
    expect(await pipelines({ host, 'x-forwarded-proto': list })).toMatchObject({ protocol: 'https' });
    expect(await pipelines({ host, 'x-forwarded-proto': lie })).toMatchObject({ protocol: 'http' });
  });

  test('an address for the public goes before what the request says, its path too', async () => {
    await under.server.close();
    under = testServer({ publicUrl: 'https://shop.example/events/' });
    expect(await pipelines({ host: '10.0.0.7:8080' })).toMatchObject({
      apiHost: 'shop.example/events/v1',
      protocol: 'https',
    });
  });

  test('a key that is not known is 401 with JSON and CORS', async () => {
    const answer = await get('/v1/projects/wk_other/settings');
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toHaveProperty('meta.error');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });
});
