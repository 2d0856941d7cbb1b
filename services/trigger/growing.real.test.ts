/**
 * A whole installation, rows 1 and 2 of the calls from the real world: forty calls with a page's public key, and four
 * within every documented limit, made one person larger than a record, and nobody's rules were evaluated any more.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  calls = new StackCalls(stack);
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

const control = '\u0001';

async function attributesOf(id: string): Promise<Record<string, unknown>> {
  const [row] = await calls.rows(`SELECT attributes FROM people WHERE id = '${id}'`);
  return JSON.parse(String(row?.[0])) as Record<string, unknown>;
}
/** How many values were left out, by what events.dropped says of each call. */
async function leftOut(): Promise<unknown> {
  const [row] = await calls.rows(
    `SELECT sum(JSONExtractUInt(detail, 'count')) FROM dropped
     WHERE reason = 'limit_exceeded' AND stage = 'trigger'`,
  );
  return row?.[0];
}

test(
  'what a person has no room for is left out with a row, the rest is kept, and a bystander is served',
  async () => {
    const when = { event: 'Bystander Came' };
    const segment = { name: 'Bystanders', type: 'data_driven', when };
    expect((await calls.app('PUT', '/v1/definitions/segments/bystanders', segment)).status).toBe(200);
    await calls.settled();
    for (let i = 0; i < 40; i += 1) {
      const traits = {
        [`list_${String(i)}`]: Array(290).fill('x'.repeat(100)),
        [`plan_${String(i)}`]: 'pro',
      };
      expect((await calls.pipelines('/identify', { userId: 'row-1', traits })).status).toBe(200);
    }
    for (let call = 0; call < 4; call += 1) {
      const attributes = Object.fromEntries(
        Array.from({ length: 140 }, (_, i) => [`a${String(140 * call + i)}`, control.repeat(1_000)]),
      );
      expect((await calls.track('PUT', '/v1/customers/row-2', attributes)).status).toBe(200);
    }
    await calls.track('PUT', '/v1/customers/bystander', { plan: 'pro' });
    await calls.track('POST', '/v1/customers/bystander/events', { name: 'Bystander Came' });
    await calls.settled();

    const first = await attributesOf('row-1');
    const plans = Array.from({ length: 40 }, (_, i) => [`plan_${String(i)}`, 'pro'] as const);
    expect(first).toMatchObject(Object.fromEntries(plans));
    expect(Object.keys(first).filter((name) => name.startsWith('list_'))).toEqual([]);
    const second = Object.keys(await attributesOf('row-2')).length;
    expect(second).toBeGreaterThan(40);
    expect(second).toBeLessThan(60);
    expect(await leftOut()).toBe(40 + 4 * 140 - second);
    const told = await calls.rows(`SELECT count() FROM activities WHERE kind = 'Failed Update'`);
    expect(told).toEqual([[44]]);
    const members = await calls.rows(
      `SELECT count() FROM segment_memberships WHERE segment_id = 'bystanders'`,
    );
    expect(members).toEqual([[1]]);
  },
  TEST_MS_MAX,
);
