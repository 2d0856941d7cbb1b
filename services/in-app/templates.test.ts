/** The audiences that come with the product (examples/on-site), each with who is in it and who just is not. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DAY, did, InAppRig, MINUTE, SECOND, SHOP, T0, viewed } from '../testing/scenarios/in-app-rig.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
  for (const id of ['cart-stalled', 'checkout-stalled', 'comparing-products', 'back-for-a-category']) {
    const text = readFileSync(new URL(`../../examples/on-site/messages/${id}.json`, import.meta.url), 'utf8');
    const body = JSON.parse(text) as Record<string, unknown>;
    rig.message(id, { ...body, state: 'running', holdout: 0 });
  }
});
afterEach(() => rig.close());

const looks = (who: string, at: number): void => {
  rig.feed(viewed(SHOP, at, who), viewed(`${SHOP}cart`, at + SECOND, who));
};
const offered = async (who: string, at: number) => (await rig.poll(at, { who })).ids;

test.each(['Added to Cart', 'add_to_cart'])(
  'E row 85: %s and no checkout for ten minutes, on a later page than the first',
  async (name) => {
    looks('ann', T0);
    rig.feed(viewed(SHOP, T0, 'one-page'));
    for (const who of ['ann', 'one-page', 'quick']) rig.feed(did({ who, name, at: T0 + MINUTE }));
    looks('quick', T0);
    rig.feed(did({ who: 'quick', name: 'Order Completed', at: T0 + 2 * MINUTE }));
    const due = T0 + 11 * MINUTE;
    expect(await offered('ann', due - 1)).toEqual([]);
    expect(await offered('ann', due)).toEqual(['cart-stalled']);
    expect(await offered('one-page', due)).toEqual([]);
    expect(await offered('quick', due)).toEqual([]);
  },
);

test('E row 85: a checkout without an order goes before the cart that it came from', async () => {
  looks('ann', T0);
  rig.feed(did({ name: 'Added to Cart', at: T0 }), did({ name: 'Checkout Started', at: T0 + MINUTE }));
  expect(await offered('ann', T0 + 11 * MINUTE)).toEqual(['checkout-stalled']);
});

test('three products within half an hour and nothing in the cart; and who comes back for a category', async () => {
  looks('ann', T0);
  for (const [place, id] of ['a', 'b', 'c'].entries()) {
    expect(await offered('ann', T0 + place * MINUTE)).toEqual([]);
    const properties = { product_id: id, name: id, category: 'shoes' };
    rig.feed(did({ name: 'Product Viewed', at: T0 + place * MINUTE, properties }));
  }
  expect(await offered('ann', T0 + 3 * MINUTE)).toEqual(['comparing-products']);
  looks('ann', T0 + DAY);
  const { offered: shown } = await rig.poll(T0 + DAY + MINUTE);
  expect(shown.map(({ content }) => content['title'])).toEqual(['New in shoes']);
});

test('the message of a cart says how many are left where the shop has said so, and few are', async () => {
  looks('ann', T0);
  const properties = { sku: 'boots', name: 'Boots' };
  rig.feed(
    did({ name: 'Product Viewed', at: T0 + MINUTE, properties }),
    did({ at: T0 + MINUTE, properties: { ...properties, quantity: 2 } }),
  );
  const body = async () => (await rig.poll(T0 + 12 * MINUTE)).offered[0]?.content['body'];
  const stock = (left: number) => {
    rig.tables.apply({ workspace: 'shop', table: 'stock', key: 'boots', row: JSON.stringify({ left }) });
  };
  expect(await body()).toBe('2 in your cart. Shall we keep it for you?');
  stock(50);
  expect(await body()).toBe('2 in your cart. Shall we keep it for you?');
  stock(3);
  expect(await body()).toBe('2 in your cart. Only 3 of Boots left. Shall we keep it for you?');
});
