/** A split clears what the rules had counted for both people (contract, *Definitions*). */
import { describe, expect, test } from '@jest/globals';
import { of } from '../../testing/processor-harness.ts';
import {
  absorb,
  absorbed,
  happened,
  identified,
  lines,
  MINUTE,
  split,
  T0,
  Trigger,
} from '../../testing/scenarios/trigger-scenario.ts';
import { World } from '../../testing/scenarios/trigger-world.ts';

const A = 'cio_a';
const B = 'cio_b';
const cart = { event: 'Added to Cart' };
const twice = { ...cart, count: { at_least: 2 } };
const of1 = (id: string) => ({ asOf: 9, id, email: null });

describe('when something is split off a person', () => {
  test('both start anew: they leave what their events had put them in, and count from none', () => {
    const trigger = new Trigger().segment('keen', twice);
    expect(trigger.then(...[1, 2, 3].map(() => happened({ person: A, at: T0 })))).toHaveLength(1);
    trigger.feed(happened({ person: B, at: T0 }), happened({ person: B, id: 'b2', at: T0 }));
    const at = T0 + MINUTE;
    const outputs = trigger.feed(split(A, B, at, of1('1')), split(B, A, at, of1('2')));
    expect(lines(outputs)).toEqual(['cio_a left keen', 'cio_b left keen']);
    expect(of('segmentsChanged', outputs).map(({ value }) => value.at)).toEqual([at, at]);
    expect(trigger.then(happened({ person: A, id: 'a4', at: at + 1 }))).toEqual([]);
    expect(trigger.then(happened({ person: A, id: 'a5', at: at + 2 }))).toEqual([
      'cio_a entered keen because of a5',
    ]);
  });

  test('memberships that rest on attributes stay; those that ask for nothing to have happened begin', () => {
    const trigger = new Trigger()
      .segment('pro', { attribute: 'plan', operator: 'eq', value: 'pro' })
      .segment('new', { not: cart });
    trigger.feed(identified({ properties: { plan: 'pro' } }), happened({ at: T0 + 1 }));
    expect(trigger.then(split(A, B, T0 + MINUTE, of1('1')))).toEqual(['cio_a entered new']);
  });

  test('no journey starts by it, and journeys forget that they were entered', () => {
    const trigger = new Trigger()
      .segment('keen', cart)
      .journey('goodbye', { segment: 'keen', on: 'leave' })
      .journey('welcome', cart, { frequency: { mode: 'once' } });
    expect(trigger.then(happened({ id: 'a1', at: T0 }))).toEqual([
      'cio_a entered keen because of a1',
      'cio_a starts welcome because of a1',
    ]);
    expect(trigger.then(happened({ id: 'a2', at: T0 + 1 }))).toEqual([]);
    expect(trigger.then(split(A, B, T0 + MINUTE, of1('1')))).toEqual(['cio_a left keen']);
    expect(trigger.then(happened({ id: 'a3', at: T0 + MINUTE }))).toEqual([
      'cio_a entered keen because of a3',
      'cio_a starts welcome because of a3',
    ]);
  });

  test('triggers that waited for an identify are forgotten, each with a row', () => {
    const trigger = new Trigger().journey('recovery', cart);
    trigger.feed(happened({ previouslyAnonymous: true, anonymousId: 'x' }), split(A, B, T0, of1('1')));
    expect(trigger.then(identified({ at: T0 + 1, anonymousId: 'x' }))).toEqual([]);
    expect(of('journeysSkipped', trigger.harness.outputs)).toMatchObject([
      { value: { reason: 'inherited' } },
    ]);
  });

  test('each has from then on the identifiers that identity says', () => {
    const trigger = new Trigger().segment('mail', { attribute: 'email', operator: 'exists' });
    const known = { asOf: 3, id: '1', email: 'ann@example.com' };
    expect(trigger.then(identified({ id: 'i', known }))).toEqual(['cio_a entered mail because of i']);
    const at = T0 + MINUTE;
    const lost = split(A, B, at, { asOf: 6, id: '1', email: null });
    const got = split(B, A, at, { asOf: 6, id: null, email: 'ann@example.com' });
    expect(trigger.then(lost, got)).toEqual(['cio_a left mail', 'cio_b entered mail']);
    // A repeat of what identity said before the split, from a lane that was slow.
    expect(trigger.then(identified({ at: at + 1, known }))).toEqual([]);
  });

  test('what was merged before and comes late, by way of an absorbed person, is not counted; what is released later is', () => {
    const world = new World((harness) => {
      const body = { name: 'Keen', type: 'data_driven', when: cart };
      harness.define('segment', 'default', 'keen', body);
    });
    world.write(absorbed(B, A, 7, T0), absorb(A, B, 7, T0));
    world.run();
    const at = T0 + MINUTE;
    world.write(split(A, 'cio_new', at, of1('1')));
    world.run();
    world.write(happened({ person: B, at: at - 1 }));
    expect(lines(world.run())).toEqual([]);
    world.write(happened({ person: A, id: 'old', at: T0 - 1, mergedAt: at + 1, previouslyAnonymous: true }));
    expect(lines(world.run())).toEqual(['cio_a entered keen because of old']);
  });

  test('is the same after a restart, and a replay gives the same bytes', () => {
    const trigger = new Trigger().segment('keen', twice);
    trigger.feed(happened({}), happened({}));
    trigger.feed(split(A, B, T0 + 1, of1('1')));
    trigger.harness.reopen();
    trigger.feed(happened({ at: T0 + 2 }), happened({ at: T0 + 3 }));
    const before = trigger.harness.outputs.map(({ bytes }) => bytes);
    expect(trigger.harness.replay({ reopenEachBatch: true }).map(({ bytes }) => bytes)).toEqual(before);
  });
});
