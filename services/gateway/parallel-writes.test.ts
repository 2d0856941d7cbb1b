/** The same thing written many times at once, as a deployment that is retried does: one outcome, told to all. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { toWorkspace } from '../../schemas/ids.ts';
import { definitionsMax } from '../app/definitions.ts';
import { adminKey, appAuth, testServer, workspace, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
afterEach(() => under.server.close());

const eight = Array.from({ length: 8 }, (_, index) => index);
const segment = (name: string) => ({ name, type: 'data_driven', when: { event: 'x', within: 'P7D' } });

describe('security 9: parallel writes', () => {
  test('of a new workspace make one set of keys, which every answer tells', async () => {
    under = testServer();
    const put = (name: string, index: number) =>
      under.server.inject({
        method: 'PUT',
        url: `/v1/workspaces/${name}`,
        payload: { auto_merge: index % 2 === 0 },
        headers: { authorization: `Bearer ${adminKey}` },
      });
    const [shops, others] = await Promise.all([
      Promise.all(eight.map((index) => put('shop-2', index))),
      Promise.all(eight.map((index) => put('shop-3', index))),
    ]);
    for (const [name, answers] of [
      ['shop-2', shops],
      ['shop-3', others],
    ] as const) {
      const bodies = answers.map((answer) => answer.json<Record<string, unknown>>());
      expect(answers.map(({ statusCode }) => statusCode)).toEqual(eight.map(() => 200));
      const [first] = bodies.map(({ credentials }) => credentials as Record<string, string>);
      for (const { credentials } of bodies) expect(credentials).toEqual(first);
      // Each tells of what itself has written, whatever was written next.
      expect(bodies.map(({ version }) => version).sort()).toEqual(eight.map((index) => index + 1));
      expect(bodies.map(({ settings }) => (settings as { auto_merge: boolean }).auto_merge)).toEqual(
        eight.map((index) => index % 2 === 0),
      );
      const answer = await under.server.inject({
        method: 'GET',
        url: `/v1/workspaces/${name}`,
        headers: { authorization: `Bearer ${first?.['app_key'] ?? ''}` },
      });
      expect(answer.json()).toMatchObject({ name });
    }
    expect((await put('shop-2', 0)).json()).not.toHaveProperty('credentials');
  });

  test('of one definition have a version each and answer with what each has written', async () => {
    under = testServer();
    const answers = await Promise.all(
      eight.map((index) =>
        under.server.inject({
          method: 'PUT',
          url: '/v1/definitions/segments/carts',
          payload: segment(String(index)),
          headers: { authorization: appAuth },
        }),
      ),
    );
    const bodies = answers.map((answer) => answer.json<{ version: number; definition: { name: string } }>());
    expect(bodies.map(({ version }) => version).sort()).toEqual(eight.map((index) => index + 1));
    expect(bodies.map(({ definition }) => definition.name)).toEqual(eight.map(String));
  });

  test('of new definitions stop at the limit', async () => {
    under = testServer();
    for (let index = 1; index < definitionsMax; index++)
      void under.definitions.put('segment', workspace, `s-${String(index)}`, { body: segment('x') });
    await under.definitions.put('segment', toWorkspace('other'), 's', { body: segment('x') });
    const answers = await Promise.all(
      eight.map((index) =>
        under.server.inject({
          method: 'PUT',
          url: `/v1/definitions/segments/new-${String(index)}`,
          payload: segment('x'),
          headers: { authorization: appAuth },
        }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array<number>(7).fill(400)]);
    expect(under.definitions.list('segment', workspace)).toHaveLength(definitionsMax);
  });

  test('of one removal: one has removed it, the others find nothing', async () => {
    under = testServer();
    await under.definitions.put('segment', workspace, 'carts', { body: segment('x') });
    const answers = await Promise.all(
      eight.map(() =>
        under.server.inject({
          method: 'DELETE',
          url: '/v1/definitions/segments/carts',
          headers: { authorization: appAuth },
        }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array<number>(7).fill(404)]);
  });
});
