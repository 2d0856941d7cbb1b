/** Bodies of our own App API: workspaces and the test clock. Definitions have their schemas in services/rules. */
import { reasons, type Reason } from '../reasons.ts';
import { faultCodes, type FaultCode } from './fault-codes.ts';
import Type, { type Static } from 'typebox';
import { patternCharsMax } from './limits.ts';

const closed = { additionalProperties: false } as const;
export const illegalPatternsMax = 100;
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

/** `PUT /v1/workspaces/{name}`: what is left out has its default (services/runtime/workspace-settings.ts). */
export const WorkspaceSettingsBody = Type.Object(
  {
    anonymous_event_merge: Type.Optional(Type.Boolean()),
    auto_merge: Type.Optional(Type.Boolean()),
    guards: Type.Optional(
      Type.Object(
        {
          illegal_identifiers: Type.Optional(Type.Boolean()),
          illegal_patterns: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: patternCharsMax }), {
              maxItems: illegalPatternsMax,
              description: 'Patterns of RE2 syntax that no identifier may match.',
            }),
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
    canonical_identifier: Type.Optional(Type.Union([Type.Literal('id'), Type.Literal('email')])),
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
