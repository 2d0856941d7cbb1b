/** What a page may write into its events, which anybody with its public key may send: no event fails, and none costs more than its length. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { contentIdOf } from '../../schemas/content-ids.ts';
import { runs } from '../testing/runs.ts';
import { did, InAppRig, T0 } from '../testing/scenarios/in-app-rig.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

describe('a report of a message by its number', () => {
  const report = (contentId: unknown) => {
    const properties = { actionType: 'clicked_content', contentId, actionName: 'go' };
    return did({ name: 'Report Content Event', at: T0, properties });
  };

  // A record that fails has its task start again, for all workspaces of the partition.
  test.each([
    ['an object whose toString is no function', { toString: 1 }],
    ['the same in a list', [{ toString: 1, valueOf: 2 }]],
    ['null', null],
    ['true', true],
    ['a list of the number', [contentIdOf('hello')]],
  ])('%s is of no message', (_what, contentId) => {
    rig.message('hello');
    rig.feed(report(contentId));
    expect(rig.told()).toEqual([]);
  });

  test('the number as text is of the message', () => {
    rig.message('hello');
    rig.feed(report(String(contentIdOf('hello'))));
    expect(rig.told()).toEqual(['clicked go']);
  });

  test('is found whatever many messages there are, and however long what stands in its place is', () => {
    for (let each = 0; each < 300; each += 1) {
      rig.harness.define('message', 'shop', `m${String(each)}`, {
        name: 'm',
        state: 'running',
        content: { kind: 'modal', title: 'x' },
      });
    }
    rig.feed();
    const list = Array.from({ length: 5_000 }, (_, index) => index + 0.5);
    rig.feed(report(list)); // messages are parsed
    const began = process.cpuUsage();
    for (let times = 0; times < 20; times += 1) rig.feed(report(list));
    expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
  });
});

/** JSON with members that JavaScript asks for by itself when it makes a text or a number of an object. */
const named = fc.constantFrom('toString', 'valueOf', 'toJSON', '__proto__', 'constructor', 'length', 'then');
const hostile: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, -0, 1e308, -1e308, 5e-324, '', ' ', '1e999', '\ud800', '\u0000'),
    fc.string({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(named, fc.string({ maxLength: 5 })), tie('value'), { maxKeys: 3 }),
  ),
})).value;

const names = [
  ...['Report Content Event', 'Product Viewed', 'Added to Cart', 'Product Removed', 'Order Completed'],
  ...['Anything', '__proto__'],
];
const fields = [
  ...['actionType', 'contentId', 'actionName', 'items', 'products', 'price', 'quantity', 'total', 'currency'],
  ...[
    'sku',
    'name',
    'category',
    'url',
    'a',
    'timezone',
    'locale',
    'campaign',
    'location',
    'page',
    'userAgent',
  ],
];
const strange = fc.dictionary(named, hostile, { minKeys: 1, maxKeys: 2 });
const bag = fc
  .tuple(
    strange,
    fc.array(fc.tuple(fc.constantFrom(...fields), fc.oneof(hostile, strange)), { maxLength: 8 }),
  )
  .map(([contentId, members]) => ({
    contentId,
    ...Object.fromEntries(members),
    actionType: 'clicked_content',
  }));

test('whatever a visitor sends under whatever name is handled, and their next poll is answered', async () => {
  rig.message('hello', {
    content: { kind: 'modal', title: '{{ last_item.name }} {{ visitor.a }}', body: 'x' },
  });
  rig.message('cart', {
    audience: {
      all: [
        { event: 'Added to Cart', where: [{ property: 'price', operator: 'gt', value: 1 }] },
        { attribute: 'a', operator: 'contains', value: 'b' },
      ],
    },
    caps: { day: 1 },
  });
  let visitors = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ name: fc.constantFrom(...names), properties: bag, context: bag }), {
        minLength: 1,
        maxLength: 5,
      }),
      async (events) => {
        const who = `v${String((visitors += 1))}`;
        for (const { name, properties, context } of events) {
          rig.feed(did({ who, name, at: T0, properties, context }));
          rig.feed(did({ who, name: null, type: 'identify', at: T0, properties, context }));
          rig.feed(did({ who, name, type: 'page', at: T0, properties, context }));
        }
        expect((await rig.poll(T0, { who })).status).toBe(200);
      },
    ),
    { numRuns: runs(100) },
  );
});
