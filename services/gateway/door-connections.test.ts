/** Many connections that say nothing, or half of something, and one caller who says it all. On real sockets. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { eventually } from '../testing/eventually.ts';
import { unansweredMax } from './unanswered.ts';
import { head, listen, rawCall, TestConnection } from '../testing/raw-connection.ts';
import { pipelinesAuth, testServer, writeKey, type TestServer } from '../testing/gateway-server.ts';

const attacker = '127.0.0.2';
const perAddressMax = 20;
let under: TestServer;
let port: number;
let opened: TestConnection[];
beforeEach(async () => {
  opened = [];
  under = testServer({ door: { perAddressMax, openMax: 30 } });
  port = await listen(under.server);
});
afterEach(async () => {
  for (const connection of opened) connection.close();
  await under.server.close();
});

async function stall(count: number, bytes: string, address = attacker): Promise<void> {
  for (let each = 0; each < count; each += 1) {
    const connection = await TestConnection.open(port, address);
    opened.push(connection);
    if (bytes !== '') await connection.send(bytes);
  }
}
const body = JSON.stringify({ event: 'x', anonymousId: 'a' });
const headers = { authorization: pipelinesAuth, 'content-length': String(body.length), connection: 'close' };
const call = (address?: string) => rawCall(port, head('POST', '/v1/track', headers) + body, address);
const unfinished = head('POST', '/v1/t', { 'content-length': '1000' }) + `{"writeKey":"${writeKey}"`;

describe('connections of one address', () => {
  test.each([
    ['nothing', ''],
    ['half a header', 'POST /v1/track HTTP/1.1\r\nhost: x\r\nx-slow: '],
    ['half a body', unfinished],
  ])('that say %s are ended for others, and for their own newcomers', async (_what, bytes) => {
    await stall(3 * perAddressMax, bytes);
    for (const other of ['127.0.0.3', '127.0.0.4']) await stall(perAddressMax, bytes, other);
    expect((await call()).status).toBe(200);
    expect((await call(attacker)).status).toBe(200);
    const { open, ended, refused } = under.doors.state;
    expect(open).toBeLessThanOrEqual(30);
    expect([ended > 2 * perAddressMax, refused]).toEqual([true, 0]);
    const told = under.logged.filter(({ fields }) => fields['code'] === 'connection_ended');
    expect(told).toHaveLength(1);
  });

  test('that ask for much and read nothing of it are ended for others', async () => {
    const asking = testServer({ door: { perAddressMax, openMax: 30 } });
    const more = Buffer.alloc(12 * 1_024 * 1_024); // than what lies between two sockets
    asking.server.get('/large', (_request, reply) => reply.send(more));
    const itsPort = await listen(asking.server);
    const sockets = ['127.0.0.2', '127.0.0.3'].flatMap((localAddress) =>
      Array.from({ length: 15 }, () => {
        const socket = connect({ port: itsPort, host: '127.0.0.1', localAddress }).pause();
        return socket.on('error', () => undefined);
      }),
    );
    for (const socket of sockets) socket.write(head('GET', '/large', {}));
    await eventually(() => asking.doors.state.unanswered === 30);
    for (let each = 0; each < 3; each += 1) {
      const answer = await rawCall(itsPort, head('POST', '/v1/track', headers) + body, '127.0.0.4');
      expect(answer.status).toBe(200);
    }
    expect(asking.doors.state).toMatchObject({ refused: 0, ended: 1 });
    for (const socket of sockets) socket.destroy();
    await asking.server.close();
  });

  test('that wait for an answer are not ended', async () => {
    let [answer, asked] = [(): void => undefined, false];
    const held = new Promise<void>((done) => (answer = done));
    const take = (): Promise<void> => {
      asked = true;
      return held;
    };
    const waiting = testServer({
      door: { perAddressMax: 2, openMax: 10 },
      intake: { take, untilOnLog: () => Promise.resolve() },
    });
    const itsPort = await listen(waiting.server);
    const patient = await TestConnection.open(itsPort);
    await patient.post('/v1/track', headers, body);
    while (!asked) await new Promise((turn) => setImmediate(turn));
    for (let each = 0; each < 10; each += 1) opened.push(await TestConnection.open(itsPort));
    answer();
    expect((await patient.answer()).status).toBe(200);
    for (const connection of opened) connection.close();
    await waiting.server.close();
  });
});

describe('one connection that asks on without reading an answer', () => {
  const ask = (count: number) =>
    head('GET', '/health/ready', {}).repeat(count - 1) +
    head('GET', '/health/ready', { connection: 'close' });

  test('is ended when very many answers are open, and does not cost what it asked for', async () => {
    const before = under.asked.length;
    const connection = await TestConnection.open(port, attacker);
    opened.push(connection);
    await connection.send(ask(2_000));
    await connection.closed;
    expect(connection.text.split('HTTP/1.1 ').length - 1).toBeLessThan(200);
    expect(under.asked.length - before).toBeLessThan(200);
    expect(under.logged.filter(({ fields }) => fields['code'] === 'connection_piles_up')).toHaveLength(1);
    expect((await call(attacker)).status).toBe(200);
  });

  test.each([
    ['what is no address', '/%zz', {}],
    ['what is not there', '/v1/nowhere', {}],
    ['what it may not', '/v1/usage', {}],
  ])('is ended as well when it asks for %s, which is answered at once', async (_what, path, more) => {
    const connection = await TestConnection.open(port, attacker);
    opened.push(connection);
    await connection.send(head('GET', path, more).repeat(2_000));
    await connection.closed;
    expect(connection.text.split('HTTP/1.1 ').length - 1).toBeLessThan(200);
    expect(under.logged.filter(({ fields }) => fields['code'] === 'connection_piles_up')).toHaveLength(1);
    expect((await call(attacker)).status).toBe(200);
    await eventually(() => under.doors.state.unanswered === 0);
  });

  test('gets all of as many as may be open', async () => {
    const connection = await TestConnection.open(port);
    opened.push(connection);
    await connection.send(ask(unansweredMax));
    await connection.closed;
    expect(connection.text.split('HTTP/1.1 ').length - 1).toBe(unansweredMax);
  });
});
