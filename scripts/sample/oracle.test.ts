import { describe, expect, test } from '@jest/globals';
import { expectationsOf } from './oracle.ts';
import { makeStorefront } from './storefront.ts';

const options = { seed: 7, visitors: 300, now: Date.parse('2026-11-01T12:00:00Z'), run: 'r1' };

describe('the sample storefront', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(makeStorefront(options)).toEqual(makeStorefront(options));
    expect(makeStorefront({ ...options, seed: 8 })).not.toEqual(makeStorefront(options));
  });

  test('has every kind of visitor, and its first one goes through to an order', () => {
    const visitors = makeStorefront(options);
    expect(new Set(visitors.map(({ kind }) => kind)).size).toBe(7);
    const names = visitors[0]?.calls.map((call) => (call.type === 'event' ? call.name : call.type));
    expect(names).toEqual(
      expect.arrayContaining(['page', 'Added to Cart', 'Checkout Started', 'identify', 'Order Completed']),
    );
  });

  test('expects each message in one place only, and all of them somewhere', () => {
    const visitors = makeStorefront(options);
    const { people, anonymous } = expectationsOf(visitors);
    const placed = [...people.values()]
      .flatMap((lanes) => [...lanes.values()].flat())
      .concat([...anonymous.values()].flat());
    const sent = visitors.flatMap(({ calls }) =>
      calls.flatMap((call) => (call.type === 'event' || call.type === 'page' ? [call.messageId] : [])),
    );
    expect(new Set(placed).size).toBe(placed.length);
    expect(placed.sort()).toEqual(sent.sort());
  });

  test('gives what a visitor did before the identify to the person, and leaves what follows a sign-out anonymous', () => {
    const visitors = makeStorefront(options);
    const leaver = visitors.find(({ kind }) => kind === 'leaver');
    const { people, anonymous } = expectationsOf(leaver === undefined ? [] : [leaver]);
    expect(people.size).toBe(1);
    expect(anonymous.size).toBe(1);
  });
});
