/** Objects by themselves, for everybody who belongs to them (spec A.2 objects, A.3 *Object Deleted*). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { of, type Output } from '../testing/processor-harness.ts';
import {
  absorb,
  absorbed,
  DAY,
  deleted,
  happened,
  lines,
  objectSaid,
  profileOf,
  T0,
  Trigger,
} from '../testing/scenarios/trigger-scenario.ts';
import { runs } from '../testing/runs.ts';
import { World } from '../testing/scenarios/trigger-world.ts';
import { objectBytesMax } from './decide/objects.ts';
import { deletionKeptMs, toldABatchMax } from './object-book.ts';

const acme = { object_type_id: '1', object_id: 'acme' };
const course = { object_type_id: '2', object_id: 'course' };
const gone = (at: number, id?: string) => objectSaid({ action: 'delete', ...acme }, at, id);
const said = (attributes: object, at: number, id?: string) =>
  objectSaid({ action: 'set', ...acme, attributes }, at, id);

interface Of {
  readonly at?: number;
  readonly mergedAt?: number;
  readonly id?: string;
  readonly action?: 'add' | 'delete';
  readonly object?: object;
  readonly rest?: object;
}
function related(
  person: string,
  { at = T0, mergedAt = at, action = 'add', object = acme, id, rest }: Of = {},
) {
  return happened({
    ...{ person, at, mergedAt },
    ...(id === undefined ? {} : { id }),
    properties: { action, relationships: [{ ...object, ...rest }] },
    fields: { type: 'relate', name: null },
  });
}
function objectsOf(outputs: readonly Output[], person: string): { object_id: string }[] {
  const { relationships } = profileOf(outputs, person) ?? {};
  return JSON.parse(relationships ?? '[]') as { object_id: string }[];
}
const inAcme = { relationship: '1', id: 'acme' };

describe('an object that is deleted', () => {
  test('is nobody’s any more, in whichever partition they lie, and rules see it', () => {
    const world = new World((harness) => {
      harness.define('segment', 'default', 'acme', { name: 'acme', type: 'data_driven', when: inAcme });
    });
    const people = ['cio_a', 'cio_b', 'cio_c', 'cio_d', 'cio_e'];
    world.write(...people.map((person) => related(person)), related('cio_a', { object: course }));
    world.run();
    world.write(gone(T0 + 1, 'm-gone'));
    const outputs = world.run();
    expect(lines(outputs).sort()).toEqual(people.map((person) => `${person} left acme because of m-gone`));
    expect(objectsOf(outputs, 'cio_a')).toMatchObject([course]);
    expect(profileOf(outputs, 'cio_b')?.relationships).toBeNull();
    expect(world.unsettled).toBe(0);
  });

  test('does not come back with a call that was received before, and does with one after', () => {
    const trigger = new Trigger();
    trigger.feed(related('cio_a'), gone(T0 + 10));
    const late = trigger.feed(related('cio_b', { at: T0 + 9, mergedAt: T0 + 20, id: 'late' }));
    expect(objectsOf(late, 'cio_b')).toEqual([]);
    expect(of('eventsDropped', late).map(({ value }) => value)).toMatchObject([
      { reason: 'object_deleted', message_id: 'late', detail: '{"objects":["acme"],"count":1}' },
    ]);
    const anew = trigger.feed(related('cio_a', { at: T0 + 11, mergedAt: T0 + 21 }));
    expect(objectsOf(anew, 'cio_a')).toMatchObject([acme]);
  });

  test('takes what was said of it along', () => {
    const trigger = new Trigger();
    trigger.feed(said({ plan: 'pro' }, T0), gone(T0 + 1));
    const anew = trigger.feed(related('cio_a', { at: T0 + 2 }));
    expect(objectsOf(anew, 'cio_a')).toMatchObject([{ object_attributes: {} }]);
  });

  test('is gone from whoever was merged meanwhile', () => {
    const world = new World();
    world.write(related('cio_b'), absorbed('cio_b', 'cio_a', 7), gone(T0 + 1), absorb('cio_a', 'cio_b', 7));
    const outputs = world.run((ways) => ways - 1);
    expect(objectsOf(outputs, 'cio_a')).toEqual([]);
  });

  test('is taken from a few people in a batch, and from all of them whatever dies', () => {
    const trigger = new Trigger();
    const people = Array.from({ length: toldABatchMax * 2 + 1 }, (_, at) => `cio_${String(at)}`);
    trigger.feed(...people.map((person) => related(person)));
    const first = trigger.harness.batch(T0 + 5_000_000, gone(T0 + 1));
    expect(of('peopleChanged', first)).toHaveLength(toldABatchMax);
    trigger.harness.reopen();
    expect(of('peopleChanged', trigger.harness.idle(T0 + 5_000_000))).toHaveLength(toldABatchMax + 1);
    expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(trigger.harness.outputs);
  });

  test('is nothing to whoever is gone', () => {
    const trigger = new Trigger();
    trigger.feed(related('cio_a'), deleted('cio_a', 9));
    expect(of('peopleChanged', trigger.feed(gone(T0 + 1)))).toEqual([]);
    expect(trigger.harness.stores.keyed.scan('m:', 'm;', 10)).toEqual([]);
  });

  test('is forgotten when nothing from before it can come any more', () => {
    const trigger = new Trigger();
    trigger.feed(gone(T0));
    const kept = () => ['o', 'x'].map((kind) => trigger.harness.stores.keyed.scan(`${kind}:`, `${kind};`, 9));
    trigger.until(T0 + deletionKeptMs);
    expect(kept().map(({ length }) => length)).toEqual([1, 1]);
    trigger.until(T0 + deletionKeptMs + DAY);
    expect(kept()).toEqual([[], []]);
  });
});

describe('what is said of an object by itself', () => {
  test('is so for all who belong to it, and for who comes later', () => {
    const isPro = { ...inAcme, object: [{ property: 'plan', operator: 'eq', value: 'pro' }] };
    const trigger = new Trigger().segment('pro', isPro);
    trigger.feed(related('cio_a', { rest: { object_attributes: { plan: 'free', seats: 3 } } }));
    const outputs = trigger.feed(said({ plan: 'pro' }, T0 + 1, 'm-pro'));
    expect(lines(outputs)).toEqual(['cio_a entered pro because of m-pro']);
    expect(objectsOf(outputs, 'cio_a')).toEqual([
      { ...acme, attributes: {}, object_attributes: { plan: 'pro', seats: 3 } },
    ]);
    expect(trigger.then(related('cio_b', { at: T0 + 2, id: 'r' }))).toEqual([
      'cio_b entered pro because of r',
    ]);
    expect(trigger.feed(said({ plan: 'pro' }, T0 + 3))).toEqual([]);
  });

  test('counts by when it was received: a visitor’s call that waited does not undo it', () => {
    const trigger = new Trigger();
    trigger.feed(said({ plan: 'pro' }, T0 + 10));
    const rest = { object_attributes: { plan: 'free', seats: 3 } };
    const claimed = trigger.feed(related('cio_a', { at: T0, mergedAt: T0 + 20, rest }));
    expect(objectsOf(claimed, 'cio_a')).toMatchObject([{ object_attributes: { plan: 'pro', seats: 3 } }]);
    const newer = trigger.feed(related('cio_a', { at: T0 + 30, rest }));
    expect(objectsOf(newer, 'cio_a')).toMatchObject([{ object_attributes: { plan: 'free', seats: 3 } }]);
  });

  test('is bounded, and the first partition says what there was no room for', () => {
    const text = 'x'.repeat(objectBytesMax / 2);
    const world = new World();
    world.write(
      said({ a: text }, T0),
      said({ b: text }, T0 + 1, 'm-large'),
      related('cio_a', { at: T0 + 2 }),
    );
    const outputs = world.run();
    expect(of('eventsDropped', outputs).map(({ value }) => value)).toMatchObject([
      { reason: 'limit_exceeded', message_id: 'm-large', person_id: null },
    ]);
    expect(objectsOf(outputs, 'cio_a')).toEqual([
      { ...acme, attributes: {}, object_attributes: { a: text } },
    ]);
  });
});

test('people of before the index are entered into it', () => {
  const trigger = new Trigger();
  trigger.feed(related('cio_a'));
  const { keyed } = trigger.harness.stores;
  for (const [key] of [...keyed.scan('m:', 'm;', 10), ...keyed.scan('y:objects', 'y:objects;', 10)]) {
    keyed.delete(key);
  }
  trigger.raw();
  trigger.harness.reopen();
  expect(profileOf(trigger.feed(gone(T0 + 1)))?.relationships).toBeNull();
});

describe('promise 3: no interleaving of partitions changes who belongs to what', () => {
  const PEOPLE = ['cio_a', 'cio_b', 'cio_c'] as const;
  const OBJECTS = [acme, course] as const;
  const step = fc.record({
    what: fc.constantFrom('add', 'add', 'delete', 'gone'),
    person: fc.constantFrom(...PEOPLE),
    object: fc.constantFrom(...OBJECTS),
    /** The call has waited in a lane. */
    waitedMs: fc.constantFrom(0, 0, 15, 45),
  });

  test('it is as one after the other would have it, by receipt', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 3, maxLength: 30 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 60 }),
        (steps, choices) => {
          const world = new World();
          const belongs = new Map<string, number>();
          const deletions = new Map<string, number>();
          for (const [index, { what, person, object, waitedMs }] of steps.entries()) {
            const now = T0 + (index + 1) * 10;
            if (what === 'gone') {
              world.write(objectSaid({ action: 'delete', ...object }, now));
              deletions.set(object.object_id, now);
            } else {
              const key = `${person} ${object.object_id}`;
              const at = now - waitedMs;
              world.write(related(person, { at, mergedAt: now, action: what, object }));
              if (what === 'delete') belongs.delete(key);
              else belongs.set(key, Math.max(at, belongs.get(key) ?? 0));
            }
          }
          let turn = 0;
          world.run(() => choices[(turn += 1) % choices.length] ?? 0);
          for (const person of PEOPLE) {
            const expected = OBJECTS.filter(({ object_id: id }) => {
              const at = belongs.get(`${person} ${id}`);
              return at !== undefined && at > (deletions.get(id) ?? -Infinity);
            });
            const ids = objectsOf(world.outputs, person).map(({ object_id: id }) => id);
            expect(ids.sort()).toEqual(expected.map(({ object_id: id }) => id).sort());
          }
          expect(world.unsettled).toBe(0);
        },
      ),
      { numRuns: runs(40) },
    );
  });
});
