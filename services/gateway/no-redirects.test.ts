/** Spec A.0 row 12: clients that follow a redirect may leave their key behind, so nothing of ours redirects. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { routes } from '../../schemas/http/routes.ts';
import { appAuth, pipelinesAuth, testServer, trackAuth, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer({ testClock: true, inForceWaitMsMax: 100 });
});
afterEach(() => under.server.close());

const authorizations = { track: trackAuth, pipelines: pipelinesAuth, app: appAuth, admin: appAuth, none: '' };
const calls = routes
  .filter(({ path }) => path !== '/v1/live') // a stream, which ends with the server
  .flatMap(({ method, path, aliases = [], auth }) =>
    [path, ...aliases].map((each) => ({ method, path: each.replace(/\{\w+\}/g, 'x'), auth })),
  );

test('spec A.0 row 12: no route answers with a redirect, whatever slashes or query it is asked with', async () => {
  const asked = calls.flatMap(({ method, path, auth }) =>
    [path, `/${path}/?redirect=https://x.example`].map((url) => ({ method, url, auth })),
  );
  const redirects: string[] = [];
  for (const { method, url, auth } of asked) {
    const { statusCode, headers } = await under.server.inject({
      method: method.toUpperCase() as 'GET',
      url,
      headers: { authorization: authorizations[auth] },
      ...(method === 'get' ? {} : { payload: '{}' }),
    });
    const isRedirect = (statusCode >= 300 && statusCode < 400) || headers.location !== undefined;
    if (isRedirect) redirects.push(`${method} ${url}: ${String(statusCode)}`);
  }
  expect(redirects).toEqual([]);
  expect(calls.length).toBeGreaterThan(60);
});
