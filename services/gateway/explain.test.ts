/** `GET /v1/explain/segments|journeys/{id}` over HTTP: who may ask, what is refused, what is answered. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { AskedWhy, RulesView } from '../app/ports.ts';
import { appAuth, testServer, type TestServer } from '../testing/gateway-server.ts';
import { TriggerAsker } from './trigger-view.ts';

let under: TestServer | undefined;
afterEach(() => under?.server.close());

function serve(explain: RulesView['explain']): TestServer {
  under = testServer({ rules: { explain } });
  under.rows['FROM identities'] = [{ person_id: 'cio_a' }];
  return under;
}
const get = ({ server }: TestServer, url: string, authorization = appAuth) =>
  server.inject({ method: 'GET', url, headers: { authorization } });

describe('why somebody is in a segment', () => {
  test('is answered with the position and the moment that it is as of', async () => {
    const asked: AskedWhy[] = [];
    const shop = serve((one) => {
      asked.push(one);
      const asOf = { partition: 3, offset: 17, definitionsOffset: 4, readTo: 1_000, at: 2_000 };
      return Promise.resolve({ type: 'explained', explained: { result: true }, asOf });
    });
    const answer = await get(shop, '/v1/explain/segments/keen?person=ada&at=1970-01-01T00:00:02Z');
    expect(answer.json()).toEqual({
      result: true,
      at: '1970-01-01T00:00:02.000Z',
      as_of: { partition: 3, offset: 17, definitions_offset: 4, read_to: '1970-01-01T00:00:01.000Z' },
    });
    await get(shop, '/v1/explain/journeys/nudge?person=ada&key=c1');
    const shared = { workspace: 'shop', personId: 'cio_a' };
    expect(asked).toEqual([
      { ...shared, kind: 'segment', ruleId: 'keen', key: null, at: 2_000 },
      { ...shared, kind: 'journey', ruleId: 'nudge', key: 'c1', at: null },
    ]);
  });

  test('tells the events that came and were not counted, and why, and names those that it rests on', async () => {
    const orders = { event: 'Order Completed', where: [{ property: 'total', operator: 'gte', value: 200 }] };
    const any = { event: { operator: 'exists' } };
    const told = { result: false, value: 0, events: [], rests_on: [] };
    const conditions = [
      { ...told, pointer: '/when/all/0', says: 'did Order Completed so that its tests hold 0 times' },
      {
        ...{ ...told, pointer: '/when/all/1', result: true, value: 1, events: ['m2'], says: 'did any' },
        rests_on: [{ message_id: 'm2', name: null, timestamp: '1970-01-01T00:00:01.000Z' }],
      },
    ];
    const asOf = { partition: 0, offset: 1, definitionsOffset: 1, readTo: 5_000, at: 5_000 };
    const explained = { person_id: 'cio_a', result: false, conditions };
    const shop = serve(() => Promise.resolve({ type: 'explained', explained, asOf }));
    const row = { type: 'event', name: 'Order Completed', bot: false };
    const order = (id: string, at: number, properties: string) => ({
      ...{ ...row, message_id: id, at: String(at), received: String(at), properties },
    });
    shop.rows['AS received'] = [order('m2', 1_000, '{"total":"250"}'), order('m1', 500, '{"total":120}')];
    shop.rows['any(name)'] = [{ message_id: 'm2', named: 'Order Completed' }];
    await shop.server.inject({
      ...{ method: 'PUT', url: '/v1/definitions/segments/vip', headers: { authorization: appAuth } },
      payload: { name: 'VIP', type: 'data_driven', when: { all: [orders, any] } },
    });
    const answer = await get(shop, '/v1/explain/segments/vip?person=ada');
    expect(answer.json()).toMatchObject({
      conditions: [
        {
          says: 'did Order Completed so that its tests hold 0 times; not counted are 2 of another content: at 1970-01-01T00:00:01.000Z total is "250", a text (asked is gte 200); at 1970-01-01T00:00:00.500Z total is 120 (asked is gte 200)',
          not_counted: [
            { message_id: 'm2', failed: [{ property: 'total', value: '250' }] },
            { message_id: 'm1', failed: [{ property: 'total', value: 120 }] },
          ],
        },
        { rests_on: [{ message_id: 'm2', name: 'Order Completed' }] },
      ],
    });
  });

  test('needs the app key, a person, and a time that is one', async () => {
    const shop = serve(() => Promise.resolve({ type: 'rule_unknown' }));
    const codes = async (url: string) => (await get(shop, url)).json<{ errors: { pointer: string }[] }>();
    expect((await get(shop, '/v1/explain/segments/keen?person=ada', 'Bearer no')).statusCode).toBe(401);
    expect(
      (await codes('/v1/explain/segments/keen?key=1&at=soon')).errors.map(({ pointer }) => pointer),
    ).toEqual(['/person', '/key', '/at']);
    const unknown = await get(shop, '/v1/explain/segments/keen?person=ada');
    expect([unknown.statusCode, unknown.body.includes('could not find segment keen')]).toEqual([404, true]);
    shop.rows['FROM identities'] = [];
    const nobody = await get(shop, '/v1/explain/segments/keen?person=ada');
    expect([nobody.statusCode, nobody.body.includes('could not find person ada')]).toEqual([404, true]);
  });

  test('is 503 when the service that decides is not there', async () => {
    const asker = new TriggerAsker({ dataFolder: '/nowhere' });
    const shop = serve((asked) => asker.explain(asked));
    await shop.server.inject({
      ...{ method: 'PUT', url: '/v1/definitions/segments/keen', headers: { authorization: appAuth } },
      payload: { name: 'Keen', type: 'data_driven', when: { event: 'A' } },
    });
    const answer = await get(shop, '/v1/explain/segments/keen?person=ada');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    const unknown = await get(shop, '/v1/explain/segments/keem?person=ada');
    expect([unknown.statusCode, unknown.body.includes('could not find segment keem')]).toEqual([404, true]);
    expect([answer.statusCode, answer.json<{ meta: { code: string } }>().meta.code]).toEqual([
      503,
      'trigger_unavailable',
    ]);
    await asker.close();
  });
});
