/** Row 3 of the calls from the real world: however many triggers a release has, each sees what the identify says. */
import { describe, expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import {
  HOUR,
  MINUTE,
  T0,
  Trigger,
  absorb,
  absorbed,
  deleted,
  happened,
  identified,
} from '../testing/scenarios/trigger-scenario.ts';
import { World } from '../testing/scenarios/trigger-world.ts';
import { releasedALookMax } from './decide/held-triggers.ts';
import { decodePerson, encodePerson } from './decide/state-codec.ts';
import { newPerson } from './decide/state.ts';

const cart = { event: 'Added to Cart' };
const greeted = {
  frequency: { mode: 'every_rematch' },
  filters: { attribute: 'email', operator: 'exists' },
};
const past = (id: string, person = 'cio_a') =>
  happened({ id, person, at: T0 - HOUR, mergedAt: T0, anonymousId: 'x', previouslyAnonymous: true });
const identify = identified({ anonymousId: 'x', at: T0, fields: { email: 'a@b.c' } });
const leftovers = (trigger: Trigger) =>
  trigger.harness.stores.keyed.scan('e:', 'e;', 10_000).map(([key]) => key);

describe('triggers of a release', () => {
  test('of 300 events all see the identify behind them', () => {
    const trigger = new Trigger().journey('recovery', cart, greeted);
    const before = trigger.feed(...Array.from({ length: 300 }, (_, index) => past(`m${String(index)}`)));
    expect(of('journeysEntered', before)).toEqual([]);
    const entered = of('journeysEntered', trigger.feed(identify)).map(
      ({ value }) => value.trigger_message_id,
    );
    expect(entered).toEqual(Array.from({ length: 300 }, (_, index) => `m${String(index)}`));
    expect(of('journeysSkipped', trigger.harness.outputs)).toEqual([]);
    expect(leftovers(trigger)).toEqual([]);
    expect(trigger.storedBytes('cio_a')).toBeLessThan(1_000);
  });

  test('that are very many are decided in slices, before what the person does next, each once, whoever dies', () => {
    const trigger = new Trigger().journey('recovery', cart, {
      ...greeted,
      filters: { not: { event: 'Later' } },
    });
    const count = 2 * releasedALookMax + 10;
    trigger.raw(...Array.from({ length: count }, (_, index) => past(`m${String(index)}`)));
    expect(trigger.storedBytes('cio_a')).toBeLessThan(1_000);
    trigger.harness.flush();
    // By then all that was received before the identify has been read, and not what came after it.
    trigger.raw(identify);
    expect(of('journeysEntered', trigger.harness.outputs)).toHaveLength(releasedALookMax);
    trigger.raw(happened({ name: 'Later', at: T0 + MINUTE }));
    trigger.harness.crash();
    trigger.until(T0 + MINUTE);
    trigger.harness.crash();
    const entered = of('journeysEntered', trigger.harness.outputs).map(
      ({ value }) => value.trigger_message_id,
    );
    expect(entered).toEqual(Array.from({ length: count }, (_, index) => `m${String(index)}`));
    expect(of('journeysSkipped', trigger.harness.outputs)).toEqual([]);
    expect(leftovers(trigger)).toEqual([]);
    expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(trigger.harness.outputs);
  });

  test('whose identify never comes are decided after five minutes', () => {
    const trigger = new Trigger().journey('recovery', cart, { frequency: { mode: 'every_rematch' } });
    trigger.feed(past('m1'), past('m2'));
    expect(trigger.until(T0 + 5 * MINUTE - 1)).toEqual([]);
    expect(trigger.until(T0 + 5 * MINUTE)).toEqual([
      'cio_a starts recovery because of m1',
      'cio_a starts recovery because of m2',
    ]);
    expect(leftovers(trigger)).toEqual([]);
  });

  test('of two visitors wait each for their own identify', () => {
    const trigger = new Trigger().journey('recovery', cart, { frequency: { mode: 'every_rematch' } });
    const of2 = (id: string) =>
      happened({ id, at: T0, mergedAt: T0, anonymousId: 'y', previouslyAnonymous: true });
    trigger.feed(past('m1'), of2('n1'), past('m2'), of2('n2'));
    expect(trigger.then(identify)).toEqual([
      'cio_a starts recovery because of m1',
      'cio_a starts recovery because of m2',
    ]);
    expect(trigger.then(identified({ anonymousId: 'y', at: T0 }))).toEqual([
      'cio_a starts recovery because of n1',
      'cio_a starts recovery because of n2',
    ]);
  });

  test('are not inherited: each has a row when the person is merged into another', () => {
    const world = new World((harness) =>
      harness.define('journey', 'default', 'recovery', { name: 'R', state: 'running', trigger: cart }),
    );
    world.write(past('b1', 'cio_b'), past('b2', 'cio_b'));
    world.write(absorbed('cio_b', 'cio_a', 7, T0 + 1), absorb('cio_a', 'cio_b', 7, T0 + 1));
    world.run();
    world.until(T0 + HOUR);
    world.run();
    expect(of('journeysEntered', world.outputs)).toEqual([]);
    expect(of('journeysSkipped', world.outputs).map(({ value }) => value)).toMatchObject([
      { person_id: 'cio_b', reason: 'inherited', trigger_message_id: 'b1' },
      { person_id: 'cio_b', reason: 'inherited', trigger_message_id: 'b2' },
    ]);
    const keys = world.partitions.flatMap(({ harness }) => harness.stores.keyed.scan('e:', 'e;', 10));
    expect(keys).toEqual([]);
  });

  test('are forgotten with somebody who is deleted', () => {
    const trigger = new Trigger().journey('recovery', cart, { key: 'cart' });
    trigger.feed(past('m1'), past('m2'), deleted('cio_a', 8, T0 + 1));
    trigger.until(T0 + HOUR);
    expect(of('journeysSkipped', trigger.harness.outputs)).toEqual([]);
    expect(leftovers(trigger)).toEqual([]);
  });

  test('that an earlier version has stored as a list wait on', () => {
    const list = ['m1', 'm2'].map((messageId) => ({
      anonymousId: 'x',
      journeyId: 'recovery',
      messageId,
      at: T0,
    }));
    const rest = { evaluatedAt: 0, identified: false, rules: {}, journeys: {}, claims: [], absorbedBy: null };
    const head = encodePerson({ ...newPerson, changesAt: T0 + 5 * MINUTE, firstSeenAt: T0 }).subarray(0, 22);
    const stored = Buffer.concat([head, Buffer.from(JSON.stringify({ ...rest, held: list }))]);
    stored[0] = 1;
    expect(decodePerson(stored).held).toMatchObject([{ anonymousId: 'x', to: 2 }]);
    const trigger = new Trigger().journey('recovery', cart, { frequency: { mode: 'every_rematch' } });
    trigger.harness.stores.keyed.put('p:default:cio_a', stored);
    expect(trigger.then(identify)).toEqual([
      'cio_a starts recovery because of m1',
      'cio_a starts recovery because of m2',
    ]);
  });
});
