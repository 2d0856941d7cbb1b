/** The queue as Customer.io's web plugin asks for it (spec B), with the service's own processor behind it. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { contentIdOf } from '../../schemas/content-ids.ts';
import {
  claimed,
  did,
  InAppRig,
  laneOf,
  modal,
  SECOND,
  SHOP,
  T0,
  WORKSPACE,
} from '../testing/scenarios/in-app-rig.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

const TOKEN = '0b0f4d0e-8f5a-4f0e-9d52-1d1f0c8a4f11';

function headers(more: Record<string, string> = {}): Record<string, string> {
  return {
    'x-cio-site-id': 'site_123',
    'x-cio-client-platform': 'web',
    'x-gist-encoded-user-token': Buffer.from(TOKEN).toString('base64'),
    'x-gist-user-anonymous': 'true',
    ...more,
  };
}

interface Queue {
  readonly inAppMessages: readonly {
    readonly queueId: string;
    readonly properties: Record<string, unknown>;
  }[];
}
const pull = (at: number, more: Record<string, string> = {}) =>
  rig.post('/api/v4/users?sessionId=s1', {}, at, headers(more));

test('a message has the shape that the plugin reads: place, page rule, frequency, numbers to report by', async () => {
  rig.message('hello', {
    pages: [{ contains: 'a.b' }, { equals: '/cart' }],
    frequency: { times: 2, gap: 'PT1M' },
    priority: 7,
    content: { ...modal, kind: 'overlay', position: 'top-left' },
  });
  const answer = await pull(T0);
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['x-gist-queue-polling-interval']).toBe('10');
  expect(String(answer.headers['access-control-expose-headers'])).toContain('X-Gist-Queue-Polling-Interval');
  expect(answer.json()).toMatchObject({
    inboxMessages: [],
    inAppMessages: [
      {
        messageId: 'hello',
        queueId: 'hello',
        priority: 7,
        properties: {
          hindsight: { message_id: 'hello', variant: 'default', token: TOKEN, content: { title: 'Hello' } },
          gist: {
            routeRuleWeb: '^(.*a\\.b.*)|(/cart)$',
            elementId: 'x-gist-floating-top-left',
            broadcast: {
              broadcastIdInt: contentIdOf('hello'),
              templateId: 1,
              frequency: { count: 2, delay: 60, ignoreDismiss: false },
            },
          },
        },
      },
    ],
  });
});

test('who is identified is answered an empty queue, which replaces what the plugin has (spec E row 49)', async () => {
  rig.message('hello');
  expect((await pull(T0)).json<Queue>().inAppMessages).toHaveLength(1);
  const identified = await pull(T0, { 'x-gist-user-anonymous': 'false' });
  expect([identified.statusCode, identified.json()]).toEqual([200, { inAppMessages: [], inboxMessages: [] }]);
});

test('an unknown site and a visitor without a token get nothing (spec E rows 46 and 47)', async () => {
  rig.message('hello');
  expect((await pull(T0, { 'x-cio-site-id': 'other' })).statusCode).toBe(401);
  expect((await pull(T0, { 'x-gist-encoded-user-token': '' })).json<Queue>().inAppMessages).toEqual([]);
});

test('what it has shown is counted once, and goes by the frequency here, too', async () => {
  rig.message('once', { frequency: { mode: 'once' } });
  const [message] = (await pull(T0)).json<Queue>().inAppMessages;
  const logged = await rig.post(`/api/v1/logs/queue/${message?.queueId ?? ''}`, {}, T0, headers());
  expect(logged.statusCode).toBe(200);
  expect(rig.told('once')).toEqual(['eligible', 'shown']);
  expect((await pull(T0 + SECOND)).json<Queue>().inAppMessages).toEqual([]);
});

test('a token has no stream, so a rule on events is not for it; once our renderer has said who it is, it is', async () => {
  rig.message('cart', { audience: { event: 'Added to Cart' } }).message('hello');
  rig.feed(did({ at: T0 }));
  const ids = async (at: number) =>
    (await pull(at)).json<Queue>().inAppMessages.map(({ queueId }) => queueId);
  expect(await ids(T0)).toEqual(['hello']);
  const { show, exposure } = await rig.show('hello', T0, { token: TOKEN, page: SHOP });
  expect(show).toBe(true);
  await rig.post('/api/v1/logs/queue/hello', {}, T0, headers());
  expect(rig.told('hello')).toEqual(['eligible', 'shown']);
  expect(await ids(T0 + SECOND)).toEqual([]); // it is on the screen, and the other waits until it is closed
  expect(rig.told()).toEqual(['eligible', 'shown', 'eligible', 'refused another_message']);
  await rig.report('hello', exposure, T0 + 60 * SECOND);
  expect(await ids(T0 + 61 * SECOND)).toEqual(['cart']);
  rig.feed(claimed('ann', 'cio_1', T0 + 62 * SECOND));
  expect(await ids(T0 + 62 * SECOND)).toEqual([]);
});

test('a variant that was offered to the token is what is shown, whichever the visitor’s own name would have drawn', async () => {
  const variants = ['a', 'b'].map((id) => ({ id, weight: 1, content: modal }));
  rig.message('ab', { content: undefined, variants, frequency: { mode: 'once' } });
  const [message] = (await pull(T0)).json<Queue>().inAppMessages;
  const { variant } = message?.properties['hindsight'] as { readonly variant: string };
  for (let visitor = 0; visitor < 8; visitor += 1) {
    const who = `visitor-${String(visitor)}`;
    expect(await rig.show('ab', T0, { who, token: TOKEN, variant })).toMatchObject({ show: true, variant });
  }
});

test('a click comes as an event of the visitor, with the message as a number (spec E rows 42 and 69)', () => {
  rig.message('hello');
  const properties = { actionType: 'clicked_content', contentId: contentIdOf('hello'), actionName: 'go' };
  rig.feed(did({ name: 'Report Content Event', at: T0, properties }));
  rig.feed(
    did({
      name: 'Report Content Event',
      at: T0,
      properties: { ...properties, actionType: 'viewed_content' },
    }),
  );
  expect(rig.told('hello')).toEqual(['clicked go']);
});

test('our renderer, which is told no page, may show a message of some pages: the plugin has gone by their rules', async () => {
  rig.message('cart', { pages: [{ contains: '/cart' }] });
  const [message] = (await pull(T0)).json<Queue>().inAppMessages;
  expect(message?.properties['gist']).toMatchObject({ routeRuleWeb: '^(.*/cart.*)$' });
  expect(await rig.show('cart', T0, { token: TOKEN, page: SHOP })).toMatchObject({ show: true });
  expect((await rig.show('cart', T0, { who: 'bob', page: SHOP })).reason).toBe('page');
});

test('what was dismissed on some page is no news at each poll, since nobody here knows the page', async () => {
  rig.message('cart', { pages: [{ contains: '/cart' }] });
  const { exposure } = await rig.show('cart', T0, { token: TOKEN });
  await rig.report('cart', exposure, T0 + SECOND);
  const before = rig.told();
  for (const seconds of [10, 20, 30]) await pull(T0 + seconds * SECOND);
  expect(rig.told()).toEqual(before);
  const moment = { at: T0 + 40 * SECOND, page: null, agent: null, isIdentified: false, isAnyPage: true };
  const asked = { workspace: WORKSPACE, lane: laneOf('ann'), anonymousId: 'ann', moment };
  expect(await rig.onSite.view.poll(asked)).toMatchObject({ messages: [], hasNews: false });
});

test('the eight slots of the plugin: two within the page for banners, six over it for overlays (spec E row 64)', async () => {
  const over = ['top', 'bottom', 'top-left', 'top-right', 'bottom-left', 'bottom-right'];
  const places = [
    ...['top', 'bottom'].map((position) => ({ kind: 'banner', position, slot: `x-gist-${position}` })),
    ...over.map((position) => ({ kind: 'overlay', position, slot: `x-gist-floating-${position}` })),
  ];
  for (const { kind, position } of places) {
    rig.message(`${kind}-${position}`, { content: { ...modal, kind, position } });
  }
  const { inAppMessages } = (await pull(T0)).json<Queue>();
  const slots = inAppMessages.map(({ queueId, properties }) => [
    queueId,
    (properties['gist'] as { elementId: string }).elementId, // as the plugin reads it
  ]);
  expect(Object.fromEntries(slots)).toEqual(
    Object.fromEntries(places.map(({ kind, position, slot }) => [`${kind}-${position}`, slot])),
  );
});
