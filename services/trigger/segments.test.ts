import { describe, expect, test } from '@jest/globals';
import {
  DAY,
  HOUR,
  MINUTE,
  T0,
  Trigger,
  happened,
  identified,
  lines,
} from '../testing/scenarios/trigger-scenario.ts';

const cart = { event: 'Added to Cart' };

describe('a segment of people who did something', () => {
  test('lets a person in at the first event that matches, once', () => {
    const trigger = new Trigger().segment('carts', cart);
    expect(trigger.then(happened({ id: 'm1' }), happened({ id: 'm2' }))).toEqual([
      'cio_a entered carts because of m1',
    ]);
  });

  test('counts only events of the name, the type and the properties that it asks for', () => {
    const where = [
      { property: 'price', operator: 'gte', value: 50 },
      { property: 'cart.currency', operator: 'eq', value: 'EUR' },
    ];
    const trigger = new Trigger().segment('big', { ...cart, type: 'event', where });
    const properties = { price: 50, cart: { currency: 'EUR' } };
    expect(
      trigger.then(
        happened({ name: 'Product Viewed', properties }),
        happened({ type: 'page', properties }),
        happened({ properties: { ...properties, price: 49.99 } }),
        happened({ properties: { ...properties, price: '50' } }),
        happened({ properties: null }),
        happened({ id: 'm1', properties }),
      ),
    ).toEqual(['cio_a entered big because of m1']);
  });

  test('counts at least n within a window, and an event exactly W old is outside', () => {
    const trigger = new Trigger().segment('keen', { ...cart, count: { at_least: 2 }, within: 'PT1H' });
    expect(trigger.then(happened({ at: T0 }))).toEqual([]);
    expect(trigger.then(happened({ at: T0 + HOUR }))).toEqual([]);
    expect(trigger.then(happened({ id: 'm3', at: T0 + 2 * HOUR - 1 }))).toEqual([
      'cio_a entered keen because of m3',
    ]);
  });

  test("is left when the window has moved on, at the person's next event whatever its name", () => {
    const trigger = new Trigger().segment('recent', { ...cart, within: 'PT1H' });
    trigger.then(happened({ at: T0 }));
    expect(trigger.then(happened({ name: 'Other', at: T0 + HOUR - 1 }))).toEqual([]);
    expect(trigger.then(happened({ name: 'Other', at: T0 + HOUR }))).toEqual(['cio_a left recent']);
  });

  test('is left and entered anew by an event that comes after the window has run out', () => {
    const trigger = new Trigger().segment('recent', { ...cart, within: 'PT1H' });
    trigger.then(happened({ at: T0 }));
    expect(trigger.then(happened({ id: 'm2', at: T0 + 2 * HOUR }))).toEqual([
      'cio_a left recent',
      'cio_a entered recent because of m2',
    ]);
  });

  test('counts distinct values, each once, whatever their type', () => {
    const count = { distinct: 'sku', at_least: 3 };
    const trigger = new Trigger().segment('browsers', { event: 'Product Viewed', count });
    const viewed = (id: string, sku: unknown) =>
      happened({ name: 'Product Viewed', id, properties: { sku } });
    expect(trigger.then(viewed('m1', 5), viewed('m2', 5), viewed('m3', '5'), viewed('m4', null))).toEqual([]);
    expect(trigger.then(viewed('m5', { a: 1 }), viewed('m6', 'x'))).toEqual([
      'cio_a entered browsers because of m6',
    ]);
  });

  test('counts an event of the future as of when it was received (spec C.1 row 28)', () => {
    const trigger = new Trigger().segment('recent', { ...cart, within: 'PT1H' });
    expect(trigger.then(happened({ id: 'm1', at: T0, timestamp: T0 + 30 * DAY }))).toEqual([
      'cio_a entered recent because of m1',
    ]);
    expect(trigger.then(happened({ name: 'Other', at: T0 + HOUR }))).toEqual(['cio_a left recent']);
  });

  test('counts a late event by its own time (backdated by an hour, it is outside half an hour)', () => {
    const trigger = new Trigger().segment('recent', { ...cart, within: 'PT30M' });
    expect(trigger.then(happened({ at: T0, timestamp: T0 - HOUR }))).toEqual([]);
  });
});

describe('a segment of people who did not do something', () => {
  test('has a person from the first record on, and loses it at the event', () => {
    const trigger = new Trigger().segment('quiet', { not: cart });
    expect(trigger.then(identified({ id: 'i1' }))).toEqual(['cio_a entered quiet because of i1']);
    expect(trigger.then(happened({ id: 'm1' }))).toEqual(['cio_a left quiet because of m1']);
  });

  test('at most n is not at least n + 1', () => {
    const trigger = new Trigger().segment('few', { ...cart, count: { at_most: 1 }, within: 'PT1H' });
    expect(trigger.then(happened({ id: 'm1', at: T0 }))).toEqual(['cio_a entered few because of m1']);
    expect(trigger.then(happened({ id: 'm2', at: T0 + MINUTE }))).toEqual(['cio_a left few because of m2']);
    expect(trigger.then(happened({ name: 'Other', at: T0 + HOUR }))).toEqual(['cio_a entered few']);
  });

  test('cart and no order within four hours holds for a fresh person too (spec E row 110)', () => {
    const when = {
      all: [{ ...cart, within: 'PT4H' }, { not: { event: 'Order Completed', within: 'PT4H' } }],
    };
    const trigger = new Trigger().segment('recover', when);
    expect(trigger.then(happened({ id: 'm1' }))).toEqual(['cio_a entered recover because of m1']);
    expect(trigger.then(happened({ id: 'm2', name: 'Order Completed', at: T0 + MINUTE }))).toEqual([
      'cio_a left recover because of m2',
    ]);
  });
});

describe('what a visitor did before anybody knew them', () => {
  test('cannot enter a segment or a journey before it is merged (spec E rows 10, 11)', () => {
    // The trigger reads events.merged alone: what is anonymous has no record there.
    expect(new Trigger().segment('carts', cart).journey('recovery', cart).then()).toEqual([]);
  });

  test('counts once it is merged, however old it is (spec C.1 row 11, spec E rows 15, 23, 106)', () => {
    const trigger = new Trigger().segment('carts', { ...cart, within: 'P30D' });
    const at = T0 - 20 * DAY;
    const history = { at, mergedAt: T0, anonymousId: 'x', previouslyAnonymous: true };
    expect(
      trigger.then(happened({ ...history, id: 'm1' }), identified({ anonymousId: 'x', id: 'i1' })),
    ).toEqual(['cio_a entered carts because of m1']);
  });

  test('that has left the window when it is merged does not count', () => {
    const trigger = new Trigger().segment('carts', { ...cart, within: 'P7D' });
    const history = { mergedAt: T0, anonymousId: 'x', previouslyAnonymous: true };
    expect(trigger.then(happened({ ...history, at: T0 - 7 * DAY }))).toEqual([]);
    expect(trigger.then(happened({ ...history, id: 'm2', at: T0 - 7 * DAY + 1 }))).toEqual([
      'cio_a entered carts because of m2',
    ]);
  });
});

describe('segments of attributes and of segments', () => {
  test('follow the identify that sets the attribute', () => {
    const trigger = new Trigger()
      .segment('mail', { attribute: 'email', operator: 'exists' })
      .segment('pro', { attribute: 'plan', operator: 'in', value: ['pro', 'team'] });
    expect(trigger.then(identified({ id: 'i1', properties: { plan: 'free' } }))).toEqual([]);
    expect(
      trigger.then(
        identified({ id: 'i2', at: T0 + 1, properties: { plan: 'team' }, fields: { email: 'a@b.c' } }),
      ),
    ).toEqual(['cio_a entered mail because of i2', 'cio_a entered pro because of i2']);
    expect(trigger.then(identified({ id: 'i3', at: T0 + 2, properties: { plan: '' } }))).toEqual([
      'cio_a left pro because of i3',
    ]);
  });

  test('a segment that refers to another turns with it, in one event, whatever their names', () => {
    const trigger = new Trigger()
      .segment('a', { all: [{ segment: 'z' }, { attribute: 'id', operator: 'exists' }] })
      .segment('z', cart)
      .segment('none', { segment: 'missing' });
    trigger.then(identified({ fields: { id: '42' } }));
    expect(trigger.then(happened({ id: 'm1' }))).toEqual([
      'cio_a entered z because of m1',
      'cio_a entered a because of m1',
    ]);
  });

  test('segments that refer to each other in a circle come to an end', () => {
    const trigger = new Trigger()
      .segment('a', { any: [{ segment: 'b' }, cart] })
      .segment('b', { segment: 'a' });
    expect(trigger.then(happened({ id: 'm1' }))).toEqual(['cio_a entered a because of m1']);
  });
});

describe('new, changed and deleted definitions', () => {
  test('a changed rule starts clean, and members of the old rule are looked at at their next event', () => {
    const trigger = new Trigger().segment('carts', cart);
    trigger.then(happened({ id: 'm1' }));
    trigger.segment('carts', { ...cart, within: 'P1D' });
    expect(trigger.then(happened({ name: 'Other', at: T0 + 1 }))).toEqual(['cio_a left carts']);
    expect(trigger.then(happened({ id: 'm2', at: T0 + 2 }))).toEqual(['cio_a entered carts because of m2']);
  });

  test('a new name for a segment forgets nothing', () => {
    const trigger = new Trigger().segment('keen', { ...cart, count: { at_least: 2 } });
    trigger.then(happened({}));
    trigger.segment('keen', { ...cart, count: { at_least: 2 } }, { name: 'Keen people' });
    expect(trigger.then(happened({ id: 'm2', at: T0 + 1 }))).toEqual(['cio_a entered keen because of m2']);
  });

  test('a deleted segment is left at the next event', () => {
    const trigger = new Trigger().segment('carts', cart);
    trigger.then(happened({}));
    trigger.remove('segment', 'carts');
    expect(trigger.then(happened({ name: 'Other', at: T0 + 1 }))).toEqual(['cio_a left carts']);
  });

  test('a new segment has people who match already, without an event as its cause and without journeys', () => {
    const trigger = new Trigger();
    trigger.then(identified({ properties: { plan: 'pro' } }));
    trigger
      .segment('pro', { attribute: 'plan', operator: 'eq', value: 'pro' })
      .journey('welcome', { segment: 'pro', on: 'enter' })
      .journey('everyone', { segment: 'pro', on: 'enter' }, { include_current: true });
    expect(trigger.then(happened({ at: T0 + 1 }))).toEqual(['cio_a entered pro', 'cio_a starts everyone']);
  });

  test('security 5: a pattern stored before a bound that it is over is found nowhere, and the rest of its rule works', () => {
    const matches = (value: string) => ({ attribute: 'plan', operator: 'matches', value });
    const trigger = new Trigger()
      .segment('old', { any: [matches('.{1000}'.repeat(20)), matches('^pro')] })
      .segment('none', matches('(?:.*[cd]?){1000}'))
      .segment('much', { any: ['a', 'b', 'c', 'd', 'e'].map((each) => matches(`^pro|${each}.{900}`)) });
    expect(trigger.then(identified({ id: 'm1', properties: { plan: 'pro' } }))).toEqual([
      'cio_a entered old because of m1',
    ]);
    expect(trigger.harness.processor.status()).toMatchObject({
      unreadable_definitions: 0,
      unusable_patterns: 1 + 1 + 5,
    });
  });

  test('a definition that cannot be read is left alone', () => {
    const trigger = new Trigger().segment('later', { ...cart, colour: 'red' }).segment('carts', cart);
    expect(trigger.then(happened({ id: 'm1' }))).toEqual(['cio_a entered carts because of m1']);
    expect(trigger.harness.processor.status()).toMatchObject({ unreadable_definitions: 1 });
  });
});

test('a replay gives the same bytes, also when the process dies before each batch', () => {
  const trigger = new Trigger()
    .segment('recent', { ...cart, within: 'PT1H' })
    .journey('recovery', cart, { frequency: { mode: 'every_rematch' } });
  for (let i = 0; i < 20; i += 1) {
    trigger.feed(
      happened({ at: T0 + i * 25 * MINUTE, name: i % 3 === 0 ? 'Added to Cart' : 'Other' }),
      identified({ at: T0 + i * 25 * MINUTE, properties: { n: i } }),
    );
  }
  const { harness } = trigger;
  expect(lines(harness.outputs).length).toBeGreaterThan(10);
  expect(harness.replay()).toEqual(harness.outputs);
  expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
});
