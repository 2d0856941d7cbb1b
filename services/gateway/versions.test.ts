/** The versions of a definition over HTTP: listed, read, compared. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appAuth, testServer, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer();
});
afterEach(() => under.server.close());

const call = async (method: 'GET' | 'PUT' | 'DELETE', path: string, payload?: object, auth = appAuth) => {
  const options = { method, url: `/v1/definitions/${path}`, headers: { authorization: auth } };
  const answer = await under.server.inject(payload === undefined ? options : { ...options, payload });
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
};
const journey = (rest: object) => ({ name: 'J', state: 'running', ...rest });
const stall = (minutes: number) => ({
  trigger: { event: 'Checkout Started', without: { event: 'Order Completed' }, for: `PT${String(minutes)}M` },
});

describe('the versions of a journey', () => {
  test('are listed newest first with what each changed, over a removal', async () => {
    await call('PUT', 'journeys/j', journey(stall(10)));
    await call('PUT', 'journeys/j', journey({ ...stall(20), name: 'K' }));
    await call('DELETE', 'journeys/j');
    expect((await call('GET', 'journeys/j')).status).toBe(404);
    await call('PUT', 'journeys/j', journey(stall(20)));
    const { status, body } = await call('GET', 'journeys/j/versions');
    expect([status, body]).toMatchObject([
      200,
      {
        id: 'j',
        complete: true,
        versions: [
          { version: 4 },
          { version: 3, deleted: true },
          { version: 2, changed: ['name', 'trigger'], since_version: 1 },
          { version: 1 },
        ],
      },
    ]);
    const second = await call('GET', 'journeys/j/versions/2');
    expect(second.body).toMatchObject({ version: 2, definition: { name: 'K' } });
    expect((await call('GET', 'journeys/j/versions/3')).body).toMatchObject({ deleted: true });
  });

  test('are compared by pointer, with what the edit means for people already in', async () => {
    const filters = { event: 'Order Completed' };
    await call('PUT', 'journeys/j', journey(stall(10)));
    await call('PUT', 'journeys/j', journey({ ...stall(10), name: 'K' }));
    await call('PUT', 'journeys/j', journey({ ...stall(20), filters }));
    const renamed = await call('GET', 'journeys/j/compare?from=1&to=2');
    expect(renamed.body).toMatchObject({
      from: { version: 1 },
      to: { version: 2 },
      differences: [{ pointer: '/name', from: 'J', to: 'K' }],
      effects: { conditions_changed: false, stalls_forgotten: false },
    });
    const edited = await call('GET', 'journeys/j/compare?from=2');
    expect(edited.body).toMatchObject({
      to: { version: 3 },
      differences: [
        { pointer: '/name', from: 'K', to: 'J' },
        { pointer: '/trigger/for', from: 'PT10M', to: 'PT20M' },
        { pointer: '/filters', to: filters },
      ],
      effects: { conditions_changed: true, stalls_forgotten: true },
    });
  });

  test('need the app key, and what is not there is 404, what is no number 400', async () => {
    expect((await call('GET', 'journeys/j/versions')).status).toBe(404);
    await call('PUT', 'journeys/j', journey(stall(10)));
    expect((await call('GET', 'journeys/j/versions', undefined, 'Bearer no')).status).toBe(401);
    expect((await call('GET', 'journeys/j/versions/9')).status).toBe(404);
    expect((await call('GET', 'journeys/j/compare?from=1&to=9')).status).toBe(404);
    const wrong = await call('GET', 'journeys/j/compare?to=x');
    expect([wrong.status, wrong.body]).toMatchObject([
      400,
      { errors: [{ pointer: '/from' }, { pointer: '/to' }] },
    ]);
  });
});

test('segments and messages have theirs, too', async () => {
  const segment = { name: 'S', type: 'data_driven', when: { event: 'x' } };
  await call('PUT', 'segments/s', segment);
  await call('PUT', 'segments/s', { ...segment, when: { event: 'x', within: 'P1D' } });
  expect((await call('GET', 'segments/s/compare?from=1')).body).toMatchObject({
    differences: [{ pointer: '/when/within', to: 'P1D' }],
    effects: { conditions_changed: true },
  });
  expect((await call('GET', 'messages/m/versions')).status).toBe(404);
});
