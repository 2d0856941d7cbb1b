/** Bodies of the Pipelines API, as far as they are read. Unknown members are ignored. */
import Type, { type Static, type TProperties } from 'typebox';
import { splitAnonymousIdsMax, splitIdentifiersMax } from './limits.ts';
import { REPEATS } from './repeats.ts';

const absent = Type.Null();
const Id = Type.Optional(Type.Union([Type.String(), Type.Number(), absent]));
const Bag = Type.Optional(Type.Union([Type.Object({}), absent]));

function call<const Members extends TProperties>(members: Members, description: string) {
  return Type.Object(
    {
      userId: Id,
      anonymousId: Id,
      messageId: Type.Optional(Type.Unknown({ description: REPEATS })),
      timestamp: Type.Optional(Type.Unknown({ description: 'ISO 8601.' })),
      context: Bag,
      writeKey: Type.Optional(Type.Unknown({ description: 'Browsers send the key here, not in a header.' })),
      ...members,
    },
    { description },
  );
}

export const Identify = call({ traits: Bag }, 'Names a person; claims the anonymousId.');
export const Track = call({ event: Type.String(), properties: Bag }, 'Something a visitor or person did.');
export const Page = call({ name: Type.Optional(Type.Unknown()), properties: Bag }, 'A page that was seen.');
export const Screen = call(
  { name: Type.Optional(Type.Unknown()), properties: Bag },
  'A screen that was seen.',
);
export const Alias = call(
  { previousId: Type.Union([Type.String(), Type.Number()]) },
  'previousId, an anonymous id or a person, becomes part of userId.',
);
export const Group = call(
  { groupId: Type.Union([Type.String(), Type.Number()]), traits: Bag },
  'Who belongs to an object. traits are the object’s, but for object_type_id and relationshipAttributes.',
);
export type Identify = Static<typeof Identify>;
export type Track = Static<typeof Track>;
export type Page = Static<typeof Page>;
export type Alias = Static<typeof Alias>;

/** `POST /v1/batch`. `context` holds for the calls that bring none. */
export const Batch = Type.Object({
  batch: Type.Array(Type.Unknown(), { description: 'Calls, each with its type.' }),
  context: Bag,
  writeKey: Type.Optional(Type.Unknown()),
});
export type Batch = Static<typeof Batch>;

/** `POST /v1/people/{id}/split`, with the app key. */
export const Split = Type.Object(
  {
    anonymous_ids: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { maxItems: splitAnonymousIdsMax }),
    ),
    identifiers: Type.Optional(
      Type.Array(
        Type.Union([
          Type.String({ minLength: 1, description: 'Its kind follows from its shape.' }),
          Type.Object(
            {
              kind: Type.Union([Type.Literal('id'), Type.Literal('email')]),
              value: Type.String({ minLength: 1 }),
            },
            { additionalProperties: false },
          ),
        ]),
        { maxItems: splitIdentifiersMax },
      ),
    ),
    into: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), absent], { description: 'null: a new person.' }),
    ),
    by: Type.String({ minLength: 1, description: 'Who asks.' }),
    why: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false, description: 'Takes a mistaken merge apart.' },
);
export type Split = Static<typeof Split>;
