import { describe, expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  SECOND,
  T0,
  Trigger,
  happened,
  identified,
} from '../testing/scenarios/trigger-scenario.ts';

const cart = { event: 'Added to Cart' };
const often = { frequency: { mode: 'every_rematch' } };
const anonymous = { anonymousId: 'x', previouslyAnonymous: true };

describe('a journey that an event triggers', () => {
  test('is entered by a matching event, once unless it says otherwise', () => {
    const trigger = new Trigger().journey('recovery', {
      ...cart,
      where: [{ property: 'price', operator: 'gt', value: 10 }],
    });
    expect(
      trigger.then(
        happened({ properties: { price: 10 } }),
        happened({ id: 'm2', properties: { price: 11 } }),
        happened({ properties: { price: 12 } }),
      ),
    ).toEqual(['cio_a starts recovery because of m2']);
  });

  test.each(['draft', 'stopped'])('is not entered while it is %s', (state) => {
    expect(new Trigger().journey('recovery', cart, { state }).then(happened({}))).toEqual([]);
  });

  test('says which version of its rule let the person in', () => {
    const trigger = new Trigger().journey('recovery', cart);
    const [entry] = of('journeysEntered', trigger.feed(happened({ id: 'm1' })));
    expect(entry?.value).toEqual({
      workspace: 'default',
      journey_id: 'recovery',
      person_id: 'cio_a',
      entered_at: T0,
      trigger_message_id: 'm1',
      rule_version: 1,
      key: null,
      evidence: null,
    });
  });

  test('takes a merged event up to 72 hours old, to the second (spec C.1 row 11, spec E rows 22, 107)', () => {
    const enters = (age: number) => {
      const trigger = new Trigger().journey('recovery', cart).segment('carts', cart);
      return trigger.then(
        happened({ ...anonymous, id: 'm1', at: T0 - age, mergedAt: T0 }),
        identified({ anonymousId: 'x', id: 'i1' }),
      );
    };
    const counted = 'cio_a entered carts because of m1';
    const entered = 'cio_a starts recovery because of m1';
    expect(enters(72 * HOUR - MINUTE)).toEqual([counted, entered]);
    expect(enters(72 * HOUR)).toEqual([counted, entered]);
    expect(enters(72 * HOUR + SECOND)).toEqual([counted]);
  });

  test('takes an identified event by the same rule (spec C.1 row 12)', () => {
    const enters = (age: number) =>
      new Trigger().journey('recovery', cart).then(happened({ id: 'm1', timestamp: T0 - age }));
    expect(enters(72 * HOUR)).toHaveLength(1);
    expect(enters(72 * HOUR + 1)).toEqual([]);
    expect(enters(-30 * DAY)).toHaveLength(1);
  });
});

describe('filters of a journey', () => {
  test('see the event that triggers and the segments that it turns', () => {
    const trigger = new Trigger()
      .segment('keen', { ...cart, count: { at_least: 2 } })
      .journey('keen only', cart, { filters: { segment: 'keen' } })
      .journey('second', cart, { filters: { ...cart, count: { at_least: 2 }, within: 'PT1H' } });
    expect(trigger.then(happened({ id: 'm1' }))).toEqual([]);
    expect(trigger.then(happened({ id: 'm2', at: T0 + MINUTE }))).toEqual([
      'cio_a entered keen because of m2',
      'cio_a starts keen only because of m2',
      'cio_a starts second because of m2',
    ]);
  });

  test('see, for what a release brings, the effects of the identify behind it (spec C.1 row 16)', () => {
    const trigger = new Trigger().journey('recovery', cart, {
      filters: {
        all: [
          { attribute: 'email', operator: 'exists' },
          { not: { event: 'Order Completed', within: 'P7D' } },
        ],
      },
    });
    const history = { ...anonymous, mergedAt: T0 };
    expect(trigger.then(happened({ ...history, id: 'm1', at: T0 - HOUR }))).toEqual([]);
    expect(trigger.then(identified({ id: 'i1', anonymousId: 'x', fields: { email: 'a@b.c' } }))).toEqual([
      'cio_a starts recovery because of m1',
    ]);
  });

  test('see all of the history, also what comes after the event that triggers', () => {
    const trigger = new Trigger().journey('recovery', cart, {
      filters: { not: { event: 'Order Completed' } },
    });
    const history = { ...anonymous, mergedAt: T0 };
    expect(
      trigger.then(
        happened({ ...history, at: T0 - 2 * HOUR }),
        happened({ ...history, at: T0 - HOUR, name: 'Order Completed' }),
        identified({ anonymousId: 'x' }),
      ),
    ).toEqual([]);
  });

  test('are asked at once for what merges in the minutes after the claim', () => {
    const trigger = new Trigger().journey('recovery', cart);
    trigger.then(identified({ anonymousId: 'x' }));
    const late = { ...anonymous, at: T0 + 2 * MINUTE };
    expect(trigger.then(happened({ ...late, id: 'm1' }))).toEqual(['cio_a starts recovery because of m1']);
  });

  test('do not wait for ever for an identify that never comes', () => {
    const trigger = new Trigger().journey('recovery', cart);
    expect(trigger.then(happened({ ...anonymous, id: 'm1', mergedAt: T0 }))).toEqual([]);
    expect(trigger.then(happened({ name: 'Other', at: T0 + 5 * MINUTE }))).toEqual([
      'cio_a starts recovery because of m1',
    ]);
  });
});

describe('how often a journey is entered', () => {
  test('every rematch takes each event, or each after the gap, to the millisecond', () => {
    const trigger = new Trigger()
      .journey('each', cart, often)
      .journey('spaced', cart, { frequency: { mode: 'every_rematch', gap: 'PT1H' } });
    const starts = (at: number) => trigger.then(happened({ id: 'm', at })).map((line) => line.split(' ')[2]);
    expect(starts(T0)).toEqual(['each', 'spaced']);
    expect(starts(T0 + HOUR - 1)).toEqual(['each']);
    expect(starts(T0 + HOUR)).toEqual(['each', 'spaced']);
  });

  test('once is once, also when the journey is deleted and made again', () => {
    const trigger = new Trigger().journey('recovery', cart);
    trigger.then(happened({}));
    trigger.remove('journey', 'recovery').then(happened({ at: T0 + 1 }));
    expect(trigger.journey('recovery', cart).then(happened({ at: T0 + 2 }))).toEqual([]);
  });

  test('a segment has to be left before it is entered again', () => {
    const trigger = new Trigger()
      .segment('recent', { ...cart, within: 'PT1H' })
      .journey('hello', { segment: 'recent', on: 'enter' }, often)
      .journey('goodbye', { segment: 'recent', on: 'left' }, often); // leave is another spelling
    expect(trigger.then(happened({ id: 'm1' }), happened({ id: 'm2', at: T0 + MINUTE }))).toEqual([
      'cio_a entered recent because of m1',
      'cio_a starts hello because of m1',
    ]);
    expect(trigger.then(happened({ id: 'm3', at: T0 + 3 * HOUR }))).toEqual([
      'cio_a left recent',
      'cio_a starts goodbye',
      'cio_a entered recent because of m3',
      'cio_a starts hello because of m3',
    ]);
  });
});

describe('a journey that being identified triggers (spec E row 109)', () => {
  const lookBack = {
    ...often,
    filters: {
      all: [{ ...cart, within: 'PT4H' }, { not: { event: 'Order Completed', within: 'PT4H' } }],
    },
  };

  test('looks back at what the visitor did, and sends once', () => {
    const trigger = new Trigger().journey('win', { identified: true }, lookBack);
    expect(
      trigger.then(
        happened({ ...anonymous, at: T0 - HOUR, mergedAt: T0 }),
        identified({ id: 'i1', anonymousId: 'x' }),
        identified({ id: 'i2', anonymousId: 'x', at: T0 + MINUTE }),
        identified({ id: 'i3', at: T0 + 2 * MINUTE }),
      ),
    ).toEqual(['cio_a starts win because of i1']);
  });

  test('is triggered again by the identify on another device', () => {
    const trigger = new Trigger().journey('win', { identified: true }, often);
    expect(
      trigger.then(identified({ id: 'i1', anonymousId: 'x' }), identified({ id: 'i2', anonymousId: 'y' })),
    ).toEqual(['cio_a starts win because of i1', 'cio_a starts win because of i2']);
  });
});

describe('a holdout', () => {
  test('keeps the same share of people out of a journey, and says so once for each', () => {
    const trigger = new Trigger().journey('test', cart, { ...often, holdout: 0.25 });
    const people = Array.from({ length: 400 }, (_, index) => `cio_${String(index)}`);
    const outputs = trigger.feed(
      ...people.map((person) => happened({ person })),
      ...people.map((person) => happened({ person, at: T0 + 1 })),
    );
    const entered = of('journeysEntered', outputs);
    const heldOut = of('activitiesLogged', outputs);
    expect(entered.length / 2 + heldOut.length).toBe(400);
    expect(heldOut.length).toBeGreaterThan(70);
    expect(heldOut.length).toBeLessThan(130);
    expect(heldOut[0]?.value).toMatchObject({ kind: 'Journey Holdout', detail: '{"journey_id":"test"}' });
    const left = new Set(heldOut.map(({ value }) => value.person_id));
    expect(entered.some(({ value }) => left.has(value.person_id))).toBe(false);
  });
});
