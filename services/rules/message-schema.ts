/**
 * The published JSON Schema of on-site messages. parse-message.ts is what decides and explains; this is for editors and
 * for the API's documentation, and a test keeps the two in agreement. What it does not say: which place belongs to which
 * kind, that a text is Liquid that can be read, and that an audience asks for no segment and no object.
 */
import Type from 'typebox';
import { textCharsMax } from './limits.ts';
import {
  actionsMax,
  bodyCharsMax,
  contentKinds,
  exposureCapMax,
  formFieldsMax,
  htmlCharsMax,
  messageStates,
  pageRuleCharsMax,
  pageRulesMax,
  positions,
  priorityMax,
  snoozeMinutesMax,
  suppressMax,
  variantsMax,
  variantWeightMax,
} from './message.ts';
import { closed, condition, description, duration, matchers, text } from './schema.ts';

const oneOf = <Name extends string>(names: readonly Name[]) =>
  Type.Union(names.map((name) => Type.Literal(name)));
const textOf = (charsMax: number) =>
  Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: charsMax }), Type.Null()]));
const times = Type.Integer({ minimum: 1, maximum: exposureCapMax });
const time = Type.Optional(
  Type.Union([
    Type.String({
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d)$',
    }),
    Type.Null(),
  ]),
);

const action = Type.Object(
  {
    name: text,
    label: text,
    url: textOf(textCharsMax),
    close: Type.Optional(Type.Boolean()),
    snooze: Type.Optional(Type.Integer({ minimum: 1, maximum: snoozeMinutesMax, description: 'Minutes.' })),
  },
  closed,
);
const field = Type.String({
  pattern: '^[a-z][a-z0-9_]{0,49}$',
  description: 'email, phone, name, first_name and last_name identify; all others are answers',
});
const content = Type.Object(
  {
    kind: oneOf(contentKinds),
    position: Type.Optional(oneOf(positions)),
    element: Type.Optional(
      Type.String({ ...text, description: 'CSS id or selector; of inline and tooltip.' }),
    ),
    title: textOf(textCharsMax),
    body: textOf(bodyCharsMax),
    html: textOf(htmlCharsMax),
    coupon: textOf(textCharsMax),
    actions: Type.Optional(Type.Array(action, { maxItems: actionsMax })),
    form: Type.Optional(
      Type.Object(
        { fields: Type.Array(field, { minItems: 1, maxItems: formFieldsMax }), submit: text },
        closed,
      ),
    ),
  },
  { ...closed, description: 'Texts are Liquid over items, last_item, cart and visitor.' },
);

const page = Type.String({ minLength: 1, maxLength: pageRuleCharsMax, description: '* is any text.' });
const variant = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,100}$' }),
    weight: Type.Integer({ minimum: 1, maximum: variantWeightMax }),
    content,
  },
  closed,
);
const variants = Type.Array(variant, { minItems: 1, maxItems: variantsMax });

const common = {
  name: text,
  description,
  state: oneOf(messageStates),
  audience: Type.Optional(Type.Union([condition, Type.Null()])),
  pages: Type.Optional(
    Type.Array(Type.Union([Type.Object({ contains: page }, closed), Type.Object({ equals: page }, closed)]), {
      maxItems: pageRulesMax,
    }),
  ),
  frequency: Type.Optional(
    Type.Union([
      Type.Object({ mode: oneOf(['until_interacted', 'once', 'always']) }, closed),
      Type.Object({ times, gap: Type.Optional(duration) }, closed),
    ]),
  ),
  caps: Type.Optional(
    Type.Object(
      {
        session: Type.Optional(times),
        day: Type.Optional(times),
        gap: Type.Optional(duration),
        group: Type.Optional(text),
      },
      closed,
    ),
  ),
  suppress: Type.Optional(
    Type.Array(Type.Union(matchers.map((each) => Type.Object({ ...each, within: duration }, closed))), {
      maxItems: suppressMax,
    }),
  ),
  schedule: Type.Optional(Type.Object({ from: time, until: time }, closed)),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: priorityMax })),
  holdout: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  conversion: Type.Optional(
    Type.Union(matchers.map((each) => Type.Object({ ...each, within: Type.Optional(duration) }, closed))),
  ),
};

export const messageSchema = Type.Union([
  Type.Object({ ...common, content }, closed),
  Type.Object({ ...common, variants }, closed),
]);
