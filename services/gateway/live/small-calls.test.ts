/** The last calls that are kept for whoever watches are small, however large the bodies in which they came. */
import { expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { testServer, workspace, writeKey } from '../../testing/gateway-server.ts';
import { recentCallsMax } from './live-calls.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // what the flag gives
const everything = { key: undefined, visitor: undefined, person: undefined, answered: undefined };
const MB = 1_024 * 1_024;

test.each([
  ['numbers', '"messageId":12345678901234567,"anonymousId":98765432109876543', ''],
  [
    'names with white space around them',
    '"messageId":"m","anonymousId":"WIDE a visitor of whom nobody has heard"',
    ' ',
  ],
])('of %s nothing of the body stays', async (_what, members, space) => {
  const { server, live } = testServer();
  const wide = space.repeat(150_000);
  const rest = 'é\u0102'.repeat(50_000); // two bytes for each character of the text
  const payload = `{"writeKey":"${writeKey}","event":"x",${members.replace('WIDE', wide)},"more":"${rest}"}`;
  const post = () => server.inject({ method: 'POST', url: '/v1/t', payload });
  await post();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let each = 0; each < recentCallsMax; each += 1) expect((await post()).statusCode).toBe(200);
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20 * MB);
  expect(live.recent(workspace, everything)).toHaveLength(recentCallsMax);
  await server.close();
});
