/** Objects that a person belongs to (spec A.2 objects, C.1 row 23, C.3). */
import { describe, expect, test } from '@jest/globals';
import { of } from '../../testing/processor-harness.ts';
import { relationshipsMax } from './relationships.ts';
import {
  absorb,
  absorbed,
  deleted,
  happened,
  identified,
  lines,
  profileOf,
  T0,
  Trigger,
} from '../../testing/scenarios/trigger-scenario.ts';
import { World } from '../../testing/scenarios/trigger-world.ts';

const acme = { object_type_id: '1', object_id: 'acme' };
const course = { object_type_id: '2', object_id: 'course' };
type Entry = { object_type_id: string; object_id: string; attributes?: object; object_attributes?: object };

function related(entries: readonly Entry[], rest: Parameters<typeof happened>[0] = {}, action = 'add') {
  const fields = { type: 'relate', name: null, ...rest.fields } as const;
  return happened({ ...rest, properties: { action, relationships: entries }, fields });
}
function relationshipsOf(outputs: Parameters<typeof profileOf>[0], person?: string): unknown {
  return JSON.parse(profileOf(outputs, person)?.relationships ?? 'null');
}

describe('relationships of a person', () => {
  test('are added, updated and taken away, in the order of the stream', () => {
    const trigger = new Trigger();
    const first = { ...acme, attributes: { role: 'dev', since: 1 }, object_attributes: { plan: 'free' } };
    expect(relationshipsOf(trigger.feed(related([first, course])))).toEqual([
      first,
      { ...course, attributes: {}, object_attributes: {} },
    ]);
    const traits = { plan: 'pro', object_type_id: '1', relationshipAttributes: { x: 1 } };
    const update = { ...acme, attributes: { role: 'admin' }, object_attributes: traits };
    const changed = { ...acme, attributes: { role: 'admin', since: 1 }, object_attributes: { plan: 'pro' } };
    expect(relationshipsOf(trigger.feed(related([update])))).toContainEqual(changed);
    expect(trigger.feed(related([update], { at: T0 + 1 }))).toEqual([]);
    expect(relationshipsOf(trigger.feed(related([course], {}, 'delete')))).toEqual([changed]);
    expect(relationshipsOf(trigger.feed(related([acme], {}, 'delete')))).toBeNull();
    expect(trigger.feed(related([acme], {}, 'delete'))).toEqual([]);
  });

  test('are no event: no rule counts them, none triggers, and being related is not being identified', () => {
    const trigger = new Trigger()
      .segment('any', { not: { event: 'Added to Cart' } })
      .journey('known', { identified: true });
    expect(trigger.then(related([acme], { id: 'r' }))).toEqual(['cio_a entered any because of r']);
    expect(trigger.then(identified({ id: 'i' }))).toEqual(['cio_a starts known because of i']);
  });

  test('C.1 row 23: those of a visitor come with the claim, in the history before the identify', () => {
    const trigger = new Trigger();
    const past = { anonymousId: 'x', previouslyAnonymous: true, at: T0 - 1, mergedAt: T0 };
    const outputs = trigger.feed(
      related([acme], past),
      identified({ anonymousId: 'x', properties: { plan: 'pro' } }),
    );
    expect(relationshipsOf(outputs)).toMatchObject([acme]);
    expect(profileOf(outputs)?.attributes).toBe('{"plan":"pro"}');
  });

  test('are bounded, and what is left out is named in a row of dropped', () => {
    const many = Array.from({ length: relationshipsMax + 1 }, (_, at) => ({
      object_type_id: '1',
      object_id: String(at),
    }));
    const outputs = new Trigger().feed(related(many, { id: 'r' }));
    expect(relationshipsOf(outputs)).toHaveLength(relationshipsMax);
    expect(of('eventsDropped', outputs).map(({ value }) => value)).toMatchObject([
      {
        reason: 'limit_exceeded',
        message_id: 'r',
        detail: `{"relationships":["${String(relationshipsMax)}"],"count":1}`,
      },
    ]);
    const large = { ...acme, attributes: { text: 'x'.repeat(100_000) } };
    expect(of('eventsDropped', new Trigger().feed(related([large])))).toHaveLength(1);
  });

  test('a survivor keeps theirs and gets those that they lacked (spec C.3)', () => {
    const world = new World();
    const own = { ...acme, attributes: { role: 'admin' } };
    const theirs = { ...acme, attributes: { role: 'dev' } };
    world.write(related([own], { person: 'cio_a' }), related([theirs, course], { person: 'cio_b' }));
    world.run();
    world.write(absorbed('cio_b', 'cio_a', 7), absorb('cio_a', 'cio_b', 7));
    const outputs = world.run();
    expect(relationshipsOf(outputs, 'cio_a')).toMatchObject([own, course]);
    expect(relationshipsOf(outputs, 'cio_b')).toBeNull();
    expect(lines(outputs)).toEqual([]);
  });

  test('go with a deletion', () => {
    const trigger = new Trigger();
    trigger.feed(related([acme]));
    expect(relationshipsOf(trigger.feed(deleted('cio_a', 9)))).toBeNull();
  });
});
