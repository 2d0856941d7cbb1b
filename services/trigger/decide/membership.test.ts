/** Manual segments: people are put in and taken out, and nothing else moves them (spec D.1, C.3). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { of, type ProcessorHarness } from '../../testing/processor-harness.ts';
import {
  absorb,
  absorbed,
  deleted,
  happened,
  MINUTE,
  split,
  T0,
  Trigger,
} from '../../testing/scenarios/trigger-scenario.ts';
import { membersOf, World } from '../../testing/scenarios/trigger-world.ts';

const A = 'cio_a';
const B = 'cio_b';
const manual = { name: 'VIPs', type: 'manual' };
const cart = { event: 'Added to Cart' };

function put(
  action: 'add' | 'remove',
  what: { person?: string; segment?: string; id?: string; at?: number },
) {
  const { person = A, segment = 'vip', id = `${action}-${segment}`, at = T0 } = what;
  const fields = { type: 'membership', name: segment } as const;
  return happened({ person, id, at, properties: { action }, fields });
}
const withVips = (): Trigger => {
  const trigger = new Trigger();
  trigger.harness.define('segment', 'default', 'vip', manual);
  return trigger;
};

describe('somebody who is put into a manual segment', () => {
  test('is a member once, until they are taken out', () => {
    const trigger = withVips();
    expect(trigger.then(put('add', {}))).toEqual(['cio_a entered vip because of add-vip']);
    expect(trigger.then(put('add', { id: 'again', at: T0 + 1 }))).toEqual([]);
    expect(trigger.then(happened({ at: T0 + 2 }))).toEqual([]);
    expect(trigger.then(put('remove', { at: T0 + 3 }))).toEqual(['cio_a left vip because of remove-vip']);
    expect(trigger.then(put('remove', { id: 'again', at: T0 + 4 }))).toEqual([]);
  });

  test('turns the segments that ask for it, starts its journeys, and is seen by their filters', () => {
    const trigger = withVips()
      .segment('keen-vip', { all: [{ segment: 'vip' }, cart] })
      .journey('welcome', { segment: 'vip', on: 'enter' })
      .journey('goodbye', { segment: 'vip', on: 'leave' })
      .journey('follow-up', cart, { filters: { segment: 'vip' } });
    expect(trigger.then(happened({ id: 'c1' }))).toEqual([]);
    expect(trigger.then(put('add', { at: T0 + 1 }))).toEqual([
      'cio_a entered vip because of add-vip',
      'cio_a entered keen-vip because of add-vip',
      'cio_a starts welcome because of add-vip',
    ]);
    expect(trigger.then(happened({ id: 'c2', at: T0 + 2 }))).toEqual([
      'cio_a starts follow-up because of c2',
    ]);
    expect(trigger.then(put('remove', { at: T0 + 3 }))).toEqual([
      'cio_a left vip because of remove-vip',
      'cio_a left keen-vip because of remove-vip',
      'cio_a starts goodbye because of remove-vip',
    ]);
  });

  test('stays through a new name of it; leaves when it is deleted, and is not in one made anew under its id', () => {
    const trigger = withVips();
    trigger.then(put('add', {}));
    trigger.harness.define('segment', 'default', 'vip', { ...manual, name: 'Very important' });
    expect(trigger.then(happened({ at: T0 + 1 }))).toEqual([]);
    trigger.remove('segment', 'vip');
    trigger.harness.define('segment', 'default', 'vip', manual);
    expect(trigger.then(happened({ at: T0 + 2 }))).toEqual(['cio_a left vip']);
    expect(trigger.then(put('add', { id: 'anew', at: T0 + 3 }))).toEqual([
      'cio_a entered vip because of anew',
    ]);
  });

  test('of a segment that has become data-driven is in it only where its rule says so, and back again', () => {
    const trigger = withVips();
    trigger.then(put('add', {}));
    trigger.segment('vip', cart);
    expect(trigger.then(happened({ name: 'Other', at: T0 + 1 }))).toEqual(['cio_a left vip']);
    expect(trigger.then(happened({ id: 'c1', at: T0 + 2 }))).toEqual(['cio_a entered vip because of c1']);
    trigger.harness.define('segment', 'default', 'vip', manual);
    expect(trigger.then(happened({ name: 'Other', at: T0 + 3 }))).toEqual(['cio_a left vip']);
  });

  test.each(['nothing', 'ruled'])('is told when there is no such manual segment: %s', (segment) => {
    const trigger = withVips().segment('ruled', cart);
    const outputs = trigger.feed(put('add', { segment, id: 'm1' }));
    expect(of('segmentsChanged', outputs)).toEqual([]);
    expect(of('eventsDropped', outputs).map(({ value }) => value)).toMatchObject([
      { reason: 'segment_unknown', message_id: 'm1', person_id: A, stage: 'trigger' },
    ]);
  });

  test('is no event: nothing counts it, and its segment’s id is no event’s name', () => {
    const trigger = withVips().segment('seen', { event: 'vip' });
    expect(trigger.then(put('add', {}))).toEqual(['cio_a entered vip because of add-vip']);
  });
});

describe('merges, splits and deletions', () => {
  const rules = (harness: ProcessorHarness): void => {
    harness.define('segment', 'default', 'vip', manual).define('segment', 'default', 'vip-of-vips', {
      name: 'x',
      type: 'data_driven',
      when: { segment: 'vip' },
    });
  };

  test('the survivor is in what the absorbed was put into', () => {
    const world = new World(rules);
    world.write(put('add', { person: B }));
    world.run();
    world.write(absorbed(B, A, 7, T0 + 1), absorb(A, B, 7, T0 + 1));
    world.run();
    expect(membersOf('vip', world.outputs)).toEqual([A]);
    expect(membersOf('vip-of-vips', world.outputs)).toEqual([A]);
    world.write(put('remove', { person: B, at: T0 + 2 })); // forwarded to the survivor
    world.run();
    expect(membersOf('vip', world.outputs)).toEqual([]);
    expect(membersOf('vip-of-vips', world.outputs)).toEqual([]);
  });

  test('a split leaves a member where they are', () => {
    const trigger = withVips();
    trigger.then(put('add', {}));
    const known = { asOf: 9, id: '1', email: null };
    expect(trigger.then(split(A, B, T0 + MINUTE, known), split(B, A, T0 + MINUTE, known))).toEqual([]);
    expect(trigger.then(put('remove', { at: T0 + 2 * MINUTE }))).toEqual([
      'cio_a left vip because of remove-vip',
    ]);
  });

  test('who is deleted has left, and cannot be put in again', () => {
    const trigger = withVips();
    trigger.then(put('add', {}));
    expect(trigger.then(deleted(A, 8, T0 + 1))).toEqual(['cio_a left vip']);
    const outputs = trigger.feed(put('add', { id: 'late', at: T0 + 2 }));
    expect(of('eventsDropped', outputs).map(({ value }) => value.reason)).toEqual(['person_deleted']);
  });

  test('whatever the order of adds, removals and merges, who is in it is whom the calls say', () => {
    const call = fc.record({
      person: fc.constantFrom(A, B, 'cio_c'),
      action: fc.constantFrom('add' as const, 'remove' as const),
    });
    // After the merge by one of the two names only: between streams of two people there is no order.
    const later = fc.constantFrom(A, B).chain((name) =>
      fc.array(
        call.map((each) => (each.person === 'cio_c' ? each : { ...each, person: name })),
        { maxLength: 8 },
      ),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 12 }), later, (before, after) => {
        const world = new World(rules);
        const members = new Set<string>();
        const say = (calls: typeof before, ids: number, whose: (person: string) => string): void => {
          for (const [at, { person, action }] of calls.entries()) {
            world.write(put(action, { person, id: `m${String(ids + at)}`, at: T0 + ids + at }));
            if (action === 'add') members.add(whose(person));
            else members.delete(whose(person));
          }
          world.run();
        };
        say(before, 0, (person) => person);
        world.write(absorbed(B, A, 7, T0 + 100), absorb(A, B, 7, T0 + 100));
        if (members.delete(B)) members.add(A);
        say(after, 200, (person) => (person === B ? A : person));
        expect(membersOf('vip', world.outputs)).toEqual([...members].sort());
        expect(membersOf('vip-of-vips', world.outputs)).toEqual([...members].sort());
      }),
      { numRuns: 100 },
    );
  });
});
