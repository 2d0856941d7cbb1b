/** Over HTTP: a definition or a setting that is answered 200 is in force; 202 says what is still behind. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { adminKey, appAuth, testServer, workspace, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const app = (options: InjectOptions) =>
  under.server.inject({ ...options, headers: { authorization: appAuth, ...options.headers } });
const segment = { name: 'Carts', type: 'data_driven', when: { event: 'Added to Cart', within: 'P7D' } };

describe('what is answered 200 is in force (contract, *Definitions*)', () => {
  const admin = { authorization: `Bearer ${adminKey}` };
  const body = { payload: segment };
  const writes: [string, InjectOptions][] = [
    ['trigger', { method: 'PUT', url: '/v1/definitions/segments/carts', ...body }],
    ['trigger', { method: 'DELETE', url: '/v1/definitions/segments/carts' }],
    ['identity', { method: 'PUT', url: '/v1/workspaces/shop', payload: { auto_merge: false } }],
    ['identity', { method: 'PUT', url: '/v1/workspaces/fresh', payload: {}, headers: admin }],
  ];
  const soon = (answer: Promise<unknown>) =>
    Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 100, 'waits'))]);
  const stored = async () => {
    await under.definitions.put('segment', workspace, 'carts', { body: segment });
    return under.definitions.offset;
  };

  test.each(writes)('%s has taken it when the call is answered', async (reader, call) => {
    const offset = await stored();
    under.statuses[reader] = { definitions_offset: offset };
    const answered = app(call);
    expect(await soon(answered)).toBe('waits');
    under.statuses[reader] = { definitions_offset: offset + 1 };
    const { statusCode, body: text } = await answered;
    expect([statusCode, text.includes('behind')]).toEqual([200, false]);
  });

  test.each(writes)('while %s is down: 202 with what is stored and what is behind', async (reader, call) => {
    await under.server.close();
    under = testServer({ inForceWaitMsMax: 100 });
    under.statuses[reader] = { definitions_offset: (await stored()) + 1 };
    const good = await app(call);
    Reflect.deleteProperty(under.statuses, reader);
    const again = await app(call.method === 'DELETE' ? (await stored(), call) : call);
    expect([good.statusCode, again.statusCode]).toEqual([200, 202]);
    const { behind, ...rest } = again.json<{ behind: object[]; version: number }>();
    expect(behind).toEqual([{ service: reader, what: expect.stringContaining('has not started') }]);
    expect(rest.version).toBeGreaterThan(good.json<{ version: number }>().version);
    const members = (value: object) => Object.keys(value).filter((name) => name !== 'credentials'); // told once
    expect(members(rest)).toEqual(members(good.json()));
  });

  test('a workspace that is made while identity is down is answered its keys', async () => {
    await under.server.close();
    under = testServer({ inForceWaitMsMax: 100 });
    Reflect.deleteProperty(under.statuses, 'identity');
    const made = await app({ method: 'PUT', url: '/v1/workspaces/fresh', payload: {}, headers: admin });
    expect(made.statusCode).toBe(202);
    expect(made.json()).toMatchObject({
      credentials: { app_key: expect.any(String) },
      behind: [{ service: 'identity' }],
    });
  });

  test('a gateway that stops answers 202 to who waits', async () => {
    Reflect.deleteProperty(under.statuses, 'trigger');
    await under.server.listen({ host: '127.0.0.1', port: 0 });
    const answered = app({ method: 'PUT', url: '/v1/definitions/segments/carts', ...body });
    expect(await soon(answered)).toBe('waits');
    await under.server.close();
    expect((await answered).statusCode).toBe(202);
  });
});
