/** The presets that come with the product (definitions/examples), each through the trigger: who enters, when, who does not and why. */
import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { of } from '../testing/processor-harness.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  SECOND,
  T0,
  Trigger,
  happened,
  identified,
  lines,
  type Happened,
} from '../testing/scenarios/trigger-scenario.ts';

const folder = new URL('../../definitions/examples/', import.meta.url);

/** A trigger with the files of these ids, and a person of whom an email is known. */
function shop(...files: readonly string[]): Trigger {
  const trigger = new Trigger();
  for (const file of files) {
    const [kind = '', id = ''] = file.split('/');
    const body = JSON.parse(readFileSync(new URL(`${file}.json`, folder), 'utf8')) as object;
    trigger.harness.define(kind === 'segments' ? 'segment' : 'journey', 'default', id, body);
  }
  trigger.feed(identified({ at: T0 - DAY, fields: { email: 'ada@mail.example' } }));
  return trigger;
}

const entries = ({ harness }: Trigger) => of('journeysEntered', harness.outputs).map(({ value }) => value);
const skips = ({ harness }: Trigger) => of('journeysSkipped', harness.outputs).map(({ value }) => value);
const evidenceOf = (trigger: Trigger): unknown => JSON.parse(entries(trigger).at(-1)?.evidence ?? 'null');

const cart = (what: Happened = {}) =>
  happened({ ...what, properties: { cart_id: 'c1', product_id: what.id ?? 'p', ...what.properties } });
const viewed = (id: string, product: string, what: Happened = {}) =>
  happened({ name: 'Product Viewed', id, ...what, properties: { product_id: product } });
const ordered = (what: Happened = {}) => happened({ name: 'Order Completed', ...what });

test('each preset has a story here', () => {
  const ids = readdirSync(new URL('journeys/', folder)).map((name) => name.replace('.json', ''));
  expect(ids.sort()).toEqual([
    'browse-recovery',
    'cart-recovery',
    'checkout-stall',
    'post-purchase-upsell',
    'winback',
  ]);
});

describe('E row 118: cart recovery', () => {
  test('comes four hours after the last thing put into a cart, not a second before, once for each cart', () => {
    const trigger = shop('journeys/cart-recovery');
    trigger.feed(cart({ id: 'm1' }), cart({ id: 'm2', at: T0 + HOUR }));
    trigger.feed(cart({ id: 'm3', at: T0 + HOUR, properties: { cart_id: 'c2' } }));
    expect(trigger.until(T0 + 5 * HOUR - SECOND)).toEqual([]);
    expect(trigger.until(T0 + 5 * HOUR)).toEqual([
      'cio_a starts cart-recovery because of m2',
      'cio_a starts cart-recovery because of m3',
    ]);
    expect(entries(trigger).map(({ key }) => key)).toEqual(['c1', 'c2']);
    const products = { pointer: '/filters/all/1', events: ['m3', 'm2', 'm1'] };
    expect(evidenceOf(trigger)).toEqual({ begun: ['m3'], conditions: [products] });
    trigger.feed(cart({ id: 'm4', at: T0 + DAY }));
    trigger.until(T0 + 2 * DAY);
    expect(skips(trigger)).toMatchObject([{ reason: 'frequency', key: 'c1', trigger_message_id: 'm4' }]);
  });

  test('does not come where the cart was ordered, and of the other cart it does', () => {
    const trigger = shop('journeys/cart-recovery');
    trigger.feed(cart({ id: 'm1' }), cart({ id: 'm2', properties: { cart_id: 'c2' } }));
    trigger.feed(ordered({ at: T0 + HOUR, properties: { cart_id: 'c1' } }));
    expect(trigger.until(T0 + DAY)).toEqual(['cio_a starts cart-recovery because of m2']);
  });

  test('says why it did not come to somebody without an email, or who has unsubscribed', () => {
    const trigger = shop('journeys/cart-recovery');
    trigger.feed(
      identified({
        person: 'cio_b',
        properties: { unsubscribed: true },
        fields: { email: 'b@mail.example' },
      }),
    );
    trigger.feed(identified({ person: 'cio_c', properties: {} }));
    trigger.feed(cart({ person: 'cio_b' }), cart({ person: 'cio_c' }));
    expect(trigger.until(T0 + DAY)).toEqual([]);
    expect(skips(trigger)).toMatchObject([
      { person_id: 'cio_b', reason: 'filters_not_met', detail: '{"pointer":"/filters/all/2"}' },
      { person_id: 'cio_c', reason: 'filters_not_met', detail: '{"pointer":"/filters/all/0"}' },
    ]);
  });
});

describe('E row 118: browse recovery', () => {
  const files = ['segments/browsed-without-cart', 'journeys/browse-recovery'] as const;

  test('E row 91: comes two hours after the third product, with the very items looked at', () => {
    const trigger = shop(...files);
    trigger.feed(viewed('v1', 'boots'), viewed('v2', 'parka', { at: T0 + MINUTE }));
    trigger.feed(viewed('v3', 'scarf', { at: T0 + 2 * MINUTE }));
    const up = T0 + 2 * MINUTE + 2 * HOUR;
    expect(trigger.until(up - SECOND)).toEqual([]);
    expect(trigger.until(up)).toEqual(['cio_a entered browsed-without-cart', 'cio_a starts browse-recovery']);
    const looks = ['v3', 'v2', 'v1'];
    expect(evidenceOf(trigger)).toEqual({
      conditions: [
        { segment: 'browsed-without-cart', pointer: '/when', events: looks },
        { pointer: '/filters/all/0', events: looks },
      ],
    });
  });

  test('takes the day of the looks as a day, whatever the two hours of waiting take', () => {
    const enters = (lastAt: number) => {
      const trigger = shop(...files);
      trigger.feed(viewed('v1', 'boots'), viewed('v2', 'parka', { at: T0 + 11 * HOUR }));
      trigger.feed(viewed('v3', 'scarf', { at: lastAt }));
      return trigger.until(lastAt + 2 * HOUR);
    };
    const entered = ['cio_a entered browsed-without-cart', 'cio_a starts browse-recovery'];
    expect(enters(T0 + 23 * HOUR)).toEqual(entered);
    expect(enters(T0 + DAY - SECOND)).toEqual(entered);
    expect(enters(T0 + DAY)).toEqual([]);
  });

  test('does not come where something was put into the cart, and says that two products are not three', () => {
    const trigger = shop(...files);
    const look = (person: string, products: readonly string[]) =>
      products.map((product, index) =>
        viewed(`${person}${String(index)}`, product, { person, at: T0 + index * MINUTE }),
      );
    trigger.feed(...look('cio_b', ['boots', 'parka', 'scarf']));
    trigger.feed(...look('cio_c', ['boots', 'parka', 'boots']));
    trigger.feed(cart({ person: 'cio_b', at: T0 + HOUR }));
    expect(trigger.until(T0 + 20 * HOUR)).toEqual(['cio_c entered browsed-without-cart']);
    expect(skips(trigger)).toMatchObject([
      { person_id: 'cio_c', reason: 'filters_not_met', detail: '{"pointer":"/filters/all/0"}' },
    ]);
  });
});

describe('E row 118: a checkout that stalls', () => {
  const began = (what: Happened = {}) => happened({ name: 'Checkout Started', ...what });

  test('is told at 10:00 and not at 9:59, once, and says once in a day why not again', () => {
    const trigger = shop('journeys/checkout-stall');
    trigger.feed(began({ id: 'm1' }));
    expect(trigger.until(T0 + 10 * MINUTE - SECOND)).toEqual([]);
    expect(trigger.until(T0 + 10 * MINUTE)).toEqual(['cio_a starts checkout-stall because of m1']);
    trigger.feed(began({ id: 'm2', at: T0 + HOUR }));
    expect(trigger.until(T0 + 2 * HOUR)).toEqual([]);
    expect(skips(trigger)).toMatchObject([{ reason: 'frequency', trigger_message_id: 'm2' }]);
  });

  test('is not where the order came in time', () => {
    const trigger = shop('journeys/checkout-stall');
    trigger.feed(began(), ordered({ at: T0 + 10 * MINUTE }));
    expect([trigger.until(T0 + DAY), skips(trigger)]).toEqual([[], []]);
  });
});

describe('E row 118: after an order', () => {
  test('comes three days after one that was worth something, unless another came', () => {
    const trigger = shop('journeys/post-purchase-upsell');
    trigger.feed(ordered({ id: 'm1', properties: { total: 80 } }));
    trigger.feed(ordered({ person: 'cio_b', properties: { total: 20 } }));
    trigger.feed(ordered({ person: 'cio_c', properties: { total: 80 } }));
    trigger.feed(ordered({ person: 'cio_c', at: T0 + DAY, properties: { total: 20 } }));
    expect(trigger.until(T0 + 3 * DAY - SECOND)).toEqual([]);
    expect(trigger.until(T0 + 3 * DAY)).toEqual(['cio_a starts post-purchase-upsell because of m1']);
    expect(trigger.until(T0 + 9 * DAY)).toEqual([]);
  });

  test('comes again after thirty days, and says so before', () => {
    const trigger = shop('journeys/post-purchase-upsell');
    const at = [T0, T0 + 10 * DAY, T0 + 40 * DAY];
    for (const [index, time] of at.entries()) {
      trigger.feed(ordered({ id: `m${String(index)}`, at: time, properties: { total: 80 } }));
    }
    trigger.until(T0 + 50 * DAY);
    expect(entries(trigger).map(({ trigger_message_id: id }) => id)).toEqual(['m0', 'm2']);
    expect(skips(trigger)).toMatchObject([{ reason: 'frequency', trigger_message_id: 'm1' }]);
  });
});

describe('E row 111: who comes back as a visitor and identifies', () => {
  const back = (anonymousId: string, at: number, product?: string) => {
    const shared = { anonymousId, at, mergedAt: at, previouslyAnonymous: true } as const;
    const look = product === undefined ? [] : [viewed(`v-${product}`, product, shared)];
    return [...look, identified({ anonymousId, at: at + MINUTE, id: `i-${anonymousId}` })];
  };

  test('enters winback once; the entry says which visitor that was, what they looked at and ordered', () => {
    const trigger = shop('journeys/winback');
    trigger.feed(ordered({ id: 'm1', at: T0 }));
    expect(lines(trigger.feed(...back('new-phone', T0 + 100 * DAY, 'boots')))).toEqual([
      'cio_a starts winback because of i-new-phone',
    ]);
    expect(evidenceOf(trigger)).toEqual({
      anonymous_id: 'new-phone',
      conditions: [
        { pointer: '/filters/all/0', events: ['m1'] },
        { pointer: '/filters/all/2', events: ['v-boots'] },
      ],
    });
    trigger.feed(...back('tablet', T0 + 110 * DAY, 'parka'));
    expect(skips(trigger).at(-1)).toMatchObject({ reason: 'frequency', trigger_message_id: 'i-tablet' });
    expect(entries(trigger)).toHaveLength(1);
  });

  test('does not where they never ordered, ordered lately, or looked at nothing, and the row says which', () => {
    const trigger = shop('journeys/winback');
    trigger.feed(...back('a1', T0, 'boots'));
    trigger.feed(ordered({ at: T0 + DAY }));
    trigger.feed(...back('a2', T0 + 30 * DAY, 'parka'));
    trigger.feed(...back('a3', T0 + 100 * DAY));
    expect(entries(trigger)).toEqual([]);
    const pointers = skips(trigger).map(
      ({ detail }) => (JSON.parse(detail ?? '') as { pointer: string }).pointer,
    );
    expect(pointers.slice(-3)).toEqual(['/filters/all/0', '/filters/all/1', '/filters/all/2']);
  });
});
