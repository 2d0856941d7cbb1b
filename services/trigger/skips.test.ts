/** Every trigger of a running journey leads to an entry or to a row that says why not. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JourneyEntry, JourneySkip } from '../../schemas/records.ts';
import { skipReasons } from '../../schemas/skip-reasons.ts';
import { of, type Output } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  T0,
  Trigger,
  happened,
  identified,
  type Happened,
} from '../testing/scenarios/trigger-scenario.ts';
import { journeyKeyMs, journeyKeysMax } from './decide/runs.ts';

const cart = { event: 'Added to Cart' };
const often = { frequency: { mode: 'every_rematch' } };
const skips = (outputs: readonly Output[]) => of('journeysSkipped', outputs).map(({ value }) => value);
const reasons = (outputs: readonly Output[]) => skips(outputs).map(({ reason }) => reason);

describe('a row of journeys.skipped', () => {
  test('says which of the filters does not hold, by its place in the definition', () => {
    const trigger = new Trigger().journey('recovery', cart, {
      filters: {
        all: [{ ...cart }, { any: [{ attribute: 'email', operator: 'exists' }, { not: cart }] }],
      },
    });
    expect(skips(trigger.feed(happened({ id: 'm1' })))).toMatchObject([
      {
        workspace: 'default',
        journey_id: 'recovery',
        person_id: 'cio_a',
        key: null,
        at: T0,
        reason: 'filters_not_met',
        trigger_message_id: 'm1',
        rule_version: 1,
        detail: '{"pointer":"/filters/all/1"}',
      },
    ]);
  });

  test('says when the person passed last, where the frequency forbids it', () => {
    const trigger = new Trigger().journey('recovery', cart);
    const [skip] = skips(trigger.feed(happened({}), happened({ id: 'm2', at: T0 + 1 })));
    expect(skip).toMatchObject({ reason: 'frequency', trigger_message_id: 'm2' });
    expect(JSON.parse(skip?.detail ?? '')).toEqual({ mode: 'once', last_at: new Date(T0).toISOString() });
  });

  test('says how old a trigger is that is too old, by event and by identify (spec C.1 rows 11 and 12)', () => {
    const trigger = new Trigger().journey('recovery', cart).journey('hello', { identified: true });
    const old = { at: T0, timestamp: T0 - 73 * HOUR };
    const rows = skips(trigger.feed(happened({ ...old, id: 'm1' }), identified({ ...old, id: 'i1' })));
    expect(rows.map(({ journey_id: id, reason, detail }) => [id, reason, detail])).toEqual([
      ['recovery', 'too_old', `{"age_seconds":${String(73 * 3_600)}}`],
      ['hello', 'too_old', `{"age_seconds":${String(73 * 3_600)}}`],
    ]);
  });

  test('names a stall that was too old to begin, or whose filters do not hold when it is up', () => {
    const stall = { ...cart, without: { event: 'Order Completed' }, for: 'PT10M' };
    const trigger = new Trigger().journey('stalled', stall, {
      filters: { attribute: 'email', operator: 'exists' },
    });
    expect(reasons(trigger.feed(happened({ at: T0, timestamp: T0 - 73 * HOUR })))).toEqual(['too_old']);
    trigger.feed(happened({ id: 'm2' }));
    trigger.until(T0 + DAY);
    expect(skips(trigger.harness.outputs).at(-1)).toMatchObject({
      reason: 'filters_not_met',
      at: T0 + 10 * MINUTE,
      trigger_message_id: 'm2',
    });
  });

  test('is not written for a journey that does not run, nor for a trigger that led to an entry', () => {
    const trigger = new Trigger().journey('draft', cart, { state: 'draft' }).journey('each', cart, often);
    expect(skips(trigger.feed(happened({}), happened({ at: T0 + 1 })))).toEqual([]);
  });
});

describe('a key', () => {
  const bought = (what: Happened & { readonly cart: unknown }) =>
    happened({ ...what, properties: { cart: { id: what.cart } } });
  const keyed = { key: 'cart.id' };

  test('lets a person in once for each of its values, and says which in the entry', () => {
    const trigger = new Trigger().journey('recovery', cart, keyed);
    const outputs = trigger.feed(
      bought({ cart: 'a' }),
      bought({ cart: 'b', at: T0 + 1 }),
      bought({ cart: 'a', at: T0 + 2 }),
      bought({ cart: 7, at: T0 + 3 }),
      bought({ cart: '7', at: T0 + 4 }),
      bought({ cart: null, at: T0 + 5 }),
    );
    expect(of('journeysEntered', outputs).map(({ value }) => value.key)).toEqual(['a', 'b', '7', null]);
    expect(skips(outputs).map(({ key, reason }) => [key, reason])).toEqual([
      ['a', 'frequency'],
      ['7', 'frequency'],
    ]);
  });

  test('that a program of a customer made up is a value like any other', () => {
    const trigger = new Trigger().journey('recovery', cart, keyed);
    const outputs = trigger.feed(
      ...['__proto__', 'constructor', '__proto__', 'x'.repeat(5_000)].map((value, index) =>
        bought({ cart: value, at: T0 + index }),
      ),
    );
    const keys = of('journeysEntered', outputs).map(({ value }) => value.key);
    expect(keys.slice(0, 2)).toEqual(['__proto__', 'constructor']);
    expect(keys[2]?.length).toBeLessThan(60);
    expect(reasons(outputs)).toEqual(['frequency']);
    expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(trigger.harness.outputs);
  });

  test('has so many values of a person; one that is over long ago makes room', () => {
    const trigger = new Trigger().journey('recovery', cart, keyed);
    const values = Array.from({ length: journeyKeysMax }, (_, index) =>
      bought({ cart: index, at: T0 + index }),
    );
    expect(skips(trigger.feed(...values))).toEqual([]);
    expect(reasons(trigger.feed(bought({ cart: 'new', at: T0 + DAY })))).toEqual(['key_limit']);
    const later = trigger.feed(
      bought({ cart: 'new', at: T0 + journeyKeyMs }),
      bought({ cart: 1, at: T0 + journeyKeyMs }),
    );
    expect(of('journeysEntered', later).map(({ value }) => value.key)).toEqual(['new']);
    expect(reasons(later)).toEqual(['frequency']);
  });
});

describe('how often, at most so many times in a period', () => {
  test('counts the entries of the period, to the millisecond', () => {
    const trigger = new Trigger().journey('twice', cart, {
      frequency: { mode: 'at_most', times: 2, per: 'P1D' },
    });
    const at = (ms: number) => of('journeysEntered', trigger.feed(happened({ at: T0 + ms }))).length;
    expect([at(0), at(HOUR), at(2 * HOUR), at(DAY - 1), at(DAY), at(DAY + 1)]).toEqual([1, 1, 0, 0, 1, 0]);
  });
});

describe('the holdouts', () => {
  const people = Array.from({ length: 400 }, (_, index) => `cio_${String(index)}`);
  const arms = (outputs: readonly Output[], reason: string) =>
    new Set(
      skips(outputs)
        .filter((skip) => skip.reason === reason)
        .map(({ person_id: person }) => person),
    );

  test('of the workspace leaves the same people out of every journey', () => {
    const trigger = new Trigger().journey('one', cart, often).journey('two', cart, often);
    trigger.harness.define('workspace', 'default', 'default', { global_holdout: 0.2 });
    const outputs = trigger.feed(...people.map((person) => happened({ person })));
    const left = arms(outputs, 'global_holdout');
    expect(left.size).toBeGreaterThan(50);
    expect(left.size).toBeLessThan(110);
    const entered = of('journeysEntered', outputs).map(({ value }) => value);
    expect(entered.length).toBe(2 * (people.length - left.size));
    expect(entered.some(({ person_id: person }) => left.has(person))).toBe(false);
    expect(skips(outputs).length).toBe(2 * left.size);
    // Those who are asked again too soon are told apart from those who entered.
    const soon = new Trigger().journey('once', cart);
    soon.harness.define('workspace', 'default', 'default', { global_holdout: 1 });
    soon.feed(happened({ at: T0 }));
    const [again] = skips(soon.feed(happened({ at: T0 + 1 })));
    expect([again?.reason, JSON.parse(again?.detail ?? '')]).toEqual([
      'frequency',
      { mode: 'once', last_at: new Date(T0).toISOString(), held_out_at: new Date(T0).toISOString() },
    ]);
    // Set back to none, everybody enters: what is in force is asked for.
    trigger.harness.define('workspace', 'default', 'default', {});
    const after = trigger.feed(...people.map((person) => happened({ person, at: T0 + 1 })));
    expect(of('journeysEntered', after)).toHaveLength(2 * people.length);
  });

  test('of a journey counts as if the person had entered, so that both groups are asked alike', () => {
    const trigger = new Trigger().journey('once', cart, { holdout: 0.5 });
    const first = trigger.feed(...people.map((person) => happened({ person })));
    const left = arms(first, 'held_out');
    expect(left.size).toBeGreaterThan(140);
    expect(of('journeysEntered', first)).toHaveLength(people.length - left.size);
    const second = trigger.feed(...people.map((person) => happened({ person, at: T0 + 1 })));
    expect(new Set(reasons(second))).toEqual(new Set(['frequency']));
    expect(skips(second)).toHaveLength(people.length);
    // Of whoever never entered the row says that it is for the holdout, of the others that they have.
    for (const { person_id: person, detail } of skips(second)) {
      const told = JSON.parse(detail ?? '') as { readonly held_out_at?: string };
      const since = left.has(person) ? new Date(T0).toISOString() : undefined;
      expect(told.held_out_at).toBe(since);
    }
  });

  test('of a journey with a key is drawn for each run', () => {
    const trigger = new Trigger().journey('keyed', cart, { holdout: 0.5, key: 'cart' });
    const values = Array.from({ length: 60 }, (_, index) =>
      happened({ properties: { cart: `c${String(index)}` }, at: T0 + index }),
    );
    const outputs = trigger.feed(...values);
    expect(of('journeysEntered', outputs).length).toBeGreaterThan(10);
    expect(reasons(outputs).filter((reason) => reason === 'held_out').length).toBeGreaterThan(10);
  });
});

describe('entered and skipped add up to triggered', () => {
  const frequency = fc.constantFrom<object>(
    { mode: 'once' },
    { mode: 'every_rematch', gap: 'PT1H' },
    { mode: 'interval', every: 'PT30M' },
    { mode: 'at_most', times: 2, per: 'P1D' },
  );
  const filters = fc.constantFrom<object | undefined>(
    undefined,
    { attribute: 'plan', operator: 'exists' },
    { not: { event: 'B', within: 'PT1H' } },
  );
  const journey = fc.record({
    trigger: fc.constantFrom<object>(
      { event: 'A' },
      { event: 'A', where: [{ property: 'cart', operator: 'exists' }] },
      { identified: true },
    ),
    frequency,
    filters,
    key: fc.constantFrom(undefined, 'cart'),
    holdout: fc.constantFrom(0, 0.5),
    state: fc.constantFrom('running', 'running', 'stopped'),
  });
  const step = fc.record({
    name: fc.constantFrom('A', 'B', null),
    person: fc.constantFrom('cio_a', 'cio_b', 'cio_c'),
    cart: fc.constantFrom(undefined, 'x', 'y'),
    anonymousId: fc.constantFrom(null, 'd1', 'd2'),
    isPast: fc.boolean(),
    ageHours: fc.constantFrom(0, 1, 71, 72, 73),
    plan: fc.constantFrom(undefined, 'pro'),
    afterMs: fc.constantFrom(0, 1, MINUTE, HOUR, DAY),
  });

  test('whatever the journeys, and whatever happens', () => {
    fc.assert(
      fc.property(
        fc.array(journey, { minLength: 1, maxLength: 4 }),
        fc.array(step, { maxLength: 30 }),
        (journeys, steps) => {
          const trigger = new Trigger();
          trigger.harness.define('workspace', 'default', 'default', { global_holdout: 0.2 });
          for (const [index, { trigger: on, ...rest }] of journeys.entries()) {
            const key = 'event' in on && rest.key !== undefined ? { key: rest.key } : {};
            trigger.journey(`j${String(index)}`, on, { ...rest, key: undefined, ...key });
          }
          const triggered: string[] = [];
          const seen = new Map<string, Set<string | null>>();
          let at = T0;
          for (const [index, one] of steps.entries()) {
            at += one.afterMs;
            const id = `m${String(index)}`;
            const devices = seen.get(one.person) ?? new Set();
            const isMoment =
              devices.size === 0 || (one.anonymousId !== null && !devices.has(one.anonymousId));
            if (one.name === null) seen.set(one.person, devices.add(one.anonymousId));
            for (const [number, { trigger: on, state }] of journeys.entries()) {
              const matches =
                'identified' in on
                  ? one.name === null && isMoment
                  : one.name === 'A' && (!('where' in on) || one.cart !== undefined);
              if (matches && state === 'running') triggered.push(`j${String(number)} ${one.person} ${id}`);
            }
            const what = { id, at, person: one.person, timestamp: at - one.ageHours * HOUR };
            trigger.feed(
              one.name === null
                ? identified({ ...what, anonymousId: one.anonymousId, properties: { plan: one.plan } })
                : happened({
                    ...what,
                    name: one.name,
                    properties: { cart: one.cart },
                    anonymousId: one.anonymousId,
                    previouslyAnonymous: one.isPast,
                  }),
            );
          }
          trigger.until(at + HOUR); // what waits for an identify waits no longer
          const { outputs } = trigger.harness;
          const answered = [...of('journeysEntered', outputs), ...of('journeysSkipped', outputs)].map(
            ({ value }: { value: JourneyEntry | JourneySkip }) =>
              `${value.journey_id} ${value.person_id} ${value.trigger_message_id ?? ''}`,
          );
          expect(answered.sort()).toEqual(triggered.sort());
          for (const reason of reasons(outputs)) expect(Object.keys(skipReasons)).toContain(reason);
          expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(outputs);
        },
      ),
      { numRuns: runs(60) },
    );
  });
});
