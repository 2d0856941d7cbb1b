/** Waiting until all of it has had its effect, for any length of time that a caller comes to. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitUntilSettled } from './installation.ts';

let server: Server;
let http: string;
let unsettled = 0;
beforeAll(async () => {
  server = createServer((_request, response) => {
    unsettled -= 1;
    response.writeHead(unsettled >= 0 ? 503 : 200).end('{"settled":false}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  http = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`; // it listens on one
});
afterAll(() => {
  server.close();
});

test('ends when it is settled, also where the time that is left is no whole number of ms', async () => {
  unsettled = 2;
  await waitUntilSettled({ http }, 20_360.514892578125);
  expect(unsettled).toBe(-1);
});

test('says what it waited for when the time is over', async () => {
  unsettled = 1_000;
  await expect(waitUntilSettled({ http }, 250.5)).rejects.toMatchObject({ code: 'not_settled' });
});
