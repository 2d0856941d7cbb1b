/**
 * The published JSON Schema of segments and journeys. parse.ts is what decides and explains; this is for editors and
 * for the API's documentation, and a property test keeps the two in agreement.
 */
import Type from 'typebox';
import { operators } from './condition.ts';
import {
  conditionsPerGroupMax,
  countMax,
  descriptionCharsMax,
  devicesMax,
  distinctMax,
  entriesPerPeriodMax,
  listValuesMax,
  sequenceStepsMax,
  testsPerEventMax,
  textCharsMax,
} from './limits.ts';
import { EVENT_TYPES, NAME_OPERATORS } from './parse-matcher.ts';

export const closed = { additionalProperties: false } as const;
export const text = Type.String({ minLength: 1, maxLength: textCharsMax });
export const duration = Type.String({
  pattern: '^P([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$',
  description: 'ISO 8601 of fixed length, for example PT10M, PT4H, P30D',
});
const scalar = Type.Union([Type.String({ maxLength: textCharsMax }), Type.Number(), Type.Boolean()]);
const operator = Type.Union(
  operators.map((name) => Type.Literal(name)),
  { description: 'matches takes a pattern of RE2 syntax; *_ago and *_from_now take a duration' },
);
const operand = Type.Optional(
  Type.Union([scalar, Type.Array(scalar, { minItems: 1, maxItems: listValuesMax })]),
);

const test = Type.Object({ property: text, operator, value: operand }, closed);
const count = Type.Union([
  Type.Object({ at_least: Type.Integer({ minimum: 1, maximum: countMax }) }, closed),
  Type.Object({ at_most: Type.Integer({ minimum: 0, maximum: countMax }) }, closed),
  Type.Object({ distinct: text, at_least: Type.Integer({ minimum: 1, maximum: distinctMax }) }, closed),
  Type.Object({ distinct: text, at_most: Type.Integer({ minimum: 0, maximum: distinctMax }) }, closed),
]);
const objectCount = Type.Union([
  Type.Object({ at_least: Type.Integer({ minimum: 1, maximum: countMax }) }, closed),
  Type.Object({ at_most: Type.Integer({ minimum: 0, maximum: countMax }) }, closed),
]);
const deviceCount = Type.Union([
  Type.Object({ at_least: Type.Integer({ minimum: 1, maximum: devicesMax - 1 }) }, closed),
  Type.Object({ at_most: Type.Integer({ minimum: 0, maximum: devicesMax - 1 }) }, closed),
]);
const eventType = Type.Optional(
  Type.Union([Type.Literal('event'), Type.Literal('page'), Type.Literal('screen')]),
);
const where = Type.Optional(Type.Array(test, { maxItems: testsPerEventMax }));
const textOperand = Type.String({ maxLength: textCharsMax });
const name = Type.Union([
  text,
  Type.Object({ operator: Type.Literal('exists') }, { ...closed, description: 'Any name.' }),
  Type.Object(
    {
      operator: Type.Union(NAME_OPERATORS.filter((one) => one !== 'exists').map((one) => Type.Literal(one))),
      value: Type.Union([textOperand, Type.Array(textOperand, { minItems: 1, maxItems: listValuesMax })]),
    },
    closed,
  ),
]);
const named = { event: name, type: eventType, where };
/** Of one kind the name may be left out. */
const nameless = { type: Type.Union(EVENT_TYPES.map((one) => Type.Literal(one))), where };
/** The members of both kinds of matcher. */
export const matchers = [named, nameless] as const;
const matcher = Type.Union([Type.Object(named, closed), Type.Object(nameless, closed)]);
const within = Type.Optional(duration);
const counted = { count: Type.Optional(count), within };
const stall = {
  without: matcher,
  for: duration,
  rearm: Type.Optional(Type.Union([Type.Literal('restart'), Type.Literal('ignore')])),
};
const steps = Type.Array(matcher, { minItems: 2, maxItems: sequenceStepsMax });

const again = Type.Ref('Condition');
const group = Type.Array(again, { minItems: 1, maxItems: conditionsPerGroupMax });
export const condition = Type.Cyclic(
  {
    Condition: Type.Union([
      Type.Object({ all: group }, closed),
      Type.Object({ any: group }, closed),
      Type.Object({ not: again, age: Type.Optional(Type.Literal('required')) }, closed),
      Type.Object({ ...named, ...counted }, closed),
      Type.Object({ ...nameless, ...counted }, closed),
      Type.Object({ ...named, ...stall, within }, closed),
      Type.Object({ ...nameless, ...stall, within }, closed),
      Type.Object({ sequence: steps, within }, closed),
      Type.Object({ sequence: steps, within, without: matcher, for: duration }, closed),
      Type.Object({ attribute: text, operator, value: operand }, closed),
      Type.Object(
        {
          relationship: text,
          id: Type.Optional(text),
          where,
          object: where,
          count: Type.Optional(objectCount),
        },
        closed,
      ),
      Type.Object(
        { device: Type.Literal(true), where, count: Type.Optional(deviceCount), within },
        { ...closed, description: 'Tests are of token, platform, last_used, or attributes of the device.' },
      ),
      Type.Object({ segment: text }, closed),
    ]),
  },
  'Condition',
);

const change = Type.Union(
  ['entered', 'left', 'enter', 'leave'].map((one) => Type.Literal(one)),
  { description: 'As the trace and the topic say it; enter and leave are other spellings of the same.' },
);
export const description = Type.Optional(
  Type.Union([Type.String({ maxLength: descriptionCharsMax }), Type.Null()]),
);

export const segmentSchema = Type.Union([
  Type.Object({ name: text, description, type: Type.Literal('data_driven'), when: condition }, closed),
  Type.Object({ name: text, description, type: Type.Literal('manual') }, closed),
]);

export const journeySchema = Type.Object(
  {
    name: text,
    description,
    state: Type.Union([Type.Literal('draft'), Type.Literal('running'), Type.Literal('stopped')]),
    trigger: Type.Union([
      Type.Object(named, closed),
      Type.Object(nameless, closed),
      Type.Object({ ...named, ...stall }, closed),
      Type.Object({ ...nameless, ...stall }, closed),
      Type.Object({ segment: text, on: change }, closed),
      Type.Object({ identified: Type.Literal(true) }, closed),
    ]),
    filters: Type.Optional(condition),
    frequency: Type.Optional(
      Type.Union([
        Type.Object({ mode: Type.Literal('once') }, closed),
        Type.Object({ mode: Type.Literal('every_rematch'), gap: Type.Optional(duration) }, closed),
        Type.Object({ mode: Type.Literal('interval'), every: duration }, closed),
        Type.Object(
          {
            mode: Type.Literal('at_most'),
            times: Type.Integer({ minimum: 1, maximum: entriesPerPeriodMax }),
            per: duration,
          },
          closed,
        ),
      ]),
    ),
    key: Type.Optional(text),
    holdout: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    include_current: Type.Optional(Type.Union([Type.Boolean(), Type.Literal('as_of_trigger')])),
  },
  closed,
);
