/** Stalls that are up at one moment, as a release brings them: each of them has one outcome, an entry or a row. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stallMarksMax } from '../rules/limits.ts';
import { of, type Output } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  SECOND,
  T0,
  Trigger,
  absorb,
  absorbed,
  happened,
  identified,
  type Happened,
} from '../testing/scenarios/trigger-scenario.ts';
import { World } from '../testing/scenarios/trigger-world.ts';
import { journeyKeysMax } from './decide/runs.ts';

const FOR = 5 * SECOND;
const stall = { event: 'Checkout Started', without: { event: 'Order Completed' }, for: 'PT5S' };
const again = { frequency: { mode: 'every_rematch' } };
const started = (what: Happened) => happened({ ...what, name: 'Checkout Started' });
const ordered = (what: Happened) => happened({ ...what, name: 'Order Completed' });
const release = { mergedAt: T0, anonymousId: 'x', previouslyAnonymous: true };
const claim = () => identified({ anonymousId: 'x', at: T0 });

/** `a1`, or `a2 frequency` where it led to no entry; in their order. */
function outcomes(outputs: readonly Output[]): string[] {
  return outputs.flatMap((output) => [
    ...of('journeysEntered', [output]).map(({ value }) => value.trigger_message_id ?? ''),
    ...of('journeysSkipped', [output]).map(
      ({ value }) => `${value.trigger_message_id ?? ''} ${value.reason}`,
    ),
  ]);
}

describe('stalls that one claim releases', () => {
  test('each have an outcome, the oldest first', () => {
    for (const [rest, expected] of [
      [again, ['a1', 'a2']],
      [{}, ['a1', 'a2 frequency']],
    ] as const) {
      const trigger = new Trigger().journey('stalled', stall, rest);
      trigger.feed(
        started({ ...release, id: 'a1', at: T0 - MINUTE }),
        started({ ...release, id: 'a2', at: T0 - MINUTE + 5_300 }),
        claim(),
      );
      trigger.until(T0 + DAY);
      expect(outcomes(trigger.harness.outputs)).toEqual(expected);
      expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(trigger.harness.outputs);
    }
  });

  test('are those that neither an answer nor another A came for in their time', () => {
    const trigger = new Trigger().journey('stalled', stall, again);
    const at = (seconds: number) => T0 - HOUR + seconds * SECOND;
    trigger.feed(
      started({ ...release, id: 'answered', at: at(0) }),
      ordered({ ...release, at: at(5) }),
      started({ ...release, id: 'restarted', at: at(10) }),
      started({ ...release, id: 'up', at: at(15) }),
      started({ ...release, id: 'up, too', at: at(20.001) }),
      started({ ...release, id: 'running', at: T0 - 1 }),
      claim(),
    );
    trigger.until(T0 + 1);
    expect(outcomes(trigger.harness.outputs)).toEqual(['up', 'up, too']);
    trigger.until(T0 - 1 + FOR);
    expect(outcomes(trigger.harness.outputs)).toEqual(['up', 'up, too', 'running']);
  });

  test('have theirs whatever was told of a newer one, where it would not have begun in their place', () => {
    const trigger = new Trigger().journey('stalled', stall, again);
    trigger.feed(started({ id: 'live', at: T0 - MINUTE }));
    trigger.feed(
      started({ ...release, id: 'earlier', at: T0 - HOUR }),
      started({ ...release, id: 'restarted', at: T0 - MINUTE - FOR }),
      claim(),
    );
    trigger.until(T0 + DAY);
    expect(outcomes(trigger.harness.outputs)).toEqual(['live', 'earlier']);
  });

  test('have a row each beyond what is kept of them, the oldest of them', () => {
    const trigger = new Trigger().journey('stalled', stall, again);
    const count = stallMarksMax + 10;
    const ids = Array.from({ length: count }, (_, index) => `a${String(index)}`);
    const at = (index: number) => T0 - HOUR + index * 6 * SECOND;
    trigger.feed(...ids.map((id, index) => started({ ...release, id, at: at(index) })), claim());
    trigger.until(T0 + DAY);
    const expected = [
      ...ids.slice(0, 10).map((id) => `${id} stall_limit`),
      ...ids.slice(10), // that are kept
    ];
    expect(outcomes(trigger.harness.outputs)).toEqual(expected);
    trigger.feed(started({ id: 'late', at: T0 + DAY, timestamp: at(3) }));
    expect(outcomes(trigger.harness.outputs).at(-1)).toBe('late stall_limit');
    const [row] = of('journeysSkipped', trigger.harness.outputs);
    expect(row?.value.detail).toBe(JSON.stringify({ stall_marks_max: stallMarksMax }));
  });

  test('of two people who merge have one each, and are bounded together', () => {
    const world = new World((harness) =>
      harness.define('journey', 'default', 's', { name: 's', state: 'running', trigger: stall, ...again }),
    );
    const long = { event: 'Checkout Started', without: { event: 'Order Completed' }, for: 'PT1H' };
    for (const { harness } of world.partitions) {
      harness.define('journey', 'default', 'l', { name: 'l', state: 'running', trigger: long, ...again });
    }
    const half = stallMarksMax - 4;
    const each = (person: string, from: number) =>
      Array.from({ length: half }, (_, index) => {
        const at = T0 - 2 * DAY + from + index * 10 * SECOND;
        return started({ ...release, person, id: `${person}${String(index)}`, at });
      });
    world.write(...each('cio_a', 0), ...each('cio_b', DAY));
    world.write(absorbed('cio_b', 'cio_a', 7, T0), absorb('cio_a', 'cio_b', 7, T0));
    world.run();
    world.until(T0 + DAY);
    world.run();
    const own = world.outputs.filter((output) => JSON.stringify(output).includes('"journey_id":"s"'));
    const told = outcomes(own).map((one) => one.split(' ')[0]);
    expect(told).toHaveLength(2 * half);
    expect(new Set(told).size).toBe(2 * half);
    expect(outcomes(own).filter((one) => one.endsWith('stall_limit'))).toHaveLength(2 * half - stallMarksMax);
    const other = world.outputs.filter((output) => JSON.stringify(output).includes('"journey_id":"l"'));
    expect(outcomes(other)).toEqual([`cio_a${String(half - 1)}`, `cio_b${String(half - 1)}`]);
  });
});

test('of two people who merge each stall has an outcome, where they had more values of the key than one may have', () => {
  const world = new World((harness) =>
    harness.define('journey', 'default', 's', {
      name: 's',
      state: 'running',
      trigger: stall,
      ...again,
      key: 'cart',
    }),
  );
  const ids = ['cio_a', 'cio_b'].flatMap((person) =>
    Array.from({ length: journeyKeysMax }, (_, index) => `${person} ${String(index)}`),
  );
  world.write(...ids.map((id) => started({ id, person: id.slice(0, 5), at: T0, properties: { cart: id } })));
  world.write(absorbed('cio_b', 'cio_a', 7, T0 + 1), absorb('cio_a', 'cio_b', 7, T0 + 1));
  world.until(T0 + DAY);
  world.run();
  const told = outcomes(world.outputs);
  expect(told.map((one) => one.split(' ').slice(0, 2).join(' ')).sort()).toEqual([...ids].sort());
  expect(told.filter((one) => one.endsWith('key_limit'))).toHaveLength(journeyKeysMax);
});

test('a stall that is longer than a key is kept makes no room for another', () => {
  const long = { ...stall, for: 'P60D' };
  const trigger = new Trigger().journey('stalled', long, { ...again, key: 'cart' });
  const cart = (id: string, at: number) => started({ id, at, properties: { cart: id } });
  const ids = Array.from({ length: journeyKeysMax }, (_, index) => `a${String(index)}`);
  trigger.feed(...ids.map((id) => cart(id, T0)));
  trigger.feed(cart('next', T0 + 31 * DAY));
  trigger.until(T0 + 61 * DAY);
  expect(outcomes(trigger.harness.outputs)).toEqual(['next key_limit', ...ids]);
});

interface Step {
  readonly isA: boolean;
  readonly isPast: boolean;
  readonly afterMs: number;
  readonly ageMs: number;
}

/** When it came, and when it was, ms. */
interface Told extends Pick<Step, 'isA'> {
  readonly id: string;
  readonly merged: number;
  readonly time: number;
}

describe('entered and skipped add up to the stalls that were up', () => {
  const step = fc.record({
    isA: fc.boolean(),
    isPast: fc.boolean(),
    afterMs: fc.constantFrom(2, 1_000, 4_999, 5_000, 5_001, 5_300, 20_000),
    ageMs: fc.constantFrom(0, 0, 0, 1_000, 5_000, 60_000),
  });
  const frequency = fc.constantFrom<object>(
    { mode: 'once' },
    { mode: 'every_rematch' },
    { mode: 'every_rematch', gap: 'PT10S' },
    { mode: 'at_most', times: 2, per: 'P1D' },
  );

  /** What came live and late, and a visitor's past that is claimed in the middle, oldest first. */
  function play(
    steps: readonly Step[],
    frequency: object,
    rearm: object = {},
  ): { readonly told: Told[]; readonly trigger: Trigger } {
    const trigger = new Trigger().journey('stalled', { ...stall, ...rearm }, { frequency });
    const told: Told[] = [];
    let at = T0;
    const past: Told[] = [];
    const did = ({ id, isA, time, merged }: Told, rest: Partial<Happened>) =>
      happened({
        ...rest,
        id,
        name: isA ? 'Checkout Started' : 'Order Completed',
        at: time,
        mergedAt: merged,
      });
    for (const [index, one] of steps.entries()) {
      at += one.afterMs;
      const id = `m${String(index).padStart(2, '0')}`;
      if (one.isPast) {
        past.push({ isA: one.isA, id, time: at, merged: 0 });
        continue;
      }
      const next = { isA: one.isA, id, time: at - one.ageMs, merged: at };
      told.push(next);
      trigger.feed(did(next, {}));
    }
    at += 2;
    const released = past.map((one) => ({ ...one, merged: at }));
    told.push(...released);
    trigger.feed(
      ...released.map((one) => did(one, { anonymousId: 'x', previouslyAnonymous: true })),
      identified({ anonymousId: 'x', at }),
    );
    trigger.until(at + DAY);
    return { told, trigger };
  }

  test('whenever its events come, to the millisecond', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), frequency, (steps, how) => {
        const { told, trigger } = play(steps, how);
        const expected = told.filter(({ isA, time, merged, id }) => {
          if (!isA) return false;
          const upAt = time + FOR;
          const fires = upAt <= merged ? merged + 1 : upAt;
          return !told.some((other) => {
            // `feed` has everything until a record happen before it, what is due at its very moment, too.
            if (other.merged >= fires || other.id === id || other.time > upAt) return false;
            const isLater = other.time > time || (other.isA && other.time === time && other.id > id);
            return isLater;
          });
        });
        const found = outcomes(trigger.harness.outputs).map((one) => one.split(' ')[0]);
        expect(found.sort()).toEqual(expected.map(({ id }) => id).sort());
        expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(trigger.harness.outputs);
      }),
      { numRuns: runs(150) },
    );
  });

  test('where one goes on through other A’s, too', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), frequency, (steps, how) => {
        // In their order: what comes late may change when a stall began that has been told.
        const inOrder = steps.map((one) => ({ ...one, isPast: true, ageMs: 0 }));
        const { told, trigger } = play(inOrder, how, { rearm: 'ignore' });
        const expected: string[] = [];
        let run: { start: number; newest: string } | undefined;
        for (const { isA, time, id } of [...told, { isA: true, time: Infinity, id: 'end' }]) {
          const isInTime = run !== undefined && time <= run.start + FOR;
          if (isInTime && !isA) run = undefined;
          else if (isInTime && run !== undefined) run.newest = id;
          else if (isA || time > (run?.start ?? Infinity) + FOR) {
            if (run !== undefined) expected.push(run.newest);
            run = isA ? { start: time, newest: id } : undefined;
          }
        }
        const found = outcomes(trigger.harness.outputs).map((one) => one.split(' ')[0]);
        expect(found).toEqual(expected);
      }),
      { numRuns: runs(100) },
    );
  });
});
