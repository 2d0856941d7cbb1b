/** A segment that is made after the fact, on a whole installation: its past from ClickHouse, while the sink lags and the trigger dies. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../testing/eventually.ts';
import { startStack, type Stack } from '../testing/stack.ts';
import { StackCalls } from '../testing/stack-calls.ts';

const startMsMax = 300_000;
const testMsMax = 600_000;
let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  calls = new StackCalls(stack);
}, startMsMax);
afterAll(() => stack.stop(), startMsMax);

const cart = (person: string, cartId: string) =>
  calls.track('POST', `/v1/customers/${person}/events`, { name: 'Added to Cart', data: { cart_id: cartId } });
const segment = {
  name: 'Keen',
  type: 'data_driven',
  when: { event: 'Added to Cart', count: { distinct: 'cart_id', at_least: 2 } },
};
const members = async (): Promise<readonly string[]> => {
  const { body } = await calls.app('GET', '/v1/segments/keen/membership');
  return [...(body as { readonly ids: readonly string[] }).ids].sort();
};

test(
  'has everybody who matched before, merged ones too, once; says how far it is, and why',
  async () => {
    for (const person of ['ann', 'ben', 'cleo', 'dora', 'eve']) {
      await calls.track('PUT', `/v1/customers/${person}`, { plan: 'pro' });
      await cart(person, 'c1');
    }
    await cart('ann', 'c2');
    await cart('ben', 'c1');
    // Two who have one cart each become one who has two.
    await cart('eve', 'c9');
    await calls.settled();
    const merged = { primary: { id: 'cleo' }, secondary: { id: 'eve' } };
    expect((await calls.track('POST', '/v1/merge_customers', merged)).status).toBe(200);
    await calls.settled();
    await stack.kill('sink');
    await cart('dora', 'c2');
    expect((await calls.app('PUT', '/v1/definitions/segments/keen', segment)).status).toBe(200);
    const preview = await calls.app('POST', '/v1/definitions/segments/keen/preview');
    expect(preview.body).toMatchObject({ count: 2 }); // ClickHouse does not have the last cart yet
    const open = await calls.app('GET', '/v1/definitions/segments/keen');
    expect(open.body).toMatchObject({ past: { state: 'open', people: 0 } });
    await stack.kill('trigger');
    await stack.restart('sink');
    await stack.restart('trigger');
    await calls.settled();
    expect(await members()).toEqual(['ann', 'cleo', 'dora']);
    const ready = await calls.app('GET', '/v1/definitions/segments/keen');
    expect(ready.body).toMatchObject({ past: { state: 'ready', people: 5, of: 5 } });
    const why = await calls.app('GET', '/v1/explain/segments/keen?person=dora');
    expect(why.body).toMatchObject({ result: true, conditions: [{ pointer: '/when', value: 2 }] });
    await cart('ben', 'c2');
    await eventually(async () => (await members()).join(' ') === 'ann ben cleo dora');
    expect((await calls.app('POST', '/v1/definitions/segments/keen/preview')).body).toMatchObject({
      count: 4,
    });
  },
  testMsMax,
);
