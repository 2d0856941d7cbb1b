/** Conditions and events for property tests: a small world, so that they meet often. */
import fc from 'fast-check';
import { DEVICE_GONE, DEVICE_TOLD } from '../rules/device-names.ts';
import { deviceIn } from '../rules/devices.ts';
import { operators, type Operator } from '../rules/condition.ts';
import type { RuleEvent } from '../rules/matching.ts';
import { parseJsonObject } from '../rules/paths.ts';
import { NAME_OPERATORS } from '../rules/parse-matcher.ts';
import { ExactNumber } from '../runtime/exact-json.ts';

export const EVENT_NAMES = ['A', 'B', 'ab?q=é#x'] as const;
const TYPES = ['event', 'page', 'screen'] as const;
const PROPERTIES = ['sku', 'price', 'cart', 'cart.total', 'tags', 'when', 'address', 'bot'] as const;
const OBJECT_TYPES = ['1', '2'] as const;
const OBJECT_IDS = ['acme', 'course'] as const;
const OBJECT_ATTRIBUTES = ['role', 'since', 'seats'] as const;
const ATTRIBUTES = ['plan', 'age', 'tags', 'renews', 'created_at', 'createdAt'] as const;
/** What conditions may ask for beyond what is sent. */
const ASKED = [...ATTRIBUTES, 'email', 'cio_id', 'first_seen_at'] as const;

const text = fc.constantFrom('', 'a', 'ab', 'A', '5', 'é', '\ud83d\ude00', '\uff5e', "it's \\ 100%");
/** Neighbours that one double stands for, and what no double holds. */
const exact = fc
  .constantFrom(
    '9007199254740993',
    '9007199254740993.0',
    '-9007199254740993',
    '9007199254740995',
    '123456789012345678901234567890',
    '0.1000000000000000055',
    '1767000000.0000000000001',
    '1e400',
    '-1e400',
    '1e-400',
  )
  .map((digits) => new ExactNumber(digits));
const double = fc.constantFrom(-1, 0, 0.1, 1, 5, 1e21, 9007199254740992, 1_767_000_000, 1_767_614_400);
const number = fc.oneof({ weight: 3, arbitrary: double }, { weight: 1, arbitrary: exact });
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

const DURATIONS = ['PT1S', 'PT1M', 'PT30M', 'PT1H', 'P1D', 'P7D', 'P30D'] as const;
const duration = fc.constantFrom(...DURATIONS);
const pattern = fc.constantFrom('a', '^a', 'b$', '^[0-9]+$', '(?i)a', '.', '^$', "'s \\\\");

interface CheckJson {
  readonly operator: string;
  readonly value?: unknown;
}
/** An operator with a value that suits it. */
function checkOf(names: readonly Operator[], value: fc.Arbitrary<unknown>): fc.Arbitrary<CheckJson> {
  return fc.constantFrom(...names).chain((operator): fc.Arbitrary<CheckJson> => {
    const withValue = (arbitrary: fc.Arbitrary<unknown>) =>
      arbitrary.map((operand) => ({ operator, value: operand }));
    switch (operator) {
      case 'exists':
      case 'not_exists':
      case 'is_timestamp':
        return fc.constant({ operator });
      case 'eq':
      case 'neq':
      case 'contains':
      case 'not_contains':
        return withValue(value);
      case 'starts_with':
      case 'ends_with':
        return withValue(text);
      case 'matches':
        return withValue(pattern);
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        return withValue(fc.oneof(number, text));
      case 'in':
      case 'not_in':
        return withValue(fc.array(value, { minLength: 1, maxLength: 3 }));
      default:
        return withValue(duration);
    }
  });
}
const check = checkOf(operators, scalar);

const test = fc
  .tuple(fc.constantFrom(...PROPERTIES), check)
  .map(([property, rest]) => ({ property, ...rest }));
const upTo = (max: number) =>
  fc.oneof(
    fc.integer({ min: 1, max: max + 1 }).map((n) => ({ at_least: n })),
    fc.integer({ min: 0, max }).map((n) => ({ at_most: n })),
  );
const distinct = fc
  .tuple(fc.constantFrom('sku', 'price', 'address'), upTo(2))
  .map(([path, bound]) => ({ distinct: path, ...bound }));
const count = fc.oneof(upTo(3), distinct);

const nameText = fc.oneof(fc.constantFrom(...EVENT_NAMES), text);
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(...EVENT_NAMES) },
  { weight: 1, arbitrary: checkOf(NAME_OPERATORS, nameText) },
);
const where = fc.array(test, { maxLength: 2 });
const named = fc.record({ event: name, type: fc.constantFrom(...TYPES), where }, { requiredKeys: ['event'] });
const nameless = fc.record({ type: fc.constantFrom(...TYPES), where }, { requiredKeys: ['type'] });
/** Two events that meet often: tests of properties make most of them rare. */
const plain = fc.record({ event: fc.constantFrom(...EVENT_NAMES) });
const matcher = fc.oneof(plain, named, nameless);

export const eventCondition = fc
  .tuple(fc.oneof(named, nameless), fc.record({ count, within: duration }, { requiredKeys: [] }))
  .map(([what, rest]) => ({ ...what, ...rest }));

const LONGER = {
  PT1S: 'PT1M',
  PT1M: 'PT30M',
  PT30M: 'PT1H',
  PT1H: 'P1D',
  P1D: 'P7D',
  P7D: 'P30D',
  P30D: 'P60D',
};
/** How long nothing may come, and now and then a window that is longer. */
const without = fc
  .tuple(matcher, fc.constantFrom(...DURATIONS), fc.boolean())
  .map(([what, time, isBounded]) => ({
    without: what,
    for: time,
    ...(isBounded ? { within: LONGER[time] } : {}),
  }));
export const stallCondition = fc
  .tuple(matcher, without, fc.record({ rearm: fc.constantFrom('restart', 'ignore') }, { requiredKeys: [] }))
  .map(([what, rest, rearm]) => ({ ...what, ...rest, ...rearm }));
export const sequenceCondition = fc
  .tuple(
    fc.array(matcher, { minLength: 2, maxLength: 4 }),
    fc.oneof(
      fc.constant({}),
      duration.map((within) => ({ within })),
      without,
    ),
  )
  .map(([sequence, rest]) => ({ sequence, ...rest }));
export const attributeCondition = fc
  .tuple(fc.constantFrom(...ASKED), check)
  .map(([attribute, rest]) => ({ attribute, ...rest }));
const objectTest = fc
  .tuple(fc.constantFrom(...OBJECT_ATTRIBUTES), check)
  .map(([property, rest]) => ({ property, ...rest }));
export const relationshipCondition = fc.record(
  {
    relationship: fc.constantFrom(...OBJECT_TYPES),
    id: fc.constantFrom(...OBJECT_IDS),
    where: fc.array(objectTest, { maxLength: 1 }),
    object: fc.array(objectTest, { maxLength: 1 }),
    count: upTo(2),
  },
  { requiredKeys: ['relationship'] },
);
const deviceTest = fc
  .tuple(fc.constantFrom('token', 'platform', 'last_used', 'app', 'app.build'), check)
  .map(([property, rest]) => ({ property, ...rest }));
export const deviceCondition = fc
  .record(
    { where: fc.array(deviceTest, { maxLength: 1 }), count: upTo(2), within: duration },
    { requiredKeys: [] },
  )
  .map((rest) => ({ device: true, ...rest }));
const agedNot = fc
  .tuple(eventCondition, duration)
  .map(([not, within]) => ({ not: { ...not, within }, age: 'required' }));

/** JSON of a condition of every kind but a reference to a segment. */
export const condition: fc.Arbitrary<unknown> = fc.letrec<{ condition: unknown }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    eventCondition,
    stallCondition,
    sequenceCondition,
    attributeCondition,
    relationshipCondition,
    deviceCondition,
    agedNot,
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    tie('condition').map((not) => ({ not })),
  ),
})).condition;

const related = fc.record({
  action: fc.constantFrom('add', 'add', 'delete'),
  relationships: fc.array(
    fc.record({
      object_type_id: fc.constantFrom(...OBJECT_TYPES),
      object_id: fc.constantFrom(...OBJECT_IDS),
      attributes: fc.dictionary(fc.constantFrom(...OBJECT_ATTRIBUTES), jsonValue, { maxKeys: 2 }),
      object_attributes: fc.dictionary(fc.constantFrom(...OBJECT_ATTRIBUTES), jsonValue, { maxKeys: 2 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

/** What a client says of a device; null: it says nothing of it, as an event of that name by another sender. */
const deviceTold = fc.record({
  isGone: fc.constantFrom(false, false, true),
  device: fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    {
      weight: 9,
      arbitrary: fc.record(
        {
          token: fc.constantFrom<unknown>('a', 'ab', 'é', '', 5),
          type: fc.constantFrom('ios', 'android', 'a'),
          last_used: jsonValue,
        },
        { requiredKeys: ['token', 'type'] },
      ),
    },
  ),
  attributes: fc.dictionary(fc.constantFrom('app', 'app.build', 'token'), jsonValue, { maxKeys: 2 }),
});

/** What happens, with its distance in time from what came before: often within a window's border. */
export const happening = fc.record({
  afterMs: fc.constantFrom(0, 1, 999, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 604_800_000),
  /** How much older than its receipt the event says it is; negative: from the future. */
  ageMs: fc.constantFrom(0, 0, 0, 0, 1_000, 60_000, 3_600_000, 86_400_001, 691_200_000, -60_000),
  type: fc.constantFrom(...TYPES, ...TYPES, 'identify' as const, 'relate' as const, 'device' as const),
  /** null: of pages and screens only. */
  name: fc.constantFrom(...EVENT_NAMES, ...EVENT_NAMES, 'Other', null),
  properties,
  attributes,
  related,
  deviceTold,
  bot: fc.boolean(),
});
export type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** A happening as the fields of an event, its properties as JSON text. */
export function fieldsOf({
  type,
  name,
  properties: sent,
  attributes: set,
  related: objects,
  deviceTold: { isGone, device, attributes: own },
  bot,
}: Happening) {
  if (type === 'identify') return { type, name: null, properties: JSON.stringify(set) };
  if (type === 'relate') return { type, name: null, properties: JSON.stringify(objects) };
  if (type === 'device') {
    const context = JSON.stringify(device === null ? {} : { device });
    const properties = JSON.stringify(own);
    return { type: 'event' as const, name: isGone ? DEVICE_GONE : DEVICE_TOLD, properties, context, bot };
  }
  return { type, name: type === 'event' ? (name ?? 'Other') : name, properties: JSON.stringify(sent), bot };
}

/** The same, as rules see it; undefined: it is none of the events that they count. */
export function seenOf(what: Happening): Omit<RuleEvent, 'time' | 'receivedAt' | 'messageId'> | undefined {
  const { type, name, properties: sent, context } = { context: null, ...fieldsOf(what) };
  if (type === 'identify' || type === 'relate') return undefined;
  return {
    type,
    name,
    properties: () => parseJsonObject(sent),
    isBot: () => what.bot,
    device: () => deviceIn(context),
  };
}
