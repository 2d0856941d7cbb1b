import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { registryAnswers } from './registry.ts';

let server: Server;
let url = '';
let status = 200;
beforeAll(async () => {
  server = createServer((request, response) => {
    response.writeHead(request.url === '/subjects' ? status : 404).end('[]');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(() => {
  server.close();
});

test('a registry that answers is well; one that cannot, or is gone, is told with what it says', async () => {
  await expect(registryAnswers({ url, msMax: 10_000 })).resolves.toBeUndefined();
  status = 503;
  await expect(registryAnswers({ url, msMax: 10_000 })).rejects.toThrow(/registry answers 503/);
  const nowhere = registryAnswers({ url: 'http://127.0.0.1:1', msMax: 10_000 });
  await expect(nowhere).rejects.toThrow(/registry does not answer at http:\/\/127\.0\.0\.1:1/);
});
