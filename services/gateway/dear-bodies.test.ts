/** Large bodies take turns, and what they hold stays somebody else's to have. */
import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { BodyBudget } from './body-budget.ts';
import { DearBodies } from './dear-bodies.ts';

const limits = { bytesMax: 100, clientBytesMax: 60, clientBodiesMax: 10, workspaceBytesMax: 80 };

test('each client in turn, and the loop goes round between two of them', async () => {
  const budget = new BodyBudget(limits);
  const dear = new DearBodies(() => new Error('ended'));
  const order: string[] = [];
  const one = async (client: string, what: string): Promise<void> => {
    const owner = { client, share: undefined };
    const hold = budget.open(owner);
    if (hold === undefined) throw new Error('there is room');
    await dear.turn(owner, hold);
    order.push(what);
    setImmediate(() => order.push('others'));
    hold.close();
  };
  await Promise.all([one('a', 'a1'), one('a', 'a2'), one('a', 'a3'), one('b', 'b1')]);
  await sleep(0);
  expect(order.filter((what) => what !== 'others')).toEqual(['a1', 'a2', 'b1', 'a3']);
  for (let at = 1; at < order.length; at += 1) expect(order[at] === 'others').toBe(at % 2 === 1);
});

test('one that waits makes room for a client who holds less, and is refused', async () => {
  const budget = new BodyBudget(limits);
  const dear = new DearBodies(() => new Error('ended'));
  const owners = {
    many: { client: 'many', share: 'shop (pages)' },
    few: { client: 'few', share: 'shop (pages)' },
  };
  const [first, second] = [budget.open(owners.many), budget.open(owners.many)];
  expect([first?.take(30), second?.take(30)]).toEqual([true, true]);
  if (first === undefined || second === undefined) throw new Error('there is room');
  await dear.turn(owners.many, first);
  const refused = dear.turn(owners.many, second);
  const outcome = expect(refused).rejects.toThrow('ended');
  const small = budget.open(owners.few);
  expect(small?.take(25)).toBe(true);
  await outcome;
  expect(budget.state).toMatchObject({ held_bytes: 55, ended: 1 });
  first.close();
  second.close();
  small?.close();
  expect(budget.state).toMatchObject({ held_bytes: 0, bodies: 0 });
  expect(budget.accounts).toBe(0);
});

test('a workspace whose pages hold all they may has room for its servers, and for a page that holds less', () => {
  const budget = new BodyBudget(limits);
  const open = (client: string, share: string) => {
    const hold = budget.open({ client, share });
    hold?.reading(() => undefined);
    return hold;
  };
  expect([open('a', 'shop (pages)')?.take(40), open('b', 'shop (pages)')?.take(40)]).toEqual([true, true]);
  expect(open('server', 'shop')?.take(20)).toBe(true);
  expect(open('c', 'shop (pages)')?.take(10)).toBe(true);
  expect(open('d', 'shop (pages)')?.take(60)).toBe(false);
});
