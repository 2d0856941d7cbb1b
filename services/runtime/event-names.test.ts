import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import { EventNames, foldedName, nameConflicts } from './event-names.ts';

const named = new EventNames({ preset: null, names: { 'Added to Cart': ['add_to_cart'] } });

describe('E row 114: one event under many spellings', () => {
  test.each(['add_to_cart', 'Added to Cart', 'addedToCart', 'ADDED_TO_CART', 'added-to-cart', 'AddToCart'])(
    '%s is one event',
    (name) => {
      expect(named.of(name)).toBe('Added to Cart');
    },
  );

  test.each(['Added to Wishlist', 'cart', '¿?', ''])('%s is another, and stays as it was sent', (name) => {
    expect(named.of(name)).toBe(name);
  });

  test('the preset knows what shops call the steps to an order, and the workspace’s own names go before it', () => {
    const preset = new EventNames({ preset: 'storefront', names: { 'Kauf getätigt': ['purchase'] } });
    expect(
      ['view_item', 'product_added_to_cart', 'begin_checkout', 'Started Checkout', 'checkout_completed'].map(
        (name) => preset.of(name),
      ),
    ).toEqual(['Product Viewed', 'Added to Cart', 'Checkout Started', 'Checkout Started', 'Order Completed']);
    expect(preset.of('Purchase')).toBe('Kauf getätigt');
    expect(preset.of('kauf_getätigt')).toBe('Kauf getätigt');
  });

  test('words joined in any usual way fold alike, and what is folded stays', () => {
    const word = fc.stringMatching(/^[a-z]{2,6}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
        const capital = (each: string) => each.slice(0, 1).toUpperCase() + each.slice(1);
        const folded = words.join(' ');
        const camel = words.map((each, index) => (index === 0 ? each : capital(each))).join('');
        const spellings = [words.join('_'), words.join('-'), words.map(capital).join(' '), camel];
        expect([...spellings, folded].map(foldedName)).toEqual([...spellings, folded].map(() => folded));
      }),
      { numRuns: runs(100) },
    );
  });

  test('a spelling of two events is a conflict, also with the name of another', () => {
    expect(nameConflicts({ A: ['x', 'a'], B: ['X'], C: ['b'] })).toEqual([
      { canonical: 'B', index: 0, other: 'A' },
      { canonical: 'C', index: 0, other: 'B' },
    ]);
  });
});
