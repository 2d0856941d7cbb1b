/** Bodies of our own App API: workspaces and the test clock. Definitions have their schemas in services/rules. */
import { reasons, type Reason } from '../reasons.ts';
import { faultCodes, type FaultCode } from './fault-codes.ts';
import Type, { type Static } from 'typebox';
import { attributeNameBytesMax, eventNameBytesMax, patternCharsMax } from './limits.ts';

const closed = { additionalProperties: false } as const;
export const illegalPatternsMax = 100;
export const flaggedPatternsMax = 20;
const DAY_MS = 86_400_000;
const windowMsMax = 366 * DAY_MS;
const countMax = 1_000_000;

const CountIn = Type.Union([
  Type.Object(
    {
      at_most: Type.Integer({ minimum: 1, maximum: countMax }),
      within_ms: Type.Integer({ minimum: 1, maximum: windowMsMax }),
    },
    closed,
  ),
  Type.Null(),
]);

const rateMax = 1_000_000_000;
const quotaBytesMax = 2 ** 50;
const QuotaIn = Type.Union([Type.Integer({ minimum: 1, maximum: quotaBytesMax }), Type.Null()]);
const RateIn = Type.Union([
  Type.Object(
    {
      per_second: Type.Number({ exclusiveMinimum: 0, maximum: rateMax }),
      burst: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: rateMax,
          description: 'What may come at once; without it as much as in a second.',
        }),
      ),
    },
    closed,
  ),
  Type.Null(),
]);

const eventName = Type.String({ minLength: 1, maxLength: eventNameBytesMax });
const propertyName = Type.String({ minLength: 1, maxLength: attributeNameBytesMax });
export const eventNamesMax = 200;
export const spellingsMax = 50;
export const identifyMomentsMax = 20;
export const schemaFieldsMax = 100;

const EventNames = Type.Object(
  {
    preset: Type.Optional(
      Type.Union([Type.Literal('storefront'), Type.Null()], {
        description: 'storefront: the usual names of the steps to an order are one name each.',
      }),
    ),
    names: Type.Optional(
      Type.Record(eventName, Type.Array(eventName, { maxItems: spellingsMax }), {
        maxProperties: eventNamesMax,
        description: 'By the name that is kept: other names of the same event. Spelling does not matter.',
      }),
    ),
  },
  closed,
);

const IdentifyMoment = Type.Object(
  {
    event: eventName,
    property: propertyName,
    kind: Type.Union([Type.Literal('id'), Type.Literal('email'), Type.Literal('phone')]),
  },
  closed,
);

const EventSchema = Type.Object(
  {
    required: Type.Optional(Type.Array(propertyName, { maxItems: schemaFieldsMax })),
    types: Type.Optional(
      Type.Record(
        propertyName,
        Type.Union(
          (['text', 'number', 'boolean', 'object', 'list'] as const).map((type) => Type.Literal(type)),
        ),
        { maxProperties: schemaFieldsMax },
      ),
    ),
  },
  closed,
);

/** What waits in a browser for consent, at most. */
export const consentEventsMax = 1_000;
export const consentDaysMax = 90;

const ConsentIn = Type.Object(
  {
    required: Type.Optional(Type.Boolean()),
    events_max: Type.Optional(Type.Integer({ minimum: 1, maximum: consentEventsMax })),
    days_max: Type.Optional(Type.Integer({ minimum: 1, maximum: consentDaysMax })),
  },
  {
    ...closed,
    description: 'required: pages send nothing of a visitor before consent; so many events and days wait.',
  },
);

function patternsOf(maxItems: number, description: string) {
  const pattern = Type.String({ minLength: 1, maxLength: patternCharsMax });
  return Type.Optional(Type.Array(pattern, { maxItems, description }));
}

/** `PUT /v1/workspaces/{name}`: what is left out has its default (services/runtime/workspace-settings.ts). */
export const WorkspaceSettingsBody = Type.Object(
  {
    anonymous_event_merge: Type.Optional(Type.Boolean()),
    auto_merge: Type.Optional(Type.Boolean()),
    guards: Type.Optional(
      Type.Object(
        {
          illegal_identifiers: Type.Optional(Type.Boolean()),
          illegal_patterns: patternsOf(
            illegalPatternsMax,
            'Patterns of RE2 syntax that no identifier may match.',
          ),
          flagged_patterns: patternsOf(
            flaggedPatternsMax,
            'Patterns of identifiers that are taken, and that the merge report tells of.',
          ),
          anonymous_ids_per_person: Type.Optional(CountIn),
          people_per_anonymous_id: Type.Optional(CountIn),
          merges_per_minute: Type.Optional(
            Type.Union([Type.Integer({ minimum: 1, maximum: countMax }), Type.Null()]),
          ),
        },
        closed,
      ),
    ),
    update_email_by_id: Type.Optional(
      Type.Boolean({ description: 'An identify by id changes an email that is set; off: only by cio_id.' }),
    ),
    canonical_identifier: Type.Optional(
      Type.Union([Type.Literal('id'), Type.Literal('email'), Type.Literal('phone')], {
        description: 'phone: a phone alone names somebody, in E.164.',
      }),
    ),
    phone_country: Type.Optional(
      Type.Union([Type.String({ pattern: '^[A-Z]{2}$' }), Type.Null()], {
        description: 'ISO 3166-1 of phone numbers without a country code.',
      }),
    ),
    identify_moments: Type.Optional(
      Type.Array(IdentifyMoment, {
        maxItems: identifyMomentsMax,
        description: 'Events of visitors that identify by one of their properties.',
      }),
    ),
    event_names: Type.Optional(EventNames),
    normalise_items: Type.Optional(
      Type.Boolean({ description: 'items, products, line_items and skus become one list items.' }),
    ),
    event_schemas: Type.Optional(
      Type.Record(eventName, EventSchema, {
        maxProperties: eventNamesMax,
        description: 'What properties of events are to be. What is not so is in the schema report.',
      }),
    ),
    bot_events_wait: Type.Optional(
      Type.Boolean({
        description: 'off: what bots do, by their user agents, waits for nobody and stays anonymous.',
      }),
    ),
    browser_keys_may_delete: Type.Optional(Type.Boolean()),
    browser_keys_may_suppress: Type.Optional(Type.Boolean({ description: 'And unsuppress.' })),
    browser_keys_may_alias: Type.Optional(
      Type.Boolean({ description: 'Make a visitor or a person part of another.' }),
    ),
    rate_limits: Type.Optional(
      Type.Object(
        {
          key_calls: Type.Optional(RateIn),
          key_bytes: Type.Optional(RateIn),
          workspace_calls: Type.Optional(RateIn),
          workspace_bytes: Type.Optional(RateIn),
        },
        {
          ...closed,
          description:
            'Of each key, and of all keys of the workspace together, at each gateway. Over it: 429.',
        },
      ),
    ),
    quotas: Type.Optional(
      Type.Object(
        { hour_bytes: Type.Optional(QuotaIn), day_bytes: Type.Optional(QuotaIn) },
        {
          ...closed,
          description:
            'Bytes that its calls may bring, as the log keeps them, in an hour and on a day (UTC), at each gateway. Over it: 429.',
        },
      ),
    ),
    consent: Type.Optional(ConsentIn),
    global_holdout: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Share of people whom every journey leaves out for comparison.',
      }),
    ),
  },
  closed,
);
export type WorkspaceSettingsBody = Static<typeof WorkspaceSettingsBody>;

/** `PUT /v1/test-clock`. */
export const TestClockBody = Type.Object(
  { now: Type.String({ maxLength: 64, description: 'ISO 8601.' }) },
  closed,
);
export type TestClockBody = Static<typeof TestClockBody>;

/** What has not taken a definition or a setting that is stored. */
export const Behind = Type.Object({
  service: Type.String(),
  task: Type.Optional(Type.Integer({ description: 'Absent where it is the service as a whole.' })),
  what: Type.String({ description: 'How far it is, or why that is not known.' }),
});
export type Behind = Static<typeof Behind>;

/** What a fault of a definition or of settings looks like. */
export const Fault = Type.Object({
  pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the body.' }),
  code: Type.Unsafe<FaultCode | Reason>({
    type: 'string',
    enum: [...new Set([...Object.keys(faultCodes), ...Object.keys(reasons)])],
  }),
  message: Type.String(),
});
export type Fault = Static<typeof Fault>;

/** Of a key, for whoever reads a list of them. */
export const keyNameCharsMax = 100;
export const rotationValidSMax = 30 * 86_400;
export const rotationValidSUsual = 86_400;

/** `POST /v1/keys`. */
export const KeyBody = Type.Object(
  {
    kind: Type.Union(
      (['browser', 'server', 'track', 'app', 'admin'] as const).map((kind) => Type.Literal(kind)),
      {
        description:
          'browser: for pages, public; server: Pipelines; track: Track; app: definitions, keys and reports of a workspace; admin: all workspaces.',
      },
    ),
    name: Type.String({ minLength: 1, maxLength: keyNameCharsMax }),
  },
  closed,
);
export type KeyBody = Static<typeof KeyBody>;

/** `POST /v1/keys/{id}/rotate`; also an empty body. */
export const RotationBody = Type.Object(
  {
    old_valid_s: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: rotationValidSMax,
        description: 'For so many seconds the old key works beside the new one; without it a day.',
      }),
    ),
  },
  closed,
);
export type RotationBody = Static<typeof RotationBody>;
