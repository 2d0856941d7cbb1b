import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { Shop } from './send.ts';
import type { Call } from './calls.ts';

let answer = 200;
const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(answer).end('{}'));
});

async function openShop(): Promise<Shop> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const http = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`; // listening on TCP
  const keys = { site_id: 'site', api_key: 'api', write_key: 'write', app_key: 'app' };
  return new Shop({ http, keys });
}
afterEach(async () => {
  answer = 200;
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

function pageSeen(messageId: string): Call {
  return {
    type: 'page',
    via: 'pipelines',
    name: 'https://shop.example/',
    anonymousId: 'visitor-1',
    userId: null,
    messageId,
    timestamp: Date.now(),
    properties: {},
  };
}

test('a call is made when its answer is there, not when the client calls back 300 ms later', async () => {
  const shop = await openShop();
  await shop.make(pageSeen('first')); // loads what the client needs
  let shortest = Number.POSITIVE_INFINITY;
  let shortestPause = Number.POSITIVE_INFINITY; // what a busy machine makes of 100 ms
  for (let number = 0; number < 5; number += 1) {
    const since = performance.now();
    await shop.make(pageSeen(`page-${String(number)}`));
    const madeAt = performance.now();
    await sleep(100);
    shortest = Math.min(shortest, madeAt - since);
    shortestPause = Math.min(shortestPause, performance.now() - madeAt);
  }
  expect(shortest).toBeLessThan(2 * shortestPause);
  await shop.close();
});

test('a call that is refused fails, and the next is not taken for it', async () => {
  const shop = await openShop();
  answer = 400;
  await expect(shop.make(pageSeen('page-1'))).rejects.toMatchObject({ code: 'call_refused' });
  answer = 200;
  await shop.make(pageSeen('page-1'));
  await shop.close();
});
