/** Whatever comes for a definition, the answer is a definition or faults that point into it: never a throw. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { condition } from '../testing/rule-arbitraries.ts';
import { faultsMax } from './limits.ts';
import { parseJourney, parseSegment } from './parse.ts';

const BAD = 500;

const KEYS = [
  ...['all', 'any', 'not', 'age', 'event', 'type', 'where', 'count', 'within', 'without', 'for', 'rearm'],
  ...['sequence', 'attribute', 'operator', 'value', 'segment', 'relationship', 'id', 'object', 'property'],
  ...['at_least', 'at_most', 'distinct', '__proto__', 'constructor', 'toString', 'a/b~c', ''],
];
const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    'P1M',
    'PT1H',
    'matches',
    '(',
    -1,
    0,
    1e9,
    0.5,
    true,
    [],
    {},
    'page',
    'x'.repeat(1_001),
  ),
  fc.anything({ key: fc.constantFrom(...KEYS), maxDepth: 4 }),
  fc.jsonValue(),
);
const tree = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    junk,
    condition,
    fc.dictionary(fc.constantFrom(...KEYS), tie('node'), { maxKeys: 5 }),
    fc.array(tie('node'), { maxLength: 4 }),
  ),
})).node;

/** A good rule with something put in, taken out or exchanged at a place by chance. */
const damaged = fc
  .tuple(condition, fc.infiniteStream(fc.nat()), junk, fc.constantFrom(...KEYS))
  .map(([rule, chance, value, key]) =>
    damage(structuredClone(JSON.parse(JSON.stringify(rule))), chance, { value, key }),
  );

function damage(
  rule: unknown,
  chance: Iterator<number>,
  { value, key }: { value: unknown; key: string },
): unknown {
  if (typeof rule !== 'object' || rule === null) return value;
  const keys = Object.keys(rule);
  const roll = Number(chance.next().value);
  const at = keys[roll % Math.max(1, keys.length)] ?? key;
  const record = rule as Record<string, unknown>; // of JSON
  // Defined, not assigned: a key may be __proto__.
  const put = (name: string, to: unknown) =>
    Reflect.defineProperty(record, name, { value: to, enumerable: true, configurable: true, writable: true });
  if (roll % 5 === 0) put(key, value);
  else if (roll % 5 === 1) Reflect.deleteProperty(record, at);
  else put(at, damage(Object.getOwnPropertyDescriptor(record, at)?.value, chance, { value, key }));
  return rule;
}

const anything = fc.oneof(
  junk,
  fc.oneof(tree, damaged).map((when) => ({ name: 'x', type: 'data_driven', when })),
  fc
    .oneof(tree, damaged)
    .map((filters) => ({ name: 'x', state: 'draft', trigger: { identified: true }, filters })),
  tree.map((trigger) => ({ name: 'x', state: 'draft', trigger })),
  fc.record({
    name: junk,
    type: junk,
    when: junk,
    state: junk,
    trigger: junk,
    frequency: junk,
    key: junk,
    holdout: junk,
  }),
);

/** As it comes over the wire. */
const body = anything.map((document) => (JSON.parse(JSON.stringify([document])) as unknown[])[0]);

/** The place is there, or is a key that is missing from an object that is. */
function leadsInto(document: unknown, pointer: string): boolean {
  if (pointer === '') return true;
  const keys = pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  let at = document;
  for (const key of keys) {
    if (typeof at !== 'object' || at === null) return false;
    at = Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined; // a key of an object
  }
  return true;
}

test(`${String(BAD)} bad definitions by chance: each is answered with faults that lead into it`, () => {
  let bad = 0;
  fc.assert(
    fc.property(body, (document) => {
      for (const parsed of [parseSegment(document), parseJourney(document)]) {
        if (parsed.ok) continue;
        bad += 1;
        expect(parsed.faults.length).toBeGreaterThan(0);
        expect(parsed.faults.length).toBeLessThanOrEqual(faultsMax);
        for (const { pointer, message } of parsed.faults) {
          expect(message.length).toBeGreaterThan(0);
          expect([pointer, leadsInto(document, pointer)]).toEqual([pointer, true]);
        }
      }
    }),
    { numRuns: 2 * BAD },
  );
  expect(bad).toBeGreaterThan(BAD);
});

test('what is nested, wide or long beyond every bound is refused and never a stack that overflows', () => {
  let deep: unknown = { event: 'A' };
  for (let level = 0; level < 5_000; level += 1) deep = level % 2 === 0 ? { not: deep } : { all: [deep] };
  const long = { attribute: 'a', operator: 'in', value: Array.from({ length: 1_001 }, (_, n) => n) };
  const wide = { any: Array.from({ length: 51 }, () => ({ event: 'A' })) };
  for (const [when, code] of [
    [deep, 'too_deep'],
    [long, 'too_many'],
    [wide, 'too_many'],
  ] as const) {
    const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
    expect(parsed).toMatchObject({ ok: false, faults: [{ code }] });
  }
});
