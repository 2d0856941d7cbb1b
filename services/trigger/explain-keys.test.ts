/** What a journey with a key says of a person: which runs there are, what each waits for, and that an unknown one is none. */
import { describe, expect, test } from '@jest/globals';
import { Shop } from '../testing/scenarios/explain-shop.ts';
import { HOUR, MINUTE, T0, happened, identified, watermark } from '../testing/scenarios/trigger-scenario.ts';
import { runsToldMax } from './decide/explain-runs.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const stall = { event: 'Added to Cart', without: { event: 'Order Completed' }, for: 'PT10M' };
const put = (cart: string | undefined, at: number) =>
  happened({ id: `m-${String(cart)}`, at, properties: cart === undefined ? {} : { cart_id: cart } });

function shop(): Shop {
  const made = new Shop().journey('carts', stall, { key: 'cart_id' });
  return made.feed(identified({ id: 'i', at: T0 }), put('k9', T0), watermark(0, T0 + 20 * MINUTE));
}

describe('a journey with a key that is asked without one', () => {
  test('says that it is about the run without a value, which others there are, and what each waits for', () => {
    const made = shop();
    made.feed(put('k3', T0 + 30 * MINUTE), watermark(0, T0 + 31 * MINUTE));
    const asked = made.explained('journey', 'carts');
    expect(asked).toMatchObject({
      ...{ key: null, result: true, entries: 0, keys_in_all: 2 },
      keys: [
        {
          ...{ key: 'k3', entries: 0, last_entered_at: null },
          stall: { event: 'm-k3', fires_at: iso(T0 + 40 * MINUTE) },
          says: `waits, and fires at ${iso(T0 + 40 * MINUTE)} if no Order Completed comes`,
        },
        { key: 'k9', entries: 1, last_entered_at: iso(T0 + 10 * MINUTE) },
      ],
    });
    expect(asked['says']).toBe(
      `each cart_id has a run of its own, and this is about a trigger without one; known are: k3 waits, and fires at ${iso(T0 + 40 * MINUTE)} if no Order Completed comes; k9 entered at ${iso(T0 + 10 * MINUTE)} (key= asks for one of them); if something triggered the journey at this moment, the person would enter; no stall of this run is under way: no Added to Cart waits for Order Completed`,
    );
  });

  test('says so of somebody who has none, and of a cart that said no id', () => {
    const made = new Shop().journey('carts', stall, { key: 'cart_id' }).feed(identified({ id: 'i', at: T0 }));
    expect(made.explained('journey', 'carts')).toMatchObject({
      ...{ keys: [], keys_in_all: 0 },
      says: expect.stringContaining('no cart_id of this person is known'),
    });
    made.feed(put(undefined, T0), watermark(0, T0 + MINUTE));
    expect(made.explained('journey', 'carts')).toMatchObject({
      stall: { event: 'm-undefined' },
      says: expect.stringContaining('a stall is under way, and triggers it when it fires'),
    });
  });

  test('names the newest, as many as an answer may have', () => {
    const carts = Array.from({ length: runsToldMax + 5 }, (_, n) => put(`k${String(n)}`, T0 + n * MINUTE));
    const made = new Shop()
      .journey('carts', stall, { key: 'cart_id' })
      .feed(...carts, watermark(0, T0 + HOUR));
    const { keys, keys_in_all: inAll } = made.explained('journey', 'carts');
    expect([(keys as object[]).length, inAll]).toEqual([runsToldMax, runsToldMax + 5]);
    expect(keys).toMatchObject(
      [{ key: 'k24' }, { key: 'k23' }].concat(
        Array.from({ length: runsToldMax - 2 }, (_, n) => ({ key: `k${String(22 - n)}` })),
      ),
    );
  });
});

describe('a key that is asked for', () => {
  test('is said to be unknown where nothing is kept of it, and those that are known are named', () => {
    const made = shop();
    expect(made.explained('journey', 'carts', { key: 'k9' })).toMatchObject({
      ...{ key: 'k9', key_known: true, entries: 1, result: false, reason: 'frequency' },
      says: expect.not.stringContaining('known are'),
    });
    expect(made.explained('journey', 'carts', { key: 'nope' })).toMatchObject({
      ...{ key: 'nope', key_known: false, keys: [{ key: 'k9' }] },
      says: expect.stringMatching(/^nothing is known of the cart_id nope; known are: k9 entered at /),
    });
  });

  test('means the run that a trigger with this value means, however long it is', () => {
    const long = 'x'.repeat(500);
    const made = new Shop().journey('carts', stall, { key: 'cart_id' });
    made.feed(put(long, T0), watermark(0, T0 + MINUTE));
    expect(made.explained('journey', 'carts', { key: long })).toMatchObject({
      ...{ key_known: true, stall: { fires_at: iso(T0 + 10 * MINUTE) } },
    });
  });

  test('of a journey that has none is about the only run there is', () => {
    const made = new Shop().journey('once', { event: 'Added to Cart' }).feed(happened({ id: 'm', at: T0 }));
    expect(made.explained('journey', 'once', { key: 'k1' })).toMatchObject({
      ...{ key: null, result: false, reason: 'frequency', entries: 1 },
      says: expect.stringMatching(
        /^the journey has no key, so the person has one run and this is about it; /,
      ),
    });
    expect(made.explained('journey', 'once')).not.toHaveProperty('keys');
  });
});
