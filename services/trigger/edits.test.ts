/** What an edit does to who is in already (docs/rules.md, *What an edit does*). */
import { describe, expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import { PastShop } from '../testing/scenarios/past-shop.ts';
import { happened, identified, MINUTE, T0, Trigger } from '../testing/scenarios/trigger-scenario.ts';

const cart = { event: 'Added to Cart' };
const order = { event: 'Order Completed' };
const [ann, ben, cleo] = ['cio_a', 'cio_b', 'cio_c'] as const;

/** Ann and ben are in; ben has ordered, cleo only once put something into a cart. */
async function keenPeople(): Promise<PastShop> {
  const shop = new PastShop();
  shop.define({ ...cart, count: { at_least: 2 } });
  for (const [index, [person, name]] of (
    [
      [ann, 'Added to Cart'],
      [ann, 'Added to Cart'],
      [ben, 'Added to Cart'],
      [ben, 'Added to Cart'],
      [ben, 'Order Completed'],
      [cleo, 'Added to Cart'],
    ] as const
  ).entries()) {
    shop.did(person, `m${String(index)}`, name, T0 + index * MINUTE);
  }
  await shop.settle();
  expect(shop.members).toEqual([ann, ben]);
  return shop;
}
/** Who entered or left since. */
function changesFrom(shop: PastShop, from: number): readonly string[] {
  return of('segmentsChanged', shop.world.outputs.slice(from))
    .map(({ value }) => `${value.person_id} ${value.change} by ${String(value.rule_version)}`)
    .sort();
}

describe('an edit of a segment', () => {
  test('that counts anew: everybody stays until their past is in; then leaves who is not, and enters who is', async () => {
    const shop = await keenPeople();
    const from = shop.world.outputs.length;
    shop.define({ all: [cart, { not: order }] });
    shop.world.run();
    expect([shop.members, changesFrom(shop, from)]).toEqual([[ann, ben], []]);
    shop.did(ben, 'm9', 'Added to Cart', T0 + 10 * MINUTE); // nor by what they do meanwhile
    shop.world.run();
    expect(changesFrom(shop, from)).toEqual([]);
    await shop.settle();
    expect(changesFrom(shop, from)).toEqual(['cio_b left by 2', 'cio_c entered by 2']);
    expect(shop.members).toEqual([ann, cleo]);
  });

  test('that turns back before its past was in is as if it had never been', async () => {
    const shop = await keenPeople();
    const from = shop.world.outputs.length;
    shop.define(order);
    shop.world.run();
    shop.define({ ...cart, count: { at_least: 2 } });
    await shop.settle();
    expect([shop.members, changesFrom(shop, from)]).toEqual([[ann, ben], []]);
  });

  test('that gives it another name leaves everybody in, and has nothing read', async () => {
    const shop = await keenPeople();
    const from = shop.world.outputs.length;
    shop.define({ ...cart, count: { at_least: 2 } }, { name: 'Keen people' });
    shop.world.run();
    expect([await shop.tell(), shop.world.unsettled, changesFrom(shop, from)]).toEqual([0, 0, []]);
  });

  test('that asks for attributes alone holds at what the person does next', () => {
    const plan = (value: string) => ({ attribute: 'plan', operator: 'eq', value });
    const trigger = new Trigger().segment('s', plan('pro'));
    trigger.feed(identified({ properties: { plan: 'pro' } }));
    trigger.segment('s', plan('team'));
    expect(trigger.until(T0 + MINUTE)).toEqual([]);
    expect(trigger.then(happened({ name: 'Other', at: T0 + 2 * MINUTE }))).toEqual(['cio_a left s']);
  });

  test('starts a journey only where it takes those whom it finds', async () => {
    const shop = await keenPeople();
    for (const include_current of [false, true]) {
      const journey = { name: 'J', state: 'running', trigger: { segment: 'keen', on: 'entered' } };
      for (const { harness } of shop.world.partitions) {
        harness.define('journey', 'default', String(include_current), { ...journey, include_current });
      }
    }
    shop.define(cart);
    await shop.settle();
    expect(shop.members).toEqual([ann, ben, cleo]);
    const entries = of('journeysEntered', shop.world.outputs).map(
      ({ value }) => `${value.person_id} ${value.journey_id}`,
    );
    expect(entries).toEqual(['cio_c true']);
  });
});

describe('an edit of a journey', () => {
  test('lets nobody in again, and takes no entry back', () => {
    const trigger = new Trigger().journey('j', cart, { frequency: { mode: 'once' } });
    expect(trigger.then(happened({ id: 'm1' }))).toEqual(['cio_a starts j because of m1']);
    const filters = { attribute: 'plan', operator: 'not_exists' };
    trigger.journey('j', cart, { frequency: { mode: 'once' }, filters });
    expect(trigger.then(happened({ id: 'm2', at: T0 + MINUTE }))).toEqual([]);
    trigger.journey('j', order, { frequency: { mode: 'once' } });
    const other = happened({ id: 'm3', name: 'Order Completed', at: T0 + 2 * MINUTE });
    expect(trigger.then(other)).toEqual([]);
    const skips = of('journeysSkipped', trigger.harness.outputs).map(
      ({ value }) => `${value.trigger_message_id ?? ''} ${value.reason} by ${String(value.rule_version)}`,
    );
    expect(skips).toEqual(['m2 frequency by 2', 'm3 frequency by 3']);
  });

  test('that changes its frequency counts the entries of before', () => {
    const trigger = new Trigger().journey('j', cart, { frequency: { mode: 'once' } });
    trigger.feed(happened({ id: 'm1' }));
    trigger.journey('j', cart, { frequency: { mode: 'interval', every: 'PT1H' } });
    expect(trigger.then(happened({ id: 'm2', at: T0 + 59 * MINUTE }))).toEqual([]);
    expect(trigger.then(happened({ id: 'm3', at: T0 + 60 * MINUTE }))).toEqual([
      'cio_a starts j because of m3',
    ]);
  });
});
