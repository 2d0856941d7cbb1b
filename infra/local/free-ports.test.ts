import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { takenPort } from './free-ports.mjs';

let server: Server;
let taken = '';
beforeAll(async () => {
  server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  taken = String((server.address() as AddressInfo).port);
});
afterAll(() => {
  server.close();
});

test.each([
  'HINDSIGHT_PORT',
  'HINDSIGHT_HTTPS_PORT',
  'HINDSIGHT_KAFKA_PORT',
  'HINDSIGHT_REGISTRY_PORT',
  'HINDSIGHT_CLICKHOUSE_PORT',
])('a port that %s names and another program has is told with that name', async (variable) => {
  const env = { HINDSIGHT_PORT: '0', HINDSIGHT_TLS_CERT: 'a.pem', [variable]: taken };
  expect(await takenPort(env)).toBe(
    `could not start: port ${taken} is taken by another program. Stop that program, or set ${variable} to a free port.`,
  );
});

test('any free port, the https port without a certificate, and what is no port are nothing to tell', async () => {
  expect(await takenPort({ HINDSIGHT_PORT: '0', HINDSIGHT_HTTPS_PORT: taken })).toBeUndefined();
  expect(await takenPort({ HINDSIGHT_PORT: 'eighty', HINDSIGHT_KAFKA_PORT: '' })).toBeUndefined();
});
