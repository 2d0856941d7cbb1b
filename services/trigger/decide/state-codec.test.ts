/** A person's state is what it was after it was stored, whichever of its rules were looked at, and it is small. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JourneyStates } from './journey-states.ts';
import type { JourneyState } from './runs.ts';
import { runs } from '../../testing/runs.ts';
import { decodePerson, encodePerson } from './state-codec.ts';
import { newPerson, type Person, type RuleState } from './state.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ minLength: 60, maxLength: 200 }),
  fc.constantFrom('__proto__', 'a\nb', '🛒', '/when/all/1', '\ud800', 'x'.repeat(300), 'ü'.repeat(70)),
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
const journey: fc.Arbitrary<JourneyState> = fc.record({
  entries: fc.nat(),
  lastEnteredAt: fc.oneof(ms, fc.constant(null)),
  heldOutAt: fc.constant(null),
});
const person: fc.Arbitrary<Person> = fc
  .record({
    status: fc.constantFrom('alive' as const, 'absorbed' as const),
    stamp: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    firstSeenAt: fc.oneof(ms, fc.constant(Infinity)),
    changesAt: fc.oneof(ms, fc.constant(Infinity)),
    evaluatedAt: ms,
    identified: fc.boolean(),
    rules: fc.array(fc.tuple(text, rule), { maxLength: 5 }).map((pairs) => new Map(pairs)),
    journeys: fc.dictionary(text, journey, { maxKeys: 3 }).map((byId) => JourneyStates.of(byId)),
    claims: fc.array(text, { maxLength: 3 }),
    clearedAt: fc.oneof(ms, fc.constant(undefined)),
    clearedBy: fc.oneof(fc.nat(), fc.constant(undefined)),
    apart: fc.oneof(fc.array(text, { minLength: 1, maxLength: 3 }), fc.constant(undefined)),
    timerAt: fc.oneof(ms, fc.constant(Infinity)),
  })
  .map((fields) => ({ ...newPerson, ...fields }));

/** Plain, so that they compare; rules in their order. */
const plain = ({ rules, journeys, ...rest }: Person): unknown =>
  JSON.parse(JSON.stringify({ ...rest, rules: [...rules], journeys: Object.entries(journeys.byId) }));

const plainRule = ({ version, since, changesAt, notBefore }: RuleState) => ({
  version,
  since,
  changesAt,
  notBefore,
});

test('any state is read as it was written, in whole and in part, again and again', () => {
  fc.assert(
    fc.property(person, fc.nat(), (before, which) => {
      const once = decodePerson(encodePerson(before));
      expect(plain(once)).toEqual(plain(before));
      // A rule was looked at and changed; the others are copied as they lie there.
      const keys = [...once.rules.keys()];
      const key = keys[which % Math.max(1, keys.length)];
      const changed = (one: Person): Person => ({
        ...one,
        rules: new Map(
          [...one.rules].map(([name, state]) => [
            name,
            name === key ? { ...plainRule(state), marks: { ...state.marks, x: [[1, 'm']] } } : state,
          ]),
        ),
      });
      expect(plain(decodePerson(encodePerson(changed(once))))).toEqual(plain(changed(before)));
      expect(encodePerson(decodePerson(encodePerson(once))).equals(encodePerson(once))).toBe(true);
    }),
    { numRuns: runs(200) },
  );
});

test('a segment of one counting condition takes no more than 200 bytes', () => {
  const marks = { '/when': [[1_767_614_400_000, '0f8fad5b-d9cb-469f-a165-70867728950e']] } as const;
  const state = { version: 3, marks, since: 1_767_614_400_000, changesAt: 1_770_206_400_000 };
  const one = {
    ...newPerson,
    evaluatedAt: 1_767_614_400_000,
    identified: true,
    rules: new Map([['s:cart-lovers', state]]),
  };
  expect(encodePerson(one).length).toBeLessThanOrEqual(200);
});

test('a state that an earlier version has stored is read, and stored anew as it is now', () => {
  const marks: RuleState['marks'] = { '/when': [[1_767_614_400_000, 'm1']] };
  const rules = {
    's:keen': { version: 3, marks, since: 7, changesAt: 9 },
    's:other': { version: 1, marks: {} },
  };
  const small = {
    evaluatedAt: 5,
    identified: true,
    journeys: { welcome: { entries: 1, lastEnteredAt: 5, heldOutAt: null } },
    claims: ['visitor'],
    held: [],
    absorbedBy: null,
  };
  const head = encodePerson({ ...newPerson, stamp: 11, firstSeenAt: 2, changesAt: 9 }).subarray(0, 22);
  const written = (format: number, text: string): Buffer => {
    const stored = Buffer.concat([head, Buffer.from(text)]);
    stored[0] = format;
    return stored;
  };
  const texts = [JSON.stringify(marks), '{}'];
  const lines = [
    ['s:keen', 3, texts[0]?.length, 7, 9],
    ['s:other', 1, 2, null, null],
  ];
  const states = [
    written(3, `${JSON.stringify([small, lines])}\n${texts.join('')}`),
    written(2, JSON.stringify({ ...small, rules })),
    written(1, JSON.stringify({ ...small, rules })),
  ].map(decodePerson);
  const expected = {
    ...newPerson,
    ...small,
    ...{ stamp: 11, firstSeenAt: 2, changesAt: 9, timerAt: 9 },
    rules: new Map<string, RuleState>(Object.entries(rules)),
    journeys: JourneyStates.of(small.journeys),
  };
  for (const state of states) {
    expect(plain(state)).toEqual(plain(expected));
    expect(plain(decodePerson(encodePerson(state)))).toEqual(plain(expected));
  }
});
