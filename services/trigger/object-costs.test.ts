/** What objects and long profiles cost is counted for the workspace's share, and bounded for one look at a person. */
import { describe, expect, test } from '@jest/globals';
import { of, type Output } from '../testing/processor-harness.ts';
import { happened, objectSaid, profileOf, T0, Trigger } from '../testing/scenarios/trigger-scenario.ts';
import { objectBytesALookMax, objectBytesMax } from './decide/objects.ts';
import { attributeAt, newProfile } from './decide/profile.ts';
import { toldABatchMax } from './object-book.ts';

const named = (id: string) => ({ object_type_id: '1', object_id: id });
const said = (id: string, attributes: object, at = T0) =>
  objectSaid({ action: 'set', ...named(id), attributes }, at);
function related(person: string, relationships: readonly object[], at = T0) {
  const properties = { action: 'add', relationships };
  return happened({ person, at, properties, fields: { type: 'relate', name: null } });
}
const objectsOf = (outputs: readonly Output[], person: string) =>
  JSON.parse(profileOf(outputs, person)?.relationships ?? '[]') as { object_id: string }[];

/** Nearly as large as one may be, of very many members. */
const large = Object.fromEntries(Array.from({ length: 7_000 }, (_, n) => [`a${String(n)}`, 'x']));
const largeBytes = JSON.stringify(large).length;

/** Units of share.ts, of each record, as the shell asks for them. */
function counting(trigger: Trigger): number[] {
  const { processor } = trigger.harness;
  const onRecord = processor.onRecord.bind(processor);
  const units: number[] = [];
  const counted: typeof onRecord = (...record) => {
    onRecord(...record);
    units.push(processor.takeUnits?.() ?? 0);
  };
  Object.assign(processor, { onRecord: counted });
  return units;
}

describe('a call that names objects', () => {
  test('again and again has each of them read once, and is as the same entries one after the other', () => {
    const trigger = new Trigger();
    trigger.feed(said('acme', large));
    const units = counting(trigger);
    const entries = Array.from({ length: 2_000 }, (_, n) => ({
      ...named('acme'),
      attributes: { seat: n, [`s${String(n % 3)}`]: n },
    }));
    const began = process.cpuUsage();
    const outputs = trigger.feed(
      related('cio_a', [...entries, named('other'), { ...named('acme'), attributes: { z: 1 } }]),
    );
    // Two thousand times it was half a minute and more.
    expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
    expect(objectsOf(outputs, 'cio_a')).toEqual([
      { ...named('other'), attributes: {}, object_attributes: {} },
      {
        ...named('acme'),
        attributes: { seat: 1_999, s0: 1_998, s1: 1_999, s2: 1_997, z: 1 },
        object_attributes: large,
      },
    ]);
    expect(units.at(-1)).toBeGreaterThan(largeBytes / 20);
  });

  test('of which very much is known has so much of it read, and is told of the rest', () => {
    const trigger = new Trigger();
    const many = Array.from({ length: 40 }, (_, n) => `o${String(n)}`);
    trigger.feed(...many.map((id) => said(id, { text: 'x'.repeat(objectBytesMax - 100) })));
    trigger.feed(said('small', { plan: 'pro' }));
    const units = counting(trigger);
    const outputs = trigger.feed(related('cio_a', ['small', ...many].map(named)));
    expect(objectsOf(outputs, 'cio_a').map(({ object_id: id }) => id)).toEqual(['small']);
    expect(of('eventsDropped', outputs).map(({ value }) => value)).toMatchObject([
      { reason: 'limit_exceeded' },
    ]);
    const read = (units.at(-1) ?? 0) * 20;
    expect(read).toBeGreaterThan(objectBytesALookMax / 2);
    expect(read).toBeLessThan(objectBytesALookMax * 2);
  });
});

describe('a person of objects of which very much is known', () => {
  const many = Array.from({ length: 15 }, (_, n) => `o${String(n)}`);
  const withMany = (people: readonly string[], ids: readonly string[]) => {
    const trigger = new Trigger();
    trigger.feed(...people.map((person) => related(person, ids.map(named))));
    for (const id of many) trigger.feed(said(id, { text: 'x'.repeat(objectBytesMax - 100) }, T0 + 1));
    return trigger;
  };

  test('is taken out of one that is deleted, wherever that stands', () => {
    const trigger = withMany(['cio_a'], [...many, 'last']);
    const gone = objectSaid({ action: 'delete', ...named('last') }, T0 + 2);
    const outputs = trigger.feed(gone);
    expect(objectsOf(outputs, 'cio_a').map(({ object_id: id }) => id)).not.toContain('last');
  });

  test('counts as several of those who are told in a batch, so that others’ records go on', () => {
    const people = Array.from({ length: 6 }, (_, n) => `cio_${String(n)}`);
    const trigger = withMany(people, ['first', ...many]);
    const first = trigger.harness.batch(T0 + 5_000_000, said('first', { plan: 'pro' }, T0 + 9));
    expect(of('peopleChanged', first).length).toBeLessThan(people.length);
    expect(people.length).toBeLessThan(toldABatchMax);
    const rest = Array.from({ length: people.length }, () => trigger.harness.idle(T0 + 5_000_000)).flat();
    expect(of('peopleChanged', [...first, ...rest])).toHaveLength(people.length);
  });
});

test('a long profile is counted for each record that reads it, as a long state of rules is', () => {
  const trigger = new Trigger().segment('s', { attribute: 'a', operator: 'eq', value: 1 });
  const units = counting(trigger);
  const rest = { object_attributes: { text: 'x'.repeat(90_000) } };
  trigger.feed(related('cio_a', [{ ...named('acme'), ...rest }]));
  trigger.feed(related('cio_b', [named('acme')]));
  trigger.feed(related('cio_a', [named('acme')], T0 + 1), related('cio_b', [named('acme')], T0 + 1));
  const [ofLong = 0, ofShort = 0] = units.slice(-2);
  expect(ofLong).toBeGreaterThan(ofShort + 1_000);
});

test('an attribute is looked up, however many there are', () => {
  const written = { value: 'x', by: [1, 'm'] as const };
  const attributes = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`a${String(n)}`, written]));
  const profile = { ...newProfile, attributes };
  const began = process.cpuUsage();
  for (let times = 0; times < 19_000; times += 1) attributeAt(profile, 'cio_a', T0, 'a5');
  // Put together for each it is some seconds.
  expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
});
