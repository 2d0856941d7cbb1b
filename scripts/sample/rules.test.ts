/** A machine that is slow to take the rules up is waited for, and not without end. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { applyRules, rules } from './rules.ts';

let settledAfter = 0;
let asked: string[] = [];
const server = createServer((request, response) => {
  const isSettled = request.url === '/health/settled';
  asked.push(isSettled ? 'settled' : (request.url ?? ''));
  const asks = asked.filter((url) => url === 'settled').length;
  const status = !isSettled ? 202 : asks > settledAfter ? 200 : 503;
  request.resume().on('end', () => response.writeHead(status).end('{"behind":[{"service":"in-app"}]}'));
});

beforeEach(() => new Promise<void>((done) => server.listen(0, '127.0.0.1', done)));
afterEach(async () => {
  asked = [];
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});
function installation() {
  const http = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`; // listening on TCP
  return { http, keys: { site_id: 'site', api_key: 'api', write_key: 'write', app_key: 'app' } };
}

test('a rule that is stored and not in force yet is waited for, and each is stored once', async () => {
  settledAfter = 2;
  await applyRules(installation());
  const stored = asked.filter((url) => url !== 'settled');
  expect(stored).toHaveLength(rules.segments.length + 2);
  expect(new Set(stored).size).toBe(stored.length);
});

test('one that does not come into force in time ends it, and says what is behind', async () => {
  settledAfter = Infinity;
  await expect(applyRules(installation(), 300)).rejects.toMatchObject({
    code: 'rule_not_in_force',
    message: expect.stringContaining('"service":"in-app"'),
  });
});
