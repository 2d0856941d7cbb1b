/** No sequence of calls makes a person that a record cannot hold: rows 1 and 2 of the calls from the real world. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RECORD_BYTES_MAX } from '../runtime/log/producing/output-buffer.ts';
import { of, type Output } from '../testing/processor-harness.ts';
import { applyIdentify, attributesOf, newProfile, mergeProfiles, type Profile } from './decide/profile.ts';
import { bytesOf, profileBytesMax } from './decide/profile-limits.ts';
import { applyRelate, relationshipBytesMax, shown, type Relationship } from './decide/relationships.ts';
import {
  absorb,
  absorbed,
  happened,
  identified,
  T0,
  Trigger,
} from '../testing/scenarios/trigger-scenario.ts';
import { ruleStateBytesMax } from './decide/state.ts';
import { World } from '../testing/scenarios/trigger-world.ts';
import { runs } from '../testing/runs.ts';

const CONTROL = '\u0001';
const profiles = (outputs: readonly Output[]) => of('peopleChanged', outputs).map(({ value }) => value);
const largest = (outputs: readonly Output[]): number =>
  Math.max(0, ...outputs.map(({ key, bytes }) => Buffer.byteLength(key) + bytes.length));

function leftOutOf(outputs: readonly Output[]): number {
  const counts = of('eventsDropped', outputs).map(({ value }) => {
    expect(value).toMatchObject({ reason: 'limit_exceeded', stage: 'trigger', person_id: 'cio_a' });
    return (JSON.parse(value.detail ?? '') as { count: number }).count;
  });
  expect(of('activitiesLogged', outputs).map(({ value }) => value.kind)).toEqual(
    counts.map(() => 'Failed Update'),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('a profile', () => {
  test('row 1: forty lists of 290 texts each are left out, and the rest of each call is kept', () => {
    const trigger = new Trigger();
    const outputs = Array.from({ length: 40 }, (_, i) =>
      trigger.feed(
        identified({
          id: `i${String(i)}`,
          at: T0 + i,
          properties: {
            [`list_${String(i)}`]: Array(290).fill('x'.repeat(100)),
            [`plan_${String(i)}`]: 'pro',
          },
        }),
      ),
    ).flat();
    expect(leftOutOf(outputs)).toBe(40);
    const last = JSON.parse(profiles(outputs).at(-1)?.attributes ?? '') as object;
    expect(Object.keys(last)).toEqual(Array.from({ length: 40 }, (_, i) => `plan_${String(i)}`));
    expect(largest(outputs)).toBeLessThan(10_000);
  });

  test('row 2: control characters count as they are kept', () => {
    const trigger = new Trigger();
    const outputs = Array.from({ length: 4 }, (_, call) =>
      trigger.feed(
        identified({
          at: T0 + call,
          properties: Object.fromEntries(
            Array.from({ length: 140 }, (_each, i) => [`a${String(140 * call + i)}`, CONTROL.repeat(1_000)]),
          ),
        }),
      ),
    ).flat();
    const kept = Object.keys(JSON.parse(profiles(outputs).at(-1)?.attributes ?? '') as object).length;
    expect(kept).toBeGreaterThan(40);
    expect(kept + leftOutOf(outputs)).toBe(4 * 140);
    expect(largest(outputs)).toBeLessThan(profileBytesMax + 10_000);
    const after = trigger.feed(identified({ at: T0 + 9, properties: { a0: 'short' } }));
    expect(JSON.parse(profiles(after)[0]?.attributes ?? '')).toMatchObject({ a0: 'short' });
    expect(leftOutOf(after)).toBe(0);
  });

  test.each([
    ['a text of 1,000 bytes', 'é'.repeat(500), true],
    ['a text of 1,001', `${'é'.repeat(500)}x`, false],
    ['a list of 1,000 as text', ['x'.repeat(996)], true],
    ['a list of 1,001', ['x'.repeat(997)], false],
    ['an object of 1,000', { a: 'x'.repeat(992) }, true],
    ['an object of 1,001', { a: 'x'.repeat(993) }, false],
  ])('%s is a value like any other', (_, value, fits) => {
    const outputs = new Trigger().feed(identified({ properties: { value, other: 1 } }));
    expect(JSON.parse(profiles(outputs)[0]?.attributes ?? '')).toEqual(
      fits ? { value, other: 1 } : { other: 1 },
    );
    expect(leftOutOf(outputs)).toBe(fits ? 0 : 1);
  });

  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.nat(340).map((length) => CONTROL.repeat(length)),
    fc.nat(500).map((length) => 'é'.repeat(length)),
    fc.nat(1_200).map((length) => '"'.repeat(length)),
  );
  const value = fc.oneof(
    text,
    fc.array(text, { maxLength: 5 }),
    fc.dictionary(text, text, { maxKeys: 3 }),
    fc.constant(null),
  );
  const name = fc.oneof(
    fc.nat(700).map((n) => `a${String(n)}`),
    fc.constantFrom('__proto__', 'first_seen_at'),
    fc.nat(200).map((n) => CONTROL.repeat(140) + String(n)),
  );
  const call = fc.record({
    attributes: fc.dictionary(name, value, { minKeys: 1, maxKeys: 300 }),
    at: fc.nat(1_000),
    messageId: fc.oneof(fc.uuid(), fc.constant(CONTROL.repeat(150))),
  });

  const after = (calls: readonly (typeof call extends fc.Arbitrary<infer Call> ? Call : never)[]): Profile =>
    calls.reduce<Profile>((profile, { attributes, at, messageId }) => {
      const by = [at, messageId] as const;
      return applyIdentify(profile, { attributes, by, id: null, email: null, byCioId: false, known: null })
        .profile;
    }, newProfile);

  test('is bounded after any calls and any merge of two', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 12 }), fc.array(call, { maxLength: 12 }), (ours, theirs) => {
        const [one, other] = [after(ours), after(theirs)];
        for (const profile of [one, other, mergeProfiles(one, other).profile]) {
          expect(bytesOf(profile.attributes)).toBeLessThanOrEqual(profileBytesMax);
          const published = Buffer.byteLength(JSON.stringify(attributesOf(profile)));
          expect(published).toBeLessThanOrEqual(profileBytesMax + 2);
        }
      }),
      { numRuns: runs(25) },
    );
  });
});

test('relationships are bounded in bytes as published, after any calls, and each that is left out is named', () => {
  const entry = fc.record({
    object_type_id: fc.constantFrom('1', '2'),
    object_id: fc.nat(60).map(String),
    attributes: fc.record({ text: fc.nat(6_000).map((length) => 'é'.repeat(length)) }, { requiredKeys: [] }),
  });
  const relate = fc.record({
    action: fc.constantFrom('add', 'add', 'delete'),
    relationships: fc.array(entry, { maxLength: 20 }),
  });
  fc.assert(
    fc.property(fc.array(relate, { maxLength: 12 }), (calls) => {
      let kept: readonly Relationship[] = [];
      for (const each of calls) {
        const { relationships, refused } = applyRelate(kept, JSON.stringify(each), {
          at: T0,
          objectOf: () => undefined,
        });
        kept = relationships;
        expect(Buffer.byteLength(JSON.stringify(kept.map(shown)))).toBeLessThanOrEqual(
          relationshipBytesMax + 2,
        );
        const objects = kept.map(({ object_type_id, object_id }) => `${object_type_id}/${object_id}`);
        expect(new Set(objects).size).toBe(objects.length);
        const sent = each.relationships.map(({ object_id }) => object_id);
        expect(sent).toEqual(expect.arrayContaining([...refused]));
      }
    }),
    { numRuns: runs(25) },
  );
});

test('what rules have counted of a person is bounded, and what is counted no more is told', () => {
  const trigger = new Trigger();
  for (let rule = 0; rule < 10; rule += 1) {
    const when = { event: 'Added to Cart', count: { at_least: 1_000 } };
    trigger.segment(`s${String(rule)}`, when);
  }
  const outputs: Output[] = [];
  for (let each = 0; each < 400; each += 1) {
    outputs.push(...trigger.feed(happened({ at: T0 + each, id: `${String(each)}${'x'.repeat(147)}` })));
  }
  const stored = trigger.storedBytes('cio_a');
  expect(stored).toBeGreaterThan(ruleStateBytesMax / 2);
  expect(stored).toBeLessThan(ruleStateBytesMax + 10_000);
  expect(leftOutOf(outputs)).toBeGreaterThan(0);
});

test('two people at every bound become one, and no record of it is too large', () => {
  const world = new World();
  const full = (person: string, letter: string) =>
    Array.from({ length: 12 }, (_, call) =>
      identified({
        person,
        at: T0 + call,
        properties: Object.fromEntries(
          Array.from({ length: 45 }, (_each, i) => [
            `${letter}${String(call)}_${String(i)}`,
            CONTROL.repeat(1_000),
          ]),
        ),
      }),
    );
  world.write(...full('cio_a', 'a'), ...full('cio_b', 'b'));
  const before = world.run();
  world.write(absorbed('cio_b', 'cio_a', 7), absorb('cio_a', 'cio_b', 7));
  const outputs = [...before, ...world.run()];
  expect(largest(outputs)).toBeLessThan(RECORD_BYTES_MAX);
  expect(profiles(outputs).length).toBeGreaterThan(2);
});
