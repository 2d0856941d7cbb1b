/** What an edit or a removal does to those who are in is said in its answer (contract, *Definitions*). */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RulesView } from '../app/plugin.ts';
import { appAuth, testServer, type TestServer } from '../testing/gateway-server.ts';
import { noRules } from '../testing/no-services.ts';

let under: TestServer;
let past: Awaited<ReturnType<RulesView['past']>> = null;
beforeEach(() => {
  past = null;
  under = testServer({ rules: { ...noRules, past: () => Promise.resolve(past) } });
  under.rows['DISTINCT name'] = [{ name: 'Added to Cart' }, { name: 'Order Completed' }];
});
afterEach(() => under.server.close());

interface Told {
  readonly warnings?: readonly {
    readonly pointer: string;
    readonly code: string;
    readonly message: string;
  }[];
}
async function call(method: 'PUT' | 'DELETE', path: string, payload?: object) {
  const options = { method, url: `/v1/definitions/${path}`, headers: { authorization: appAuth } };
  const answer = await under.server.inject(payload === undefined ? options : { ...options, payload });
  expect(answer.statusCode).toBe(200);
  return answer.json<Told>().warnings ?? [];
}
const places = (warnings: Told['warnings'] = []) =>
  warnings.map(({ code, pointer }) => `${code} at ${pointer}`);
const stall = (time: string) => ({
  ...{ event: 'Added to Cart', without: { event: 'Order Completed' }, for: time },
});
const journey = (rest: object) => ({ name: 'J', state: 'running', trigger: stall('PT30M'), ...rest });
const bought = { name: 'Buyers', type: 'data_driven', when: { event: 'Order Completed' } };
const byHand = { name: 'Buyers', type: 'manual' };
const members = (count: number, id = 'buyers') => {
  under.rows['AS members'] = [{ segment_id: id, members: String(count) }];
};

describe('runs that wait are forgotten', () => {
  test.each([
    ['another trigger', { trigger: stall('PT4H') }, ['waiting_forgotten at /trigger']],
    ['another kind of trigger', { trigger: { identified: true } }, ['waiting_forgotten at /trigger']],
    ['another key', { key: 'cart_id' }, ['waiting_forgotten at /key']],
    ['a stop', { state: 'stopped' }, ['waiting_forgotten at /state']],
    ['another name', { name: 'K' }, []],
    ['other filters', { filters: { event: 'Order Completed' } }, []],
  ])('by %s, and it is said', async (_, edit, expected) => {
    expect(await call('PUT', 'journeys/j', journey({}))).toEqual([]);
    expect(places(await call('PUT', 'journeys/j', journey(edit)))).toEqual(expected);
    const compared = await under.server.inject({
      ...{ method: 'GET', url: '/v1/definitions/journeys/j/compare?from=1' },
      headers: { authorization: appAuth },
    });
    expect(compared.json()).toMatchObject({ effects: { stalls_forgotten: expected.length > 0 } });
  });

  test('by a removal; and of one that did not run nobody waits', async () => {
    await call('PUT', 'journeys/j', journey({}));
    expect(places(await call('DELETE', 'journeys/j'))).toEqual(['waiting_forgotten at ']);
    await call('PUT', 'journeys/k', journey({ state: 'draft' }));
    expect(await call('PUT', 'journeys/k', journey({ trigger: stall('PT4H') }))).toEqual([]);
    expect(places(await call('DELETE', 'journeys/k'))).toEqual(['waiting_forgotten at ']);
  });
});

describe('a segment that is another kind lets go of whoever is in', () => {
  test('of a rule all, and says how many', async () => {
    await call('PUT', 'segments/buyers', bought);
    members(7);
    const [told] = await call('PUT', 'segments/buyers', byHand);
    expect(told).toMatchObject({
      ...{ pointer: '/type', code: 'members_leave' },
      message: expect.stringContaining('the 7 who are in it'),
    });
    expect(await call('PUT', 'segments/buyers', { ...byHand, name: 'By hand' })).toEqual([]);
    expect(places(await call('PUT', 'segments/buyers', bought))).toContain('members_leave at /type');
  });

  test('and says nothing where nobody is in', async () => {
    await call('PUT', 'segments/buyers', bought);
    members(0);
    expect(await call('PUT', 'segments/buyers', byHand)).toEqual([]);
  });
});

test('the removal of a segment says who asks for it', async () => {
  members(3);
  await call('PUT', 'segments/buyers', bought);
  await call('PUT', 'segments/fans', { ...bought, when: { segment: 'buyers' } });
  await call('PUT', 'journeys/thanks', journey({ trigger: { segment: 'buyers', on: 'entered' } }));
  const [told] = await call('DELETE', 'segments/buyers');
  expect(told).toEqual({
    pointer: '',
    code: 'still_used',
    message: 'it is asked for by journey thanks and by segment fans: for them nobody is in it from now on',
  });
  expect(places(await call('DELETE', 'segments/fans'))).toEqual([]);
});

describe('a journey that needs somebody in a segment', () => {
  const thanks = (rest: object = {}) => journey({ trigger: { segment: 'buyers', on: 'entered' }, ...rest });
  beforeEach(() => call('PUT', 'segments/buyers', bought));

  test('is told where nobody is, by its trigger and by its filters', async () => {
    const filters = { all: [{ segment: 'buyers' }, { not: { segment: 'buyers' } }] };
    expect(places(await call('PUT', 'journeys/a', thanks({ filters })))).toEqual([
      'segment_empty at /trigger/segment',
      'segment_empty at /filters/all/0/segment',
    ]);
    members(1);
    expect(await call('PUT', 'journeys/a', thanks({ filters }))).toEqual([]);
  });

  test('and nothing while the past of the segment is read, or could not be asked for', async () => {
    past = { state: 'open', people: 1, of: 9 };
    expect(await call('PUT', 'journeys/a', thanks())).toEqual([]);
    past = { state: 'ready', people: 9, of: 9 };
    expect(places(await call('PUT', 'journeys/a', thanks()))).toEqual(['segment_empty at /trigger/segment']);
  });

  test('of one by hand, that nobody has been put into it', async () => {
    await call('PUT', 'segments/hand', byHand);
    const [told] = await call('PUT', 'journeys/a', journey({ trigger: { segment: 'hand', on: 'left' } }));
    expect(told?.message).toBe('nobody has been put into the segment hand so far, so nobody can leave it');
  });
});
