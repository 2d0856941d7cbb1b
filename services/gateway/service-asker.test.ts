/** A service that starts again is on another port: who asks finds it, and whoever asked for what asks nobody twice. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ServiceAsker } from './service-asker.ts';

let dataFolder: string;
let asker: ServiceAsker;
const servers: Server[] = [];
let asked = 0;

beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'hindsight-asker-'));
  mkdirSync(join(dataFolder, 'run'));
  asker = new ServiceAsker({
    dataFolder,
    service: 'trigger',
    connectionsMax: 1,
    code: 'trigger_unavailable',
    monotonicMs: () => 0, // what is known of its place is never too old
  });
  asked = 0;
});
afterEach(async () => {
  asker.close();
  await Promise.all(servers.splice(0).map(stop));
  rmSync(dataFolder, { recursive: true });
});

async function start(answer: string, status = 200): Promise<Server> {
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(status).end(JSON.stringify(answer));
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`; // it listens on a port
  writeFileSync(join(dataFolder, 'run', 'trigger.json'), JSON.stringify({ url, secret: answer }));
  return server;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

test('one that has started again answers at once', async () => {
  const first = await start('first');
  expect(await asker.ask('past', {})).toBe('first');
  await stop(first);
  await start('second');
  expect(await asker.ask('past', {})).toBe('second');
});

test('one that is gone, and one that refuses, are asked once', async () => {
  const first = await start('first');
  expect(await asker.ask('past', {})).toBe('first');
  await stop(first);
  await expect(asker.ask('past', {})).rejects.toMatchObject({ code: 'trigger_unavailable' });
  await start('no', 500);
  await expect(asker.ask('past', {})).rejects.toMatchObject({ code: 'trigger_unavailable' });
  expect(asked).toBe(2);
});
