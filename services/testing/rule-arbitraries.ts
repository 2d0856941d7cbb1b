/** Conditions and events for property tests: a small world, so that they meet often. */
import fc from 'fast-check';
import { operators } from '../rules/condition.ts';

export const EVENT_NAMES = ['A', 'B', 'ab?q=é#x'] as const;
const TYPES = ['event', 'page', 'screen'] as const;
const PROPERTIES = ['sku', 'price', 'cart', 'cart.total', 'tags', 'when', 'address'] as const;
const ATTRIBUTES = ['plan', 'age', 'tags', 'renews', 'created_at', 'createdAt'] as const;
/** What conditions may ask for beyond what is sent. */
const ASKED = [...ATTRIBUTES, 'email', 'cio_id', 'first_seen_at'] as const;

const text = fc.constantFrom('', 'a', 'ab', 'A', '5', 'é', '\ud83d\ude00', '\uff5e', "it's \\ 100%");
const number = fc.constantFrom(-1, 0, 0.1, 1, 5, 1e21, 1_767_000_000, 1_767_614_400);
const scalar = fc.oneof(text, number, fc.boolean());
const timeText = fc.constantFrom(
  '2026-01-05',
  '2026-01-05T12:00:00Z',
  '2026-02-30',
  '2026-01-01T00:00:00.5+02:00',
);
/** At the border of what a pattern sees, in code points. */
const longText = fc.constantFrom(
  ...[999, 1_000].flatMap((times) => [`${'\u{1f600}'.repeat(times)}b`, `b${'é'.repeat(times)}a`]),
);
const shortValue = [
  scalar,
  timeText,
  fc.constant(null),
  fc.array(scalar, { maxLength: 3 }),
  fc.record({ total: scalar }),
];
export const jsonValue = fc.oneof(...shortValue, longText);

export const properties = fc.dictionary(fc.constantFrom(...PROPERTIES), jsonValue, { maxKeys: 4 });
/** Values that a person keeps: a longer one is left out, which is not a rule's matter. */
export const attributes = fc.dictionary(fc.constantFrom(...ATTRIBUTES), fc.oneof(...shortValue), {
  maxKeys: 3,
});

const duration = fc.constantFrom('PT1S', 'PT1M', 'PT30M', 'PT1H', 'P1D', 'P7D', 'P30D');
const pattern = fc.constantFrom('a', '^a', 'b$', '^[0-9]+$', '(?i)a', '.', '^$', "'s \\\\");

interface CheckJson {
  readonly operator: string;
  readonly value?: unknown;
}
/** An operator with a value that suits it. */
const check = fc.constantFrom(...operators).chain((operator): fc.Arbitrary<CheckJson> => {
  switch (operator) {
    case 'exists':
    case 'not_exists':
    case 'is_timestamp':
      return fc.constant({ operator });
    case 'eq':
    case 'neq':
    case 'contains':
    case 'not_contains':
      return fc.record({ operator: fc.constant(operator), value: scalar });
    case 'starts_with':
    case 'ends_with':
      return fc.record({ operator: fc.constant(operator), value: text });
    case 'matches':
      return fc.record({ operator: fc.constant(operator), value: pattern });
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return fc.record({ operator: fc.constant(operator), value: fc.oneof(number, text) });
    case 'in':
    case 'not_in':
      return fc.record({
        operator: fc.constant(operator),
        value: fc.array(scalar, { minLength: 1, maxLength: 3 }),
      });
    default:
      return fc.record({ operator: fc.constant(operator), value: duration });
  }
});

const test = fc
  .tuple(fc.constantFrom(...PROPERTIES), check)
  .map(([property, rest]) => ({ property, ...rest }));
const count = fc.oneof(
  fc.integer({ min: 1, max: 4 }).map((n) => ({ at_least: n })),
  fc.integer({ min: 0, max: 3 }).map((n) => ({ at_most: n })),
  fc.integer({ min: 1, max: 3 }).map((n) => ({ distinct: 'sku', at_least: n })),
);

export const eventCondition = fc.record(
  {
    event: fc.constantFrom(...EVENT_NAMES),
    type: fc.constantFrom(...TYPES),
    where: fc.array(test, { maxLength: 2 }),
    count,
    within: duration,
  },
  { requiredKeys: ['event'] },
);
export const attributeCondition = fc
  .tuple(fc.constantFrom(...ASKED), check)
  .map(([attribute, rest]) => ({ attribute, ...rest }));

/** JSON of a condition of events and attributes. */
export const condition: fc.Arbitrary<unknown> = fc.letrec<{ condition: unknown }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    eventCondition,
    attributeCondition,
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    tie('condition').map((not) => ({ not })),
  ),
})).condition;

/** What happens, with its distance in time from what came before: often within a window's border. */
export const happening = fc.record({
  afterMs: fc.constantFrom(0, 1, 999, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 604_800_000),
  /** How much older than its receipt the event says it is; negative: from the future. */
  ageMs: fc.constantFrom(0, 0, 0, 1_000, 60_000, 3_600_000, 86_400_001, -60_000),
  type: fc.constantFrom(...TYPES, 'identify' as const),
  name: fc.constantFrom(...EVENT_NAMES, 'Other'),
  properties,
  attributes,
});
export type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;
