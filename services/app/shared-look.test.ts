import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { runs } from '../testing/runs.ts';
import { SharedLook } from './shared-look.ts';

/** Looks end when the test says so; each sees the number of the moment at which it began. */
class World {
  moment = 0;
  running = 0;
  looks = 0;
  readonly #ends: ((fails: boolean) => void)[] = [];
  readonly shared = new SharedLook(() => {
    const began = this.moment;
    this.running += 1;
    this.looks += 1;
    return new Promise<number>((resolve, reject) => {
      this.#ends.push((fails) => {
        this.running -= 1;
        if (fails) reject(new Error('the look failed'));
        else resolve(began);
      });
    });
  });
  async end(fails = false): Promise<void> {
    this.#ends.shift()?.(fails);
    await turn();
  }
}

test('a thousand who ask while one looks make one more look of it', async () => {
  const world = new World();
  const asked = Array.from({ length: 1_000 }, (_, n) =>
    n % 2 === 0 ? world.shared.now() : world.shared.fresh(),
  );
  await world.end();
  await world.end();
  expect(await Promise.all(asked)).toHaveLength(1_000);
  expect(world.looks).toBe(2);
});

test('whoever asks, whenever, however looks end: one looks at a time, a fresh one began after it was asked for, all are answered', async () => {
  const step = fc.constantFrom('now', 'fresh', 'end', 'fail');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world = new World();
      const answers: Promise<void>[] = [];
      for (const each of steps) {
        world.moment += 1;
        const at = world.moment;
        if (each === 'end' || each === 'fail') await world.end(each === 'fail');
        else {
          const answer = each === 'now' ? world.shared.now() : world.shared.fresh();
          answers.push(
            answer.then(
              (began) => {
                if (each === 'fresh') expect(began).toBeGreaterThanOrEqual(at);
              },
              () => undefined,
            ),
          );
        }
        expect(world.running).toBeLessThanOrEqual(1);
      }
      while (world.running > 0) await world.end();
      await Promise.all(answers);
    }),
    { numRuns: runs(200) },
  );
});
