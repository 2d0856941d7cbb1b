/** `…/replay` and `…/rehearse` over HTTP: what is asked of the service that decides, what is refused, what is answered. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { AnsweredReplay, AskedReplay, ReplayedOutcome, RulesView } from '../app/ports.ts';
import { appAuth, testServer, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer | undefined;
afterEach(() => under?.server.close());

const journey = { name: 'J', state: 'draft', trigger: { event: 'Added to Cart' } };
const FROM = '2026-01-05T00:00:00Z';
const TO = '2026-01-06T00:00:00Z';

async function serve(rules: Partial<RulesView>): Promise<TestServer> {
  under = testServer({ rules });
  under.rows['FROM identities'] = [{ person_id: 'cio_a' }];
  const headers = { authorization: appAuth };
  await under.server.inject({ method: 'PUT', url: '/v1/definitions/journeys/j', headers, payload: journey });
  return under;
}
async function call({ server }: TestServer, path: string, payload?: object, key = appAuth) {
  const method = payload === undefined ? 'GET' : 'POST';
  const options = { method, url: `/v1/definitions/journeys/${path}`, headers: { authorization: key } };
  const answer = await server.inject(payload === undefined ? options : { ...options, payload });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<Record<string, unknown>>() };
}
const pointers = (body: Record<string, unknown>) =>
  (body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);

const entered: ReplayedOutcome = {
  type: 'journey_entered',
  at: 1,
  key: null,
  triggerMessageId: 'm1',
  evidence: null,
};
const skipped: ReplayedOutcome = {
  ...{ type: 'journey_skipped', at: 2, key: 'c1', triggerMessageId: 'm2' },
  ...{ reason: 'frequency', detail: { mode: 'once' } },
};
const answered: AnsweredReplay = {
  ...{ type: 'replayed', version: 1, people: 2, of: 9, entered: 1, skipped: { frequency: 1 }, leftOut: [] },
  ...{ withoutTrigger: 0, arrivedLate: 1, otherWay: 3 },
  sample: {
    entered: [{ personId: 'cio_a', outcome: entered }],
    skipped: [{ personId: 'cio_b', outcome: skipped }],
  },
  next: 'cio_b',
};

describe('a replay over HTTP', () => {
  test('says who would have entered and who not and why, and where the next call goes on', async () => {
    const asked: AskedReplay[] = [];
    const shop = await serve({
      replay: (one) => {
        asked.push(one);
        return Promise.resolve(answered);
      },
    });
    const { status, body } = await call(shop, 'j/replay', { from: FROM, to: TO, start: 'cio_0' });
    expect([status, body]).toMatchObject([
      200,
      {
        rule: { id: 'j', version: 1 },
        ...{ from: '2026-01-05T00:00:00.000Z', people: 2, of: 9, entered: 1, next: 'cio_b' },
        sample: {
          entered: [{ person: { cio_id: 'cio_a' }, outcome: 'entered', trigger_message_id: 'm1' }],
          skipped: [{ outcome: 'skipped', reason: 'frequency', detail: { mode: 'once' }, key: 'c1' }],
        },
      },
    ]);
    const shared = { workspace: 'shop', from: Date.parse(FROM), to: Date.parse(TO), by: 'event_time' };
    expect(body).toMatchObject({ by: 'event_time', complete: false, arrived_late: 1, other_way: 3 });
    expect(body['says']).toMatch(
      /^Of 9 people .* 2 were looked at .* would have entered once and been skipped once \(frequency 1\)\. .*not complete: .* Triggers that lead to something else, .* with "by": "arrival": 1\. .* not looked at here: 3\.$/,
    );
    expect(body).not.toHaveProperty('warnings');
    const draft = { ...journey, trigger: { event: 'Other' } };
    const given = await call(shop, 'k/replay', { from: FROM, to: TO, definition: draft });
    expect(given.body).toMatchObject({
      rule: { id: 'k', version: null },
      warnings: [{ pointer: '/trigger/event', code: 'event_never_seen' }],
    });
    expect(asked).toEqual([
      { ...shared, journeyId: 'j', body: null, after: 'cio_0' },
      { ...shared, journeyId: 'k', body: draft, after: '' },
    ]);
  });

  test('is refused with every fault, and needs the app key and a journey', async () => {
    const shop = await serve({ replay: () => Promise.resolve(answered) });
    const bad = { to: '2200-01-01T00:00:00Z', start: 5, more: 1, definition: { ...journey, state: 'odd' } };
    const { status, body } = await call(shop, 'j/replay', { ...bad, from: FROM });
    expect([status, pointers(body)]).toEqual([400, ['/more', '/start', '/to', '/definition/state']]);
    expect(pointers((await call(shop, 'j/replay', {})).body)).toEqual(['/from']);
    expect(pointers((await call(shop, 'j/replay', { from: TO, to: FROM })).body)).toEqual(['/from']);
    const long = { from: '2024-01-01T00:00:00Z', to: TO };
    expect(pointers((await call(shop, 'j/replay', long)).body)).toEqual(['/from']);
    const range = { from: FROM, to: TO };
    expect((await call(shop, 'k/replay', range)).status).toBe(404);
    expect((await call(shop, 'j/replay', range, 'Bearer no')).status).toBe(401);
  });

  test('is 429 while another runs', async () => {
    const shop = await serve({ replay: () => Promise.resolve({ type: 'busy' }) });
    const { status, headers } = await call(shop, 'j/replay', { from: FROM, to: TO });
    expect([status, headers['retry-after']]).toEqual([429, '10']);
  });
});

describe('a rehearsal over HTTP', () => {
  test('of a moment that is past goes by the history, of one to come by the state', async () => {
    const shop = await serve({
      rehearse: ({ at, personId, key }) =>
        Promise.resolve({ type: 'rehearsed', explained: { personId, at, key }, before: [skipped] }),
      explain: ({ at, kind, key }) => {
        const asOf = { partition: 0, offset: 1, definitionsOffset: 1, readTo: 1, at: at ?? 0 };
        return Promise.resolve({ type: 'explained', explained: { kind, key }, asOf });
      },
    });
    const past = await call(shop, `j/rehearse?person=ada&at=${FROM}&key=c1`);
    expect([past.status, past.body]).toMatchObject([
      200,
      {
        personId: 'cio_a',
        key: 'c1',
        from: 'history',
        before: [{ outcome: 'skipped', reason: 'frequency' }],
      },
    ]);
    const later = await call(shop, 'j/rehearse?person=ada&at=2200-01-01T00:00:00Z');
    expect(later.body).toMatchObject({
      kind: 'journey',
      key: null,
      from: 'state',
      at: '2200-01-01T00:00:00.000Z',
    });
  });

  test('needs a person, a time that is one, and a journey', async () => {
    const shop = await serve({});
    expect(pointers((await call(shop, 'j/rehearse?at=soon')).body)).toEqual(['/person', '/at']);
    expect((await call(shop, 'k/rehearse?person=ada')).status).toBe(404);
    shop.rows['FROM identities'] = [];
    expect((await call(shop, 'j/rehearse?person=ada')).status).toBe(404);
  });
});
