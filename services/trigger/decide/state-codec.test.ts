/** A person's state is what it was after it was stored, whichever of its rules were looked at, and it is small. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodePerson, encodePerson } from './state-codec.ts';
import { newPerson, type Person, type RuleState } from './state.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'a\nb', '🛒', '/when/all/1'),
);
const ms = fc.integer({ min: 1, max: 4_000_000_000_000 });
const mark = fc.oneof(fc.tuple(ms, text), fc.tuple(ms, text, text));
const rule: fc.Arbitrary<RuleState> = fc.record(
  {
    version: fc.nat(),
    marks: fc.dictionary(text, fc.array(mark, { maxLength: 3 }), { maxKeys: 3 }),
    since: ms,
    changesAt: ms,
    notBefore: ms,
  },
  { requiredKeys: ['version', 'marks'] },
);
const person: fc.Arbitrary<Person> = fc
  .record({
    status: fc.constantFrom('alive' as const, 'absorbed' as const),
    stamp: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    firstSeenAt: fc.oneof(ms, fc.constant(Infinity)),
    changesAt: fc.oneof(ms, fc.constant(Infinity)),
    evaluatedAt: ms,
    identified: fc.boolean(),
    rules: fc.dictionary(text, rule, { maxKeys: 5 }),
    claims: fc.array(text, { maxLength: 3 }),
  })
  .map((fields) => ({ ...newPerson, ...fields }));

/** Plain, so that they compare. */
const plain = (one: Person): unknown => JSON.parse(JSON.stringify(one));

test('any state is read as it was written, in whole and in part, again and again', () => {
  fc.assert(
    fc.property(person, fc.nat(), (before, which) => {
      const once = decodePerson(encodePerson(before));
      expect(plain(once)).toEqual(plain(before));
      // A rule was looked at and changed; the others are copied as they lie there.
      const keys = Object.keys(once.rules);
      const key = keys[which % Math.max(1, keys.length)];
      const changed = (one: Person): Person =>
        key === undefined
          ? one
          : {
              ...one,
              rules: Object.fromEntries(
                Object.entries(one.rules).map(([name, state]) => [
                  name,
                  name === key ? { ...state, marks: { ...state.marks, x: [[1, 'm']] } } : state,
                ]),
              ),
            };
      expect(plain(decodePerson(encodePerson(changed(once))))).toEqual(plain(changed(before)));
      expect(encodePerson(decodePerson(encodePerson(once))).equals(encodePerson(once))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('a segment of one counting condition takes no more than 200 bytes', () => {
  const marks = { '/when': [[1_767_614_400_000, '0f8fad5b-d9cb-469f-a165-70867728950e']] } as const;
  const state = { version: 3, marks, since: 1_767_614_400_000, changesAt: 1_770_206_400_000 };
  const one = {
    ...newPerson,
    evaluatedAt: 1_767_614_400_000,
    identified: true,
    rules: { 's:cart-lovers': state },
  };
  expect(encodePerson(one).length).toBeLessThanOrEqual(200);
});
