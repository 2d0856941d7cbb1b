/** What a PUT of a good rule is told beside its version (contract, *Definitions*). */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { appAuth, testServer, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer({});
  under.rows['DISTINCT name'] = [{ name: 'Added to Cart' }, { name: 'Order Completed' }];
});
afterEach(() => under.server.close());

interface Warning {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}
async function put(path: string, payload: object): Promise<readonly Warning[]> {
  const answer = await under.server.inject({
    method: 'PUT',
    url: `/v1/definitions/${path}`,
    payload,
    headers: { authorization: appAuth },
  });
  expect(answer.statusCode).toBe(200);
  return answer.json<{ warnings?: readonly Warning[] }>().warnings ?? [];
}
const segment = (when: unknown, name = 'A segment') => ({ name, type: 'data_driven', when });
const places = (warnings: readonly Warning[]) => warnings.map(({ pointer, code }) => `${code} at ${pointer}`);

test('a name that has never come is told with its place, wherever an event may be named, and what may have been meant', async () => {
  const never = { event: 'added to cart' };
  const warnings = await put(
    'segments/all',
    segment({
      all: [
        { event: 'Order Completed' },
        never,
        { not: { any: [never] } },
        { event: 'Order Completed', without: never, for: 'PT1H' },
        { sequence: [{ event: 'Order Completed' }, never], without: never, for: 'PT1H' },
        { event: { operator: 'starts_with', value: 'added' } },
        { type: 'page' },
        { attribute: 'added to cart', operator: 'exists' },
      ],
    }),
  );
  expect(places(warnings)).toEqual([
    'past_not_in_yet at /when',
    'event_never_seen at /when/all/1/event',
    'event_never_seen at /when/all/2/not/any/0/event',
    'event_never_seen at /when/all/3/without/event',
    'event_never_seen at /when/all/4/sequence/1/event',
    'event_never_seen at /when/all/4/without/event',
  ]);
  expect(warnings[1]?.message).toContain('did you mean Added to Cart?');
});

test('a journey is told of its trigger and of its filters', async () => {
  const journey = (trigger: unknown, rest: object = {}) => ({
    name: 'J',
    state: 'running',
    trigger,
    ...rest,
  });
  expect(places(await put('journeys/a', journey({ event: 'Nope' }, { filters: { event: 'No' } })))).toEqual([
    'event_never_seen at /trigger/event',
    'event_never_seen at /filters/event',
  ]);
  const stall = { event: 'Added to Cart', without: { event: 'Nope' }, for: 'PT1H' };
  expect(places(await put('journeys/b', journey(stall)))).toEqual([
    'event_never_seen at /trigger/without/event',
  ]);
  expect(await put('journeys/c', journey({ event: 'Added to Cart' }))).toEqual([]);
});

test('a star is no wildcard, and the answer says what is one', async () => {
  const [, star] = await put('segments/any', segment({ event: '*' }));
  expect(star).toMatchObject({ pointer: '/when/event', code: 'event_never_seen' });
  expect(star?.message).toContain('starts_with');
});

test('the past is told of when a rule is new or asks another thing, and not when it only has another name', async () => {
  const cart = { event: 'Added to Cart' };
  expect(places(await put('segments/a', segment(cart)))).toEqual(['past_not_in_yet at /when']);
  expect(await put('segments/a', segment(cart, 'Another name'))).toEqual([]);
  expect(places(await put('segments/a', segment({ ...cart, within: 'P7D' })))).toEqual([
    'past_not_in_yet at /when',
  ]);
  expect(await put('segments/b', segment({ attribute: 'plan', operator: 'eq', value: 'club' }))).toEqual([]);
  expect(await put('segments/c', { name: 'By hand', type: 'manual' })).toEqual([]);
});

test('where there are more names than are looked at nothing is said of any', async () => {
  under.rows['DISTINCT name'] = Array.from({ length: 2_001 }, (_, index) => ({ name: `n${String(index)}` }));
  expect(places(await put('segments/a', segment({ event: 'Nope' })))).toEqual(['past_not_in_yet at /when']);
});
