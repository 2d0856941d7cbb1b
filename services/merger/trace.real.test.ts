/** `GET /v1/trace` over HTTP: what became of a visitor and of people who were merged, taken apart and deleted. */
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

interface Step {
  readonly at: string;
  readonly stage: string;
  readonly name?: string;
  readonly reason?: string;
  readonly detail?: { readonly facts?: readonly { readonly fact: string }[] };
}
/** `stage name`, or the facts of what identity was asked. */
async function story(query: string): Promise<readonly string[]> {
  const { status, body } = await calls.app('GET', `/v1/trace?${query}`);
  expect(status).toBe(200);
  const { steps } = body as { steps: readonly Step[] };
  expect(steps.map(({ at }) => at)).toEqual(steps.map(({ at }) => at).sort());
  return steps.map(({ stage, name, reason, detail }) => {
    const facts = detail?.facts?.map(({ fact }) => fact).join(', ');
    return [stage, name ?? reason ?? facts].filter((each) => each !== undefined).join(' ');
  });
}
const track = async (method: string, path: string, body?: object): Promise<void> => {
  expect((await calls.track(method, path, body)).status).toBe(200);
  await calls.settled();
};
async function cioIdOf(id: string): Promise<string> {
  const rows = await calls.rows(`SELECT person_id FROM people WHERE id = '${id}'`);
  return String(rows[0]?.[0]);
}

test(
  'E rows 40, 90, 105: every step is told, by the visitor and by each name of the person, also once merged, taken apart and deleted',
  async () => {
    const cart = { event: 'Cart' };
    await calls.app('PUT', '/v1/definitions/segments/carts', { name: 'C', type: 'data_driven', when: cart });
    const journey = { name: 'J', state: 'running', trigger: cart };
    await calls.app('PUT', '/v1/definitions/journeys/reminder', journey);
    await calls.settled();
    await track('POST', '/v1/events', { name: 'Cart', anonymous_id: 'phone' });
    await track('PUT', '/v1/customers/1', { anonymous_id: 'phone', email: 'one@shop.example' });
    await track('POST', '/v1/events', { name: 'Search', anonymous_id: 'laptop' });
    expect(await story('anonymous_id=laptop')).toEqual(['received Search', 'waiting Search']);
    await track('PUT', '/v1/customers/2', { anonymous_id: 'laptop' });
    await track('PUT', '/v1/customers/3', { anonymous_id: 'laptop' });
    const [one, two] = [await cioIdOf('1'), await cioIdOf('2')];

    const ofOne = [
      'received Cart',
      'waiting Cart',
      'asked person_created, identifier_added, identifier_added, anonymous_claimed',
      'claimed',
      'merged Cart',
      'segment carts',
      'journey reminder',
    ];
    for (const name of ['1', 'one@shop.example', 'ONE@Shop.example', one]) {
      expect([name, await story(`person=${name}`)]).toEqual([name, ofOne]);
    }
    expect(await story('anonymous_id=phone')).toEqual([
      ...ofOne.filter((step) => !step.startsWith('asked')).slice(0, 2),
      'asked anonymous_claimed'.replace('anonymous_claimed', ofOne[2]?.slice('asked '.length) ?? ''),
      ...ofOne.slice(3),
    ]);
    expect(await story('anonymous_id=laptop')).toContain('refused anonymous_id_taken');

    await track('POST', '/v1/merge_customers', { primary: { id: '1' }, secondary: { id: '2' } });
    for (const name of ['1', two]) {
      const told = await story(`person=${name}`);
      expect(told.slice(-1)).toEqual(['asked person_absorbed']);
      expect(told).toEqual(expect.arrayContaining(['merged Cart', 'merged Search']));
    }

    await calls.app('POST', '/v1/people/1/split', {
      anonymous_ids: ['laptop'],
      into: '4',
      by: 'support',
      why: 'two',
    });
    await calls.settled();
    const apart = await story('person=4');
    expect(apart).toEqual(expect.arrayContaining(['received Search', 'waiting Search', 'merged Search']));
    expect(apart.slice(-1)).toEqual([expect.stringMatching(/^asked .*person_split.*anonymous_moved/)]);
    expect(await story('person=1')).not.toContain('merged Search');

    await track('DELETE', '/v1/customers/1');
    for (const name of ['1', one, two]) {
      const told = await story(`person=${name}`);
      expect([name, told.slice(-1)]).toEqual([name, ['asked person_deleted']]);
      expect(told).not.toContain('merged Cart');
    }
    expect((await calls.app('GET', '/v1/trace?person=nobody')).status).toBe(404);
  },
  TEST_MS_MAX,
);
