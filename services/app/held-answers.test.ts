/** Whoever asks for much and does not read it holds a bounded part of the memory, for a bounded time, and nobody else up. */
import { afterEach, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { connect, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { toWorkspace } from '../../schemas/ids.ts';
import { eventually } from '../testing/eventually.ts';
import { answer } from './answers.ts';
import { holdAnswers, type HeldAnswersLimits } from './held-answers.ts';

const large = 'x'.repeat(8 * 1_024 * 1_024);
const keys = { app: (key: string) => (key === 'none' ? undefined : toWorkspace(key)) };
const open: Socket[] = [];
let app: FastifyInstance;
/** How many requests have an answer, whether or not anybody reads it. */
let asked = 0;
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await app.close();
});

async function serve(limits: HeldAnswersLimits): Promise<number> {
  app = Fastify();
  await app.register((inner, _options, done) => {
    holdAnswers(inner, keys, limits);
    inner.addHook('onSend', (_request, _reply, _payload, next) => {
      asked += 1; // after the one above
      next();
    });
    inner.get('/large', (_request, reply) => answer(reply, 200, large));
    inner.get('/small', (_request, reply) => answer(reply, 200, {}));
    done();
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}
/** Asks, and reads nothing. */
async function ask(port: number, path: string, workspace: string): Promise<Socket> {
  const before = asked;
  const socket = connect(port, '127.0.0.1');
  open.push(socket);
  await new Promise((done) => socket.once('connect', done));
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${workspace}\r\n\r\n`);
  await eventually(() => asked === before + 1);
  return socket;
}
async function statusOf(port: number, path: string, workspace: string): Promise<number> {
  const headers = { authorization: `Bearer ${workspace}` };
  const { status, body } = await fetch(`http://127.0.0.1:${String(port)}${path}`, { headers });
  await body?.cancel();
  return status;
}

test('of a workspace and of all so much may be unread; who reads, and another workspace, is answered', async () => {
  const limits = {
    workspaceBytesMax: 2 * large.length + 100,
    bytesMax: 3 * large.length + 100,
    readMsMax: 60_000,
  };
  const port = await serve(limits);
  const first = await ask(port, '/large', 'loud');
  await ask(port, '/large', 'loud');
  expect(await statusOf(port, '/large', 'loud')).toBe(500);
  expect(await statusOf(port, '/small', 'loud')).toBe(200);
  expect(await statusOf(port, '/large', 'quiet')).toBe(200);
  first.destroy();
  await eventually(async () => (await statusOf(port, '/large', 'loud')) === 200);
});

test('what is not read in time ends', async () => {
  const port = await serve({ workspaceBytesMax: large.length, bytesMax: large.length, readMsMax: 3_000 });
  await ask(port, '/large', 'loud');
  expect(await statusOf(port, '/large', 'loud')).toBe(500);
  await eventually(async () => (await statusOf(port, '/large', 'loud')) === 200);
});
