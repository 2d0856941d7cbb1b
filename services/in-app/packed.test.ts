/** What is packed comes out as it was, and is short. A failure prints its seed. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assert } from '../runtime/errors.ts';
import { runs } from '../testing/runs.ts';
import { did, InAppRig, laneOf, SECOND, SHOP, T0, viewed } from '../testing/scenarios/in-app-rig.ts';
import { newVisitor } from './decide/visitor.ts';
import { pack, unpack, Words } from './packed.ts';
import { visitorBytes, visitorFrom } from './visitor-bytes.ts';

const words = new Words(['version', 'marks', 'name', '']);
/** Before what is packed: see visitors-store.ts. */
const DAY_BYTES = 4;

describe('what is packed', () => {
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(null, true, false, 0, -0, 'version', '', 'ab', '\ud83d', 'é', '🙂'.repeat(20)),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.uuid(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double(),
      fc.integer({ min: 0, max: 100_000 }).map((cents) => cents / 100),
      fc.integer({ min: T0, max: T0 + 1_000_000 }),
      fc.array(tie('value'), { maxLength: 40 }),
      fc.dictionary(fc.string({ unit: 'binary', maxLength: 20 }), tie('value'), { maxKeys: 40 }),
    ),
  })).value;

  test('comes out as JSON would have it', () => {
    fc.assert(
      fc.property(value, (each) => {
        const expected: unknown = JSON.parse(JSON.stringify(each));
        expect(unpack(pack(each, words), words)).toEqual(expected);
        // toEqual does not see the order of members, by which the first of two alike is found.
        expect(JSON.stringify(unpack(pack(each, words), words))).toBe(JSON.stringify(expected));
      }),
      { numRuns: runs(200) },
    );
  });

  test('keeps a member that has the name of the prototype, and nothing gets a prototype by it', () => {
    const sent: unknown = JSON.parse('{"__proto__":{"shown":1},"a":1}');
    const back = unpack(pack(sent, words), words) as object;
    expect(JSON.stringify(back)).toBe(JSON.stringify(sent));
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  test('is as it was read when words are added later, its own words, too', () => {
    const before = new Words(words.list);
    const since = new Words(words.list, ['later', 'own']);
    fc.assert(
      fc.property(value, (each) => {
        const sent = { own: each, texts: ['own', 'later', 'own'] };
        expect(unpack(pack(sent, before), since)).toEqual(unpack(pack(sent, before), before));
        expect(unpack(pack(sent, since), since)).toEqual(JSON.parse(JSON.stringify(sent)));
      }),
      { numRuns: runs(100) },
    );
    expect(() => new Words(['a', 'a'])).toThrow();
    expect(() => new Words(['a'], ['a'])).toThrow();
  });

  test('is refused when some of it is gone', () => {
    const bytes = pack({ name: 'somebody', marks: [T0, 'a text'] }, words);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => unpack(bytes.subarray(0, length), words)).toThrow();
    }
  });
});

describe('a visitor as they are stored', () => {
  test('who is new is next to nothing', () => {
    const bytes = visitorBytes(newVisitor('ann'));
    expect(bytes).toHaveLength(1);
    expect(visitorFrom(bytes, 'ann')).toEqual(newVisitor('ann'));
  });

  test('who came, looked at two products and put one into the cart takes under 400 bytes', async () => {
    const rig = new InAppRig();
    const who = 'b1a7c3de-5b1e-4c9a-9f00-0242ac120002';
    const context = { locale: 'en-GB', timezone: 'Europe/London', campaign: { source: 'mail' } };
    const item = (number: number) => ({
      sku: `p-${String(number)}`,
      name: `Product ${String(number)}`,
      category: 'Boots',
      price: 89.9,
      currency: 'EUR',
      url: `${SHOP}products/p-${String(number)}`,
    });
    const audience = { event: 'Product Viewed', count: { distinct: 'sku', at_least: 3 } };
    const stall = { event: 'Added to Cart', without: { event: 'Order Completed' }, for: 'PT10M' };
    rig.message('depth', { audience }).message('cart', { audience: { ...stall, within: 'PT24H' } });
    rig.feed(viewed(SHOP, T0, who));
    for (const number of [1, 2]) {
      const properties = item(number);
      rig.feed(did({ who, at: T0 + number * SECOND, name: 'Product Viewed', properties, context }));
    }
    rig.feed(did({ who, at: T0 + 3 * SECOND, properties: { ...item(1), quantity: 2 }, context }));
    const stored = rig.harness.stores.keyed.get(`v:${laneOf(who)}`)?.subarray(DAY_BYTES);
    assert(stored !== undefined, 'they were heard of');
    const visitor = visitorFrom(stored, who);
    expect(visitor).toMatchObject({
      anonymousId: who,
      items: [item(2), item(1)],
      cart: [{ ...item(1), quantity: 2 }],
    });
    expect(Object.keys(visitor.rules)).toEqual(['depth', 'cart']);
    expect(visitorBytes(visitor)).toEqual(stored);
    expect(stored.length).toBeLessThan(400);
    expect(stored.length).toBeLessThan(JSON.stringify(visitor).length / 3);
    await rig.close();
  });
});
