/** A profile is what it was after it was stored, to the last digit and in its order: what moves is written from it. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ExactNumber, parseExactly } from '../../runtime/exact-json.ts';
import { decodeProfile, encodeProfile } from './profile-codec.ts';
import { newProfile, type Profile } from './profile.ts';
import { setWritten, type Stamp, type Written } from './written.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'plan', '12', '\ud800', 'x'.repeat(300)),
);
const value = fc.oneof(
  text,
  fc.constantFrom(null, true, false, new ExactNumber('9007199254740993')),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  fc.jsonValue(),
);
const by: fc.Arbitrary<Stamp> = fc.tuple(
  fc.constantFrom(1_767_614_400_000, -5e15, 7),
  fc.constantFrom('m1', 'm2'),
);
const said = fc.record({ ms: fc.oneof(fc.integer(), fc.constant(null)), by });
const written: fc.Arbitrary<Written> = fc.oneof(
  fc.record({ value, by }),
  fc.tuple(fc.record({ value, by }), said).map(([own, before]) => ({ ...own, said: before })),
);
const relationship = fc.record(
  {
    object_type_id: text,
    object_id: text,
    attributes: fc.constant({ seats: 2 }),
    object_attributes: fc.constant({}),
    related_at: fc.nat(),
    said_at: fc.nat(),
  },
  { requiredKeys: ['object_type_id', 'object_id', 'attributes', 'object_attributes'] },
);
const relationships = fc.record({ relationships: fc.array(relationship, { maxLength: 2 }) });
const known = fc.record({ knownAsOf: fc.nat() });
const profile: fc.Arbitrary<Profile> = fc
  .record({
    version: fc.nat(),
    attributes: fc.array(fc.tuple(text, written), { maxLength: 6 }).map((pairs) => {
      const attributes: Record<string, Written> = {};
      for (const [name, one] of pairs) setWritten(attributes, name, one);
      return attributes;
    }),
    id: fc.oneof(text, fc.constant(null)),
    email: fc.oneof(text, fc.constant(null)),
    more: fc.oneof(
      fc.constant({}),
      relationships,
      known,
      fc.tuple(relationships, known).map(([first, then]) => ({ ...first, ...then })),
      fc.tuple(known, relationships).map(([first, then]) => ({ ...first, ...then })),
    ),
  })
  .map(({ more, ...own }) => ({ ...own, ...more }));

test('any profile reads as it was written', () => {
  fc.assert(
    fc.property(profile, (before) => {
      expect(JSON.stringify(decodeProfile(encodeProfile(before)))).toBe(JSON.stringify(before));
    }),
    { numRuns: 500 },
  );
});

test('a profile that an earlier version has stored as JSON is read', () => {
  const one = { ...newProfile, attributes: { plan: { value: 'pro', by: [7, 'm1'] } }, knownAsOf: 3 } as const;
  const stored = JSON.stringify(one);
  expect(decodeProfile(Buffer.from(stored))).toEqual(parseExactly(stored));
});

test('who wrote is said once for what one call wrote', () => {
  const by = [1_767_614_400_000, '0f8fad5b-d9cb-469f-a165-70867728950e'] as const;
  const attributes = { plan: { value: 'pro', by }, first_name: { value: 'Ada', by }, age: { value: 36, by } };
  expect(encodeProfile({ ...newProfile, attributes }).length).toBeLessThanOrEqual(100);
});
