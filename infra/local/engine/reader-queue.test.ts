import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { ReaderQueue } from './reader-queue.ts';

test('never more run or wait than may, each that is let in runs once, in its order, and every place comes back', async () => {
  const act = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ type: 'ask' } as const) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('end' as const), fails: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), which: fc.nat(40) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
      const queue = new ReaderQueue({ runningMax: 2, waitingMax: 3, waitMsMax: 60_000 });
      const started: number[] = [];
      const ends: ((fails: boolean) => void)[] = [];
      const asked: AbortController[] = [];
      const settled: Promise<unknown>[] = [];
      for (const step of acts) {
        if (step.type === 'ask') {
          const number = asked.length;
          const gone = new AbortController();
          asked.push(gone);
          const run = queue.run(gone.signal, () => {
            started.push(number);
            return new Promise<void>((done, fail) => {
              ends.push((fails) => {
                if (fails) fail(new Error('the query failed'));
                else done();
              });
            });
          });
          settled.push(run.catch((error: unknown) => error));
        } else if (step.type === 'end') ends.shift()?.(step.fails);
        else asked[step.which]?.abort();
        await turn();
        expect(queue.running).toBeLessThanOrEqual(2);
        expect(queue.waiting).toBeLessThanOrEqual(3);
        expect(queue.running).toBe(ends.length);
      }
      expect(started).toEqual([...started].sort((a, b) => a - b));
      expect(new Set(started).size).toBe(started.length);
      while (queue.running > 0) {
        ends.shift()?.(false);
        await turn();
      }
      await Promise.all(settled);
      expect([queue.running, queue.waiting]).toEqual([0, 0]);
    }),
  );
});

test('who waits for too long is told so', async () => {
  const queue = new ReaderQueue({ runningMax: 1, waitingMax: 1, waitMsMax: 1 });
  const stay = new AbortController();
  let end: () => void = () => undefined;
  const first = queue.run(stay.signal, () => new Promise<void>((done) => (end = done)));
  await expect(queue.run(stay.signal, () => Promise.resolve())).rejects.toThrow(/Code: 202.*none came free/);
  expect(queue.waiting).toBe(0);
  end();
  await first;
  expect(queue.running).toBe(0);
});
