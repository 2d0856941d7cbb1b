/** What time alone changes happens at its moment, once, whatever is read when and whoever dies. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { of } from '../testing/processor-harness.ts';
import { MemoryDisk } from '../testing/memory/memory-stores.ts';
import {
  HOUR,
  MINUTE,
  T0,
  Trigger,
  absorb,
  absorbed,
  happened,
  lines,
  watermark,
} from '../testing/scenarios/trigger-scenario.ts';
import { World } from '../testing/scenarios/trigger-world.ts';
import { timersABatchMax } from './due-timers.ts';
import { TimerIndex } from './timers.ts';
import { runs } from '../testing/runs.ts';

const cart = { event: 'Added to Cart' };
const recent = { ...cart, within: 'PT1H' };
const again = { frequency: { mode: 'every_rematch' } };
const watermarks = (at: number) => Array.from({ length: 8 }, (_, source) => watermark(source, at));

describe('a window that ends', () => {
  test('ends by itself, to the millisecond, and nobody caused it', () => {
    const trigger = new Trigger()
      .segment('recent', recent)
      .journey('goodbye', { segment: 'recent', on: 'leave' });
    trigger.then(happened({ id: 'm1' }));
    expect(trigger.until(T0 + HOUR - 1)).toEqual([]);
    expect(trigger.until(T0 + HOUR)).toEqual(['cio_a left recent', 'cio_a starts goodbye']);
    const { outputs } = trigger.harness;
    expect(of('segmentsChanged', outputs).at(-1)?.value).toMatchObject({
      at: T0 + HOUR,
      cause_message_id: null,
    });
    expect(of('journeysEntered', outputs)[0]?.value).toMatchObject({
      entered_at: T0 + HOUR,
      trigger_message_id: null,
    });
    expect(trigger.until(T0 + 2 * HOUR)).toEqual([]);
  });

  test('is put off by what happens in it, with one timer that moves when it fires and not before', () => {
    const trigger = new Trigger().segment('recent', recent);
    const timers = () => trigger.harness.stores.keyed.scan('z:', 'z;', 10).map(([key]) => key);
    trigger.then(happened({ id: 'm1' }));
    const [first] = timers();
    for (const minutes of [10, 20, 30]) trigger.then(happened({ at: T0 + minutes * MINUTE }));
    expect(timers()).toEqual([first]);
    expect(trigger.until(T0 + HOUR)).toEqual([]);
    expect(timers()).toHaveLength(1);
    expect(timers()).not.toEqual([first]);
    trigger.harness.crash();
    expect(trigger.until(T0 + HOUR + 30 * MINUTE - 1)).toEqual([]);
    expect(trigger.until(T0 + HOUR + 30 * MINUTE)).toEqual(['cio_a left recent']);
    expect(timers()).toEqual([]);
  });

  test('of somebody who was merged into another is over without a trace', () => {
    const trigger = new Trigger().segment('recent', recent);
    trigger.then(happened({ id: 'm1' }));
    trigger.then(absorbed('cio_a', 'cio_b', 7, T0 + MINUTE));
    expect(trigger.until(T0 + 2 * HOUR)).toEqual([]);
    expect(trigger.harness.stores.keyed.scan('z:', 'z;', 10)).toEqual([]);
  });

  test('has ended at its own moment also when that is seen much later', () => {
    const trigger = new Trigger().segment('recent', recent);
    trigger.then(happened({ id: 'm1' }));
    expect(trigger.then(happened({ id: 'm2', at: T0 + 5 * HOUR }))).toEqual([
      'cio_a left recent',
      'cio_a entered recent because of m2',
    ]);
    const changes = of('segmentsChanged', trigger.harness.outputs).map(({ value }) => value.at);
    expect(changes).toEqual([T0, T0 + HOUR, T0 + 5 * HOUR]);
  });

  test('ends when those of other lanes have been read too, and what was received later waits for that', () => {
    const trigger = new Trigger()
      .segment('recent', recent)
      .journey('hello', { segment: 'recent', on: 'enter' }, again);
    trigger.then(happened({ id: 'm1' }));
    // m3 is read first, from a lane that is ahead; m2 comes by another, and keeps the person in.
    const ahead = happened({ id: 'm3', at: T0 + HOUR + MINUTE });
    const behind = happened({ id: 'm2', at: T0 + HOUR - MINUTE });
    expect(lines(trigger.raw(ahead))).toEqual([]);
    expect(trigger.harness.processor.status()).toMatchObject({ unsettled: 1, held_records: 1 });
    expect(lines(trigger.raw(behind))).toEqual([]);
    expect(trigger.harness.processor.status()).toMatchObject({ unsettled: 0, held_records: 0 });
    expect(trigger.until(T0 + 2 * HOUR)).toEqual([]);
    expect(trigger.until(T0 + 3 * HOUR)).toEqual(['cio_a left recent']);
  });

  test('what waits is handled in order once the timer has run, also after a crash', () => {
    const trigger = new Trigger()
      .segment('recent', recent)
      .journey('hello', { segment: 'recent', on: 'enter' }, again);
    trigger.then(happened({ id: 'm1' }));
    trigger.harness.flush();
    const late = (id: string, minutes: number) => happened({ id, at: T0 + HOUR + minutes * MINUTE });
    expect(lines(trigger.raw(late('m2', 1), late('m3', 2)))).toEqual([]);
    trigger.harness.crash();
    expect(trigger.harness.processor.status()).toMatchObject({ unsettled: 1, held_records: 2 });
    expect(trigger.until(T0 + HOUR)).toEqual([
      'cio_a left recent',
      'cio_a entered recent because of m2',
      'cio_a starts hello because of m2',
    ]);
    trigger.harness.crash();
    expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(trigger.harness.outputs);
    expect(trigger.harness.processor.status()).toMatchObject({ unsettled: 0, held_records: 0 });
  });
});

describe('very many timers', () => {
  test('that are due at once run in slices, each once, and records are taken between', () => {
    const people = 3 * timersABatchMax;
    const trigger = new Trigger().segment('recent', recent).segment('others', { event: 'Other' });
    const everybody = Array.from({ length: people }, (_, index) =>
      happened({ person: `cio_${String(index)}` }),
    );
    trigger.feed(...everybody);
    const { harness } = trigger;
    const first = harness.batch(T0 + 1, ...watermarks(T0 + HOUR));
    expect(lines(first)).toHaveLength(timersABatchMax);
    expect(harness.processor.wantsBatch(0, undefined as never)).toBe(true);
    expect(harness.processor.status().unsettled).toBe(1);
    harness.flush();
    const second = harness.batch(
      T0 + 2,
      happened({ person: 'cio_x', name: 'Other', id: 'x', at: T0 + HOUR }),
    );
    expect(lines(second)).toHaveLength(timersABatchMax + 1);
    expect(lines(second)[0]).toBe('cio_x entered others because of x');
    harness.crash();
    harness.idle(T0 + 3);
    const left = lines(harness.outputs).filter((line) => line.includes('left'));
    expect(left).toHaveLength(people);
    expect(new Set(left).size).toBe(people);
    expect(harness.replay()).toEqual(harness.outputs);
  });

  test('people whom a version without timers has stored are entered into the index', () => {
    const trigger = new Trigger().segment('recent', recent);
    trigger.feed(
      ...Array.from({ length: 2_500 }, (_, index) => happened({ person: `cio_${String(index)}` })),
    );
    const { harness } = trigger;
    const { keyed } = harness.stores;
    for (const [key] of keyed.scan('y', '{', 10_000)) keyed.delete(key);
    harness.batch(T0 + 1);
    harness.reopen();
    harness.idle(T0 + 2);
    expect(trigger.until(T0 + HOUR)).toHaveLength(2_500);
  });
});

describe('timers of people who merge', () => {
  const rules = (harness: World['partitions'][number]['harness']) =>
    harness
      .define('segment', 'default', 'recent', { name: 'Recent', type: 'data_driven', when: recent })
      .define('journey', 'default', 'bye', {
        name: 'Bye',
        state: 'running',
        trigger: { segment: 'recent', on: 'leave' },
        ...again,
      });

  test('run once, for the survivor, after all that either did', () => {
    const world = new World(rules);
    world.write(
      happened({ person: 'cio_b', id: 'b1' }),
      happened({ person: 'cio_a', id: 'a1', at: T0 + 10 * MINUTE }),
    );
    const merged = T0 + 20 * MINUTE;
    world.write(absorbed('cio_b', 'cio_a', 7, merged), absorb('cio_a', 'cio_b', 7, merged));
    world.run();
    world.until(T0 + HOUR);
    expect(lines(world.run())).toEqual([]);
    world.until(T0 + 3 * HOUR);
    expect(lines(world.run())).toEqual(['cio_a left recent', 'cio_a starts bye']);
    expect(of('segmentsChanged', world.outputs).at(-1)?.value.at).toBe(T0 + HOUR + 10 * MINUTE);
  });

  test('wait for the state of whoever was merged into the person', () => {
    const world = new World(rules);
    const merged = T0 + 20 * MINUTE;
    world.write(happened({ person: 'cio_a', id: 'a1' }), absorb('cio_a', 'cio_b', 7, merged));
    world.run();
    world.until(T0 + 2 * HOUR);
    expect(lines(world.run())).toEqual([]);
    world.reopen();
    // What B did before the merge is read by B's partition only now.
    world.write(happened({ person: 'cio_b', id: 'b1', at: T0 + 90 * MINUTE, timestamp: T0 + 19 * MINUTE }));
    world.write(absorbed('cio_b', 'cio_a', 7, merged));
    const told = lines(world.run()).filter((line) => line.startsWith('cio_a'));
    expect(told).toEqual(['cio_a left recent', 'cio_a starts bye']);
    expect(world.unsettled).toBe(0);
  });
});

describe('the index of timers', () => {
  test('says the earliest, whatever was armed, moved and forgotten, and whatever fits into memory', () => {
    const person = fc.integer({ min: 0, max: 15 }).map((index) => `w:cio_${String(index)}`);
    const at = fc.integer({ min: 0, max: 100 });
    const step = fc.oneof(
      fc.record({ type: fc.constant('move' as const), person, at: fc.option(at, { nil: Infinity }) }),
      fc.record({ type: fc.constant('run' as const), at }),
      fc.constant({ type: 'reopen' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 2, max: 6 }), (steps, nearMax) => {
        const { keyed } = new MemoryDisk().open('partition', {});
        let index = new TimerIndex(keyed, undefined, nearMax);
        const armed = new Map<string, number>();
        for (const next of steps) {
          if (next.type === 'reopen') index = new TimerIndex(keyed, undefined, nearMax);
          else if (next.type === 'move') {
            index.move(next.person, armed.get(next.person) ?? Infinity, next.at);
            if (next.at === Infinity) armed.delete(next.person);
            else armed.set(next.person, next.at);
          } else {
            const due = [...armed].filter(([, when]) => when <= next.at);
            const found: string[] = [];
            for (let timer = index.due(next.at); timer !== undefined; timer = index.due(next.at)) {
              found.push(timer.personKey);
              expect(armed.get(timer.personKey)).toBe(timer.at);
              index.move(timer.personKey, timer.at, Infinity);
              armed.delete(timer.personKey);
            }
            const order = due.sort(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x - y));
            expect(found).toEqual(order.map(([key]) => key));
          }
        }
      }),
      { numRuns: runs(100) },
    );
  });
});
