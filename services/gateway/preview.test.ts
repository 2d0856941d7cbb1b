/** `POST /v1/definitions/segments/{id}/preview` over HTTP; that the SQL answers as the stream does is sql.real.test.ts. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { appAuth, testServer, workspace, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer | undefined;
afterEach(() => under?.server.close());

const segment = { name: 'Carts', type: 'data_driven', when: { event: 'Added to Cart', within: 'P7D' } };
function serve(): TestServer {
  under = testServer();
  under.rows['AS people'] = [{ people: '3', sample: ['cio_a', 'cio_b'] }];
  under.rows['SELECT person_id, id, email'] = [{ person_id: 'cio_b', id: 'ben', email: null }];
  return under;
}
const post = ({ server }: TestServer, id: string, payload?: object, authorization = appAuth) =>
  server.inject({
    method: 'POST',
    url: `/v1/definitions/segments/${id}/preview`,
    headers: { authorization },
    ...(payload === undefined ? {} : { payload }),
  });

describe('a preview', () => {
  test('says how many and who, of a definition in the body, which is not stored', async () => {
    const shop = serve();
    const answer = await post(shop, 'carts', segment);
    expect(answer.json()).toMatchObject({ count: 3, sample: [{ cio_id: 'cio_b', id: 'ben', email: null }] });
    expect(shop.definitions.get('segment', workspace, 'carts')).toBeUndefined();
  });

  test('is of the stored definition without a body, and there is none of what is not stored', async () => {
    const shop = serve();
    expect((await post(shop, 'carts')).statusCode).toBe(404);
    await shop.definitions.put('segment', workspace, 'carts', { body: segment });
    expect((await post(shop, 'carts')).json()).toMatchObject({ count: 3 });
  });

  test('of a body beside a stored definition says how many would enter it and leave it', async () => {
    const shop = serve();
    shop.rows['AS leave'] = [{ enter: '2', leave: '5', entering: ['cio_a', 'cio_b'], leaving: ['cio_c'] }];
    const carl = { person_id: 'cio_c', id: 'carl', email: null };
    shop.rows['SELECT person_id, id, email'] = [{ person_id: 'cio_b', id: 'ben', email: null }, carl];
    expect(await post(shop, 'carts', segment).then((answer) => answer.json<object>())).not.toHaveProperty(
      'enter',
    );
    await shop.definitions.put('segment', workspace, 'carts', { body: segment });
    const edit = { ...segment, when: { event: 'Added to Cart', within: 'P1D' } };
    expect((await post(shop, 'carts', edit)).json()).toMatchObject({
      ...{ count: 3, enter: 2, leave: 5, sample: [{ id: 'ben' }] },
      ...{ enter_sample: [{ id: 'ben' }], leave_sample: [{ cio_id: 'cio_c', id: 'carl' }] },
    });
    expect((await post(shop, 'carts')).json()).not.toHaveProperty('leave');
  });

  test('has the warnings of a PUT, with what was likely meant', async () => {
    const shop = serve();
    shop.rows['DISTINCT name'] = [{ name: 'Added to Cart' }];
    const warned = async (when: object) =>
      (await post(shop, 'carts', { ...segment, when })).json<{ warnings?: object[] }>().warnings;
    expect(await warned({ event: 'Addd to Cart' })).toMatchObject([
      {
        pointer: '/when/event',
        code: 'event_never_seen',
        message: expect.stringMatching(/mean Added to Cart/),
      },
    ]);
    expect(await warned({ event: 'Added to Cart' })).toBeUndefined();
    shop.rows['AS members'] = [{ segment_id: 'carts', members: '2' }];
    await shop.definitions.put('segment', workspace, 'carts', { body: { name: 'VIPs', type: 'manual' } });
    expect(await warned({ attribute: 'age', operator: 'gt', value: '18' })).toMatchObject([
      { code: 'members_leave', pointer: '/type' },
      { code: 'compares_text', pointer: '/when/value' },
    ]);
  });

  test('has the faults of a PUT, and nothing to say of a manual segment', async () => {
    const shop = serve();
    const codes = async (body: object) =>
      (await post(shop, 'carts', body)).json<{ errors: { pointer: string; code: string }[] }>().errors;
    expect(await codes({ ...segment, when: { event: '' } })).toMatchObject([{ pointer: '/when/event' }]);
    expect(await codes({ ...segment, when: { segment: 'none' } })).toMatchObject([
      { code: 'unknown_segment' },
    ]);
    expect(await codes({ ...segment, when: { segment: 'carts' } })).toMatchObject([{ code: 'circular' }]);
    expect(await codes({ name: 'VIPs', type: 'manual' })).toMatchObject([{ pointer: '/type' }]);
    expect((await post(shop, 'carts', segment, 'Bearer no')).statusCode).toBe(401);
  });
});
