/**
 * A timer of somebody into whom others were merged waits for what these did, in whichever partition it is read and by way of
 * however many it comes; so an answer that was received in time prevents an entry, and an A is told once.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { of } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import {
  absorb,
  absorbed,
  DAY,
  deleted,
  happened,
  lines,
  MINUTE,
  T0,
} from '../testing/scenarios/trigger-scenario.ts';
import { World } from '../testing/scenarios/trigger-world.ts';

const stall = { event: 'A', without: { event: 'B' }, for: 'PT10M' };
const newWorld = (rest: object = {}) =>
  new World((harness) =>
    harness.define('journey', 'default', 'nudge', {
      ...{ name: 'Nudge', state: 'running', trigger: { ...stall, ...rest } },
      frequency: { mode: 'every_rematch' },
    }),
  );
const merge = (from: string, into: string, fact: number, at: number) => [
  absorb(into, from, fact, at),
  absorbed(from, into, fact, at),
];
/** Who moves next: all of what lies on events.merged for the first of these people, then for the next. */
function inTurn(world: World, people: readonly string[]): void {
  for (const person of people) world.runOf(person);
  world.run();
}

describe('a timer of the last of a chain', () => {
  test.each([
    ['cio_c', 'cio_b', 'cio_a'],
    ['cio_c', 'cio_a', 'cio_b'],
    ['cio_a', 'cio_c', 'cio_b'],
  ])('waits for what the first did, whoever of them is read first: %s, %s, %s', (...order) => {
    const world = newWorld();
    world.write(happened({ person: 'cio_c', name: 'A', id: 'a1' }));
    world.write(...merge('cio_a', 'cio_b', 7, T0 + MINUTE), ...merge('cio_b', 'cio_c', 8, T0 + 2 * MINUTE));
    world.run();
    world.write(happened({ person: 'cio_a', name: 'B', at: T0 + 5 * MINUTE }));
    world.until(T0 + 60 * MINUTE);
    inTurn(world, order);
    expect(lines(world.outputs)).toEqual([]);
    expect(world.unsettled).toBe(0);
  });

  test('runs at its time where nothing prevents it, and goes on with people of whom nothing is left', () => {
    const world = newWorld();
    world.write(...merge('cio_a', 'cio_b', 7, T0 - 2), ...merge('cio_b', 'cio_c', 8, T0 - 1));
    world.write(happened({ person: 'cio_c', name: 'A', id: 'a1' }));
    world.run();
    world.until(T0 + 60 * MINUTE);
    inTurn(world, ['cio_c', 'cio_b', 'cio_a']);
    expect(lines(world.outputs)).toEqual(['cio_c starts nudge because of a1']);
    expect(of('journeysEntered', world.outputs)[0]?.value.entered_at).toBe(T0 + 10 * MINUTE);
    world.write(deleted('cio_c', 9, T0 + 61 * MINUTE));
    world.run();
    expect(world.unsettled).toBe(0);
  });
});

test('a day after the merge nobody is asked any more', () => {
  const world = newWorld();
  world.write(...merge('cio_b', 'cio_c', 8, T0));
  world.run();
  world.write(happened({ person: 'cio_c', name: 'A', id: 'a1', at: T0 + DAY }));
  world.until(T0 + DAY + 20 * MINUTE);
  expect(lines(world.run())).toEqual(['cio_c starts nudge because of a1']);
  expect(of('triggerTransfers', world.outputs).map(({ value }) => value.kind)).toEqual(['state']);
});

describe('what people lead to who have become one', () => {
  const FOR = 10 * MINUTE;
  const happening = fc.record({
    person: fc.constantFrom('cio_a', 'cio_b', 'cio_c'),
    name: fc.constantFrom('A', 'B', 'A', 'Other'),
    afterMs: fc.constantFrom(1, 60_007, 240_011, 540_013, 600_017, 1_500_019), // never at the end of a stall
  });
  interface Told {
    readonly name: string;
    readonly at: number;
    readonly id: string;
  }
  /** The slow way: each A that nobody answers in its time, nor begins anew. */
  function expected(told: readonly Told[], rearm: string): string[] {
    const entered: string[] = [];
    let run: { at: number; id: string } | undefined;
    const end = (): void => {
      if (run !== undefined) entered.push(run.id);
      run = undefined;
    };
    for (const { name, at, id } of told) {
      if (run !== undefined && at > run.at + FOR) end();
      if (name === 'B') run = undefined;
      if (name === 'A') run = run !== undefined && rearm === 'ignore' ? { at: run.at, id } : { at, id };
    }
    end();
    return entered;
  }

  test('does not depend on which partition is read when', () => {
    fc.assert(
      fc.property(
        fc.array(happening, { minLength: 2, maxLength: 12 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 60 }),
        fc.constantFrom('restart', 'ignore'),
        (steps, choices, rearm) => {
          const world = newWorld({ rearm });
          world.write(...merge('cio_a', 'cio_b', 7, T0 - 2), ...merge('cio_b', 'cio_c', 8, T0 - 1));
          let at = T0;
          const told = steps.map((one, index) => {
            at += one.afterMs;
            return { ...one, at, id: `m${String(index).padStart(2, '0')}` };
          });
          world.write(...told.map((one) => happened(one)));
          world.until(at + 60 * MINUTE);
          let turn = 0;
          world.run(() => choices[(turn += 1) % choices.length] ?? 0);
          expect(world.unsettled).toBe(0);
          const entered = of('journeysEntered', world.outputs).map(({ value }) => value.trigger_message_id);
          expect(entered).toEqual(expected(told, rearm));
          for (const { harness } of world.partitions) {
            expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
          }
        },
      ),
      { numRuns: runs(60) },
    );
  });
});
