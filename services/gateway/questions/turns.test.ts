import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toWorkspace, type Workspace } from '../../../schemas/ids.ts';
import { runs } from '../../testing/runs.ts';
import { Turns } from './turns.ts';

const names = ['loud', 'quiet', 'third'].map(toWorkspace);
interface Item {
  readonly of: Workspace;
  readonly number: number;
}

test('one that waits behind thousands of another workspace is among the next two', () => {
  const [loud = toWorkspace('loud'), quiet = toWorkspace('quiet')] = names;
  const turns = new Turns<Workspace, Item>();
  for (let number = 0; number < 5_000; number++) turns.add(loud, { of: loud, number });
  turns.add(quiet, { of: quiet, number: 0 });
  expect(turns.take(2).map(({ of }) => of)).toEqual([loud, quiet]);
  expect([turns.size, turns.sizeOf(loud), turns.sizeOf(quiet)]).toEqual([4_999, 4_999, 0]);
});

test('whatever is added and taken: each is taken once, in its workspace’s order, and no workspace twice while another waits', () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat(names.length - 1) }),
    fc.record({ take: fc.integer({ min: 1, max: 5 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const turns = new Turns<Workspace, Item>();
      const waiting = new Map(names.map((name): [Workspace, number[]] => [name, []]));
      for (const [number, each] of steps.entries()) {
        if ('add' in each) {
          const of = names[each.add] ?? toWorkspace('loud');
          turns.add(of, { of, number });
          waiting.get(of)?.push(number);
          continue;
        }
        const total = [...waiting.values()].reduce((sum, queue) => sum + queue.length, 0);
        const before = new Map([...waiting].map(([name, queue]) => [name, queue.length]));
        const taken = turns.take(each.take);
        expect(taken).toHaveLength(Math.min(each.take, total));
        for (const { of, number: at } of taken) expect(waiting.get(of)?.shift()).toBe(at);
        const counts = names.map((name) => [name, taken.filter(({ of }) => of === name).length] as const);
        const couldHaveMore = counts.filter(([name, count]) => (before.get(name) ?? 0) > count);
        const most = Math.max(...counts.map(([, count]) => count));
        for (const [, count] of couldHaveMore) expect(most - count).toBeLessThanOrEqual(1);
        expect(turns.size).toBe(total - taken.length);
      }
    }),
    { numRuns: runs(200) },
  );
});
