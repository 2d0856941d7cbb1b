/** A timer is set to what nextChange says, so between now and then nothing may turn, and then it must. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { condition, happening, seenOf, type Happening } from '../testing/rule-arbitraries.ts';
import type { Condition } from './condition.ts';
import { evaluate } from './evaluate.ts';
import { evidenceOf, type History } from './history.ts';
import { nextChange } from './next-change.ts';
import { parseSegment } from './parse.ts';

const START = 100;
/** Past the last event by the longest window and the longest stall. */
const HORIZON = 400;

/** Rules are written in seconds and days; here a second is a millisecond, and a day is 40, so that every moment can be asked. */
const TINY: Readonly<Record<string, number>> = {
  1_000: 1,
  60_000: 2,
  1_800_000: 5,
  3_600_000: 10,
  86_400_000: 20,
  604_800_000: 30,
  2_592_000_000: 60,
  5_184_000_000: 90,
};
const DURATIONS = new Set(['withinMs', 'forMs', 'durationMs', 'atLeastMs']);

function parsed(when: unknown): Condition {
  const result = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!result.ok || result.value.type !== 'data_driven') throw new Error('the rule is good');
  return tiny(result.value.when) as Condition;
}
function tiny(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tiny);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [
      key,
      DURATIONS.has(key) && typeof inner === 'number' ? TINY[inner] : tiny(inner),
    ]),
  );
}

/** Times that a value may say, in unix seconds: near the moments that are asked. */
const near = fc.integer({ min: 0, max: 250 }).map((ms) => ms / 1_000);
const timed = fc.record({ renews: near, created_at: near, since: near }, { requiredKeys: [] });
const told = fc.record({
  what: happening,
  at: fc.integer({ min: 0, max: START }),
  late: fc.nat({ max: 30 }),
});

function historyOf(
  list: readonly { what: Happening; at: number; late: number }[],
  attributes: object,
): History {
  const events = list.flatMap(({ what, at, late }, index) => {
    const seen = seenOf(what);
    if (seen === undefined) return [];
    return [{ ...seen, messageId: `m${String(index)}`, time: Math.max(0, at - late), receivedAt: at }];
  });
  const relationships = list
    .filter(({ what }) => what.type === 'relate')
    .flatMap(({ what }) => what.related.relationships)
    .map((one) => ({ ...one, attributes: { ...one.attributes, ...attributes } }));
  return {
    events,
    relationships,
    attributes: attributes as Record<string, unknown>, // of the arbitrary
    segments: new Set(),
    firstSeenAt:
      list.length === 0 ? Infinity : Math.min(...list.map(({ at, late }) => Math.max(0, at - late))),
  };
}

/** Beside rules by chance, those whose attributes are the times above. */
const relative = fc.record({
  attribute: fc.constantFrom('renews', 'created_at', 'since'),
  operator: fc.constantFrom('before_ago', 'after_ago', 'before_from_now', 'after_from_now'),
  value: fc.constantFrom('PT1S', 'PT1H', 'P1D', 'P30D'),
});
const object = relative.map(({ operator, value }) => ({
  relationship: '1',
  where: [{ property: 'since', operator, value }],
}));
const leaf = fc.oneof(condition, relative, object);
const rule = fc.oneof(
  leaf,
  fc.array(leaf, { minLength: 2, maxLength: 3 }).map((all) => ({ all })),
  fc.array(leaf, { minLength: 2, maxLength: 3 }).map((any) => ({ any })),
  leaf.map((not) => ({ not })),
);

test('at every moment the answer stays the same until the next change, and is the other then', () => {
  let changes = 0;
  fc.assert(
    fc.property(rule, fc.array(told, { maxLength: 12 }), timed, (when, list, attributes) => {
      const parsedRule = parsed(when);
      const evidence = evidenceOf(parsedRule, historyOf(list, attributes), START);
      const answers = Array.from(
        { length: HORIZON },
        (_, ms) => evaluate(parsedRule, evidence, START + ms).result,
      );
      let at = START;
      while (at < START + HORIZON) {
        const here = at;
        const next = nextChange(parsedRule, sameBut(evidence, here));
        expect(next).toBeGreaterThan(here);
        const until = Math.min(next, START + HORIZON);
        const between = answers.slice(here - START, until - START);
        expect(between.every((answer) => answer === answers[here - START])).toBe(true);
        if (next < START + HORIZON) {
          expect(answers[next - START]).toBe(!answers[here - START]);
          changes += 1;
        } // else a date in the data, years later than the horizon
        at = until;
      }
    }),
    { numRuns: 600 },
  );
  expect(changes).toBeGreaterThan(50); // some 150, by the seed
});

function sameBut(evidence: ReturnType<typeof evidenceOf>, now: number): ReturnType<typeof evidenceOf> {
  return {
    now,
    firstSeenAt: evidence.firstSeenAt,
    marks: (pointer) => evidence.marks(pointer),
    attribute: (path) => evidence.attribute(path),
    relationships: () => evidence.relationships(),
    inSegment: (id, at) => evidence.inSegment(id, at),
  };
}

test('the time of a segment that a rule refers to is a time of the rule', () => {
  const inner = parsed({ event: 'A', within: 'P1D' });
  const outer = parsed({ not: { segment: 'inner' } });
  const event = {
    name: 'A',
    type: 'event' as const,
    messageId: 'm',
    time: 95,
    receivedAt: 95,
    properties: () => ({}),
  };
  const conditions = new Map([['inner', inner]]);
  const history = {
    events: [event],
    attributes: {},
    segments: new Set<string>(),
    conditions,
    firstSeenAt: 95,
  };
  const evidence = evidenceOf(outer, history, START);
  expect(evaluate(outer, evidence)).toEqual({ result: false, changesAt: 115 });
  expect(nextChange(outer, evidence)).toBe(115);
  expect(evaluate(outer, evidence, 115).result).toBe(true);
});
