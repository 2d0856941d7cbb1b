/** The first message of on-site.md as it stands there is one that the gateway takes, and nothing in it is warned of. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { appAuth, testServer } from '../services/testing/gateway-server.ts';

const page = readFileSync(new URL('./on-site.md', import.meta.url), 'utf8');

test('the message that is put is good', async () => {
  const [, path = '', body = ''] =
    /-X PUT "\$HTTP(\/v1\/definitions\/messages\/\w+)"[^']*-d '([^']*)'/.exec(page) ?? [];
  const gateway = testServer({});
  const answer = await gateway.server.inject({
    ...{ method: 'PUT', url: path, payload: body, headers: { authorization: appAuth } },
  });
  await gateway.server.close();
  expect([answer.statusCode, answer.json<object>()]).toMatchObject([200, { version: 1 }]);
  expect(answer.json<object>()).not.toHaveProperty('warnings');
});
