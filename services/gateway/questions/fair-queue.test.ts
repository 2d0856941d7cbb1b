import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { toWorkspace } from '../../../schemas/ids.ts';
import { runs } from '../../testing/runs.ts';
import { FairQueue, type QueueLimits } from './fair-queue.ts';

const limits: QueueLimits = {
  runningMax: 3,
  workspaceRunningMax: 2,
  waitingMax: 6,
  workspaceWaitingMax: 4,
  waitMsMax: 60_000,
};
const names = ['loud', 'quiet', 'other', 'fourth'].map(toWorkspace);
const [loud = toWorkspace('loud'), quiet = toWorkspace('quiet'), other = toWorkspace('other')] = names;

/** Questions that run until the test ends them. */
class Asked {
  readonly started: string[] = [];
  readonly refused: string[] = [];
  readonly #ends: (() => void)[] = [];
  readonly #settled: Promise<unknown>[] = [];
  readonly queue: FairQueue;
  constructor(some: Partial<QueueLimits> = {}) {
    this.queue = new FairQueue({ ...limits, ...some });
  }

  ask(workspace: (typeof names)[number], name: string, fails = false): void {
    const run = this.queue.run(workspace, () => {
      this.started.push(name);
      return new Promise<void>((done, fail) => {
        this.#ends.push(() => {
          if (fails) fail(new Error('the question failed'));
          else done();
        });
      });
    });
    const refuse = (error: unknown) =>
      this.refused.push(`${name} ${(error as { code?: string }).code ?? ''}`);
    this.#settled.push(run.catch(refuse));
  }
  get running(): number {
    return this.#ends.length;
  }
  async end(): Promise<void> {
    this.#ends.shift()?.();
    await turn();
  }
  async endAll(): Promise<void> {
    while (this.#ends.length > 0) await this.end();
    await Promise.all(this.#settled);
  }
}

describe('questions of workspaces', () => {
  test('one workspace that asks very much waits behind itself, and another is asked at once', async () => {
    const asked = new Asked();
    for (let n = 0; n < 9; n++) asked.ask(loud, `loud ${String(n)}`);
    asked.ask(quiet, 'quiet');
    await turn();
    expect(asked.started).toEqual(['loud 0', 'loud 1', 'quiet']);
    expect(asked.refused).toEqual([6, 7, 8].map((n) => `loud ${String(n)} questions_share_full`));
    expect(asked.queue.countsOf(loud)).toEqual({ running: 2, waiting: 4, refused: 3 });
    expect(asked.queue.countsOf(quiet)).toEqual({ running: 1, waiting: 0, refused: 0 });
    await asked.endAll();
    expect(asked.queue.counts).toEqual({ running: 0, waiting: 0, refused: 3 });
  });

  test('places that come free go round: who has just had a turn waits for those who have not', async () => {
    const asked = new Asked({ waitingMax: 100 });
    for (let n = 0; n < 5; n++) asked.ask(loud, `loud ${String(n)}`);
    for (let n = 0; n < 3; n++) asked.ask(other, `other ${String(n)}`);
    asked.ask(quiet, 'quiet 0');
    await turn();
    expect(asked.started).toEqual(['loud 0', 'loud 1', 'other 0']);
    for (let n = 0; n < 3; n++) await asked.end();
    expect(asked.started.slice(3)).toEqual(['loud 2', 'other 1', 'quiet 0']);
    await asked.endAll();
  });

  test('with as many waiting as there may be, a newcomer is told to come later', async () => {
    const asked = new Asked();
    for (let n = 0; n < 6; n++) asked.ask(loud, 'loud');
    for (let n = 0; n < 3; n++) asked.ask(other, 'other');
    asked.ask(quiet, 'quiet');
    await turn();
    expect(asked.refused).toEqual(['quiet questions_overloaded']);
    await asked.endAll();
  });

  test('who waits for too long is told whose questions were in the way', async () => {
    const asked = new Asked({ waitMsMax: 1, runningMax: 2 });
    for (let n = 0; n < 3; n++) asked.ask(loud, 'loud');
    asked.ask(quiet, 'quiet');
    await new Promise((done) => setTimeout(done, 30));
    expect(asked.refused.toSorted()).toEqual(['loud questions_share_full', 'quiet questions_overloaded']);
    await asked.endAll();
    expect(asked.queue.counts).toEqual({ running: 0, waiting: 0, refused: 2 });
  });

  test('whatever is asked, ends and fails: no bound is passed, nobody waits while a place is free, all places come back', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ ask: fc.nat(names.length - 1), fails: fc.boolean() }) },
      { weight: 2, arbitrary: fc.constant('end' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const asked = new Asked();
        for (const [at, each] of steps.entries()) {
          if (each === 'end') await asked.end();
          else asked.ask(names[each.ask] ?? loud, String(at), each.fails);
          await turn();
          const { running, waiting } = asked.queue.counts;
          expect(running).toBe(asked.running);
          expect(running).toBeLessThanOrEqual(limits.runningMax);
          expect(waiting).toBeLessThanOrEqual(limits.waitingMax);
          for (const name of names) {
            const of = asked.queue.countsOf(name);
            expect(of.running).toBeLessThanOrEqual(limits.workspaceRunningMax);
            expect(of.waiting).toBeLessThanOrEqual(limits.workspaceWaitingMax);
            const mayStart = running < limits.runningMax && of.running < limits.workspaceRunningMax;
            if (mayStart) expect([name, of.waiting]).toEqual([name, 0]);
          }
        }
        await asked.endAll();
        expect(asked.queue.counts).toMatchObject({ running: 0, waiting: 0 });
      }),
      { numRuns: runs(100) },
    );
  });
});
