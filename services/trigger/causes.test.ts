/** What a record of segments.changed says turned it: the call, time, a definition, or what was done to the person. */
import { expect, test } from '@jest/globals';
import { of, type Output } from '../testing/processor-harness.ts';
import { PastShop } from '../testing/scenarios/past-shop.ts';
import {
  absorb,
  absorbed,
  deleted,
  happened,
  HOUR,
  identified,
  MINUTE,
  split,
  T0,
  transfersOf,
  Trigger,
} from '../testing/scenarios/trigger-scenario.ts';

const cart = { event: 'Added to Cart' };
const recent = { ...cart, within: 'PT1H' };

function causes(outputs: readonly Output[]): string[] {
  return of('segmentsChanged', outputs).map(({ value }) => {
    const by = [value.cause, value.cause_message_id].filter((part) => part !== null).join(' ');
    return `${value.person_id} ${value.change} ${value.segment_id}: ${by}`;
  });
}

test('a call, with its id; and time, without one', () => {
  const trigger = new Trigger().segment('recent', recent);
  expect(causes(trigger.feed(happened({ id: 'm1' })))).toEqual(['cio_a entered recent: call m1']);
  trigger.until(T0 + HOUR);
  expect(causes(trigger.harness.outputs).at(-1)).toBe('cio_a left recent: time');
});

test('an edit, the past of a new rule, and a definition that is deleted', async () => {
  const shop = new PastShop();
  shop.did('cio_a', 'm1', 'Added to Cart', T0);
  shop.world.run();
  shop.define(cart);
  await shop.settle();
  expect(causes(shop.world.outputs)).toEqual(['cio_a entered keen: definition']);
  shop.define({ event: 'Order Completed' });
  await shop.settle();
  expect(causes(shop.world.outputs).slice(1)).toEqual(['cio_a left keen: definition']);
});

test('a merge, for both people; a split; a deletion', () => {
  const trigger = new Trigger().segment('carts', { ...cart, count: { at_least: 2 } });
  trigger.feed(happened({ id: 'm1' }), happened({ id: 'm2', person: 'cio_b', at: T0 + 1 }));
  trigger.feed(happened({ id: 'm3', at: T0 + 2 }));
  const from = trigger.harness.outputs.length;
  trigger.feed(absorb('cio_b', 'cio_a', 7), absorbed('cio_a', 'cio_b', 7));
  trigger.feed(...transfersOf(trigger.harness.outputs));
  expect(causes(trigger.harness.outputs.slice(from)).sort()).toEqual([
    'cio_a left carts: merge',
    'cio_b entered carts: merge',
  ]);
  const known = { asOf: 8, id: 'b', email: null };
  expect(causes(trigger.feed(split('cio_b', 'cio_c', T0 + MINUTE, known)))).toEqual([
    'cio_b left carts: split',
  ]);
  trigger.feed(
    happened({ id: 'm4', person: 'cio_b', at: T0 + 2 * MINUTE }),
    happened({ id: 'm5', person: 'cio_b', at: T0 + 3 * MINUTE }),
  );
  expect(causes(trigger.feed(deleted('cio_b', 9, T0 + 4 * MINUTE)))).toEqual(['cio_b left carts: deletion']);
});

test('what makes a segment turn makes those turn that ask for it', () => {
  const trigger = new Trigger().segment('carts', cart).segment('keen', { segment: 'carts' });
  expect(causes(trigger.feed(identified({ id: 'i' }), happened({ id: 'm1' })))).toEqual([
    'cio_a entered carts: call m1',
    'cio_a entered keen: call m1',
  ]);
});
