/** Bodies of the Track API, v1 and v2, as far as they are read. Unknown members are kept as data or ignored. */
import Type, { type Static } from 'typebox';
import { membershipIdsMax } from './limits.ts';
import { REPEATS } from './repeats.ts';

const absent = Type.Null();
const AnonymousId = Type.Union([Type.String(), Type.Number(), absent], {
  description: 'The visitor. On an identify it claims what the visitor did; on an event it rides along.',
});

/** `PUT /api/v1/customers/{identifier}`. */
export const TrackIdentify = Type.Object(
  {
    id: Type.Optional(Type.Union([Type.String(), absent])),
    email: Type.Optional(Type.Unknown({ description: 'Names the person if it has the shape of an email.' })),
    anonymous_id: Type.Optional(AnonymousId),
    created_at: Type.Optional(Type.Unknown({ description: 'Unix seconds.' })),
    _timestamp: Type.Optional(Type.Unknown({ description: 'Unix seconds; orders attribute updates.' })),
    _update: Type.Optional(Type.Unknown({ description: 'true: never creates a person.' })),
  },
  { description: 'Attributes of a person; every other member is an attribute too.' },
);
export type TrackIdentify = Static<typeof TrackIdentify>;

/** `POST /api/v1/customers/{identifier}/events` and `POST /api/v1/events`. */
export const TrackEvent = Type.Object({
  name: Type.String({ description: 'Trimmed; the URL for a page.' }),
  type: Type.Optional(Type.Unknown({ description: 'event, page or screen; anything else counts as event.' })),
  id: Type.Optional(Type.Unknown({ description: `Message id (ULID). ${REPEATS}` })),
  timestamp: Type.Optional(Type.Unknown({ description: 'Unix seconds.' })),
  data: Type.Optional(Type.Union([Type.Object({}), absent])),
  anonymous_id: Type.Optional(AnonymousId),
});
export type TrackEvent = Static<typeof TrackEvent>;

const Side = Type.Object({}, { description: 'Exactly one of id, email, cio_id.' });
/** `POST /api/v1/merge_customers`. */
export const TrackMerge = Type.Object({ primary: Side, secondary: Side });
export type TrackMerge = Static<typeof TrackMerge>;

/** `POST /api/v1/segments/{id}/add_customers` and `…/remove_customers`. */
export const TrackMembers = Type.Object({
  ids: Type.Array(Type.Unknown(), {
    minItems: 1,
    maxItems: membershipIdsMax,
    description: 'Identifiers of the kind that id_type names; others are ignored.',
  }),
});

/** One operation of `POST /api/v2/entity` and `/api/v2/batch`. */
export const TrackOperation = Type.Object({
  type: Type.String({
    description: 'person, object for itself and who belongs to it, or delivery for what became of one.',
  }),
  action: Type.String(),
  device: Type.Optional(
    Type.Union([Type.Object({}), absent], { description: 'add_device, delete_device: token, platform, …' }),
  ),
  identifiers: Type.Optional(Type.Union([Type.Object({}), absent])),
  attributes: Type.Optional(Type.Union([Type.Object({}), absent])),
  name: Type.Optional(Type.Unknown()),
  id: Type.Optional(Type.Unknown({ description: `Message id of an event. ${REPEATS}` })),
  timestamp: Type.Optional(Type.Unknown()),
  primary: Type.Optional(Side),
  secondary: Type.Optional(Side),
});
export type TrackOperation = Static<typeof TrackOperation>;

/** `POST /api/v2/batch`. */
export const TrackBatch = Type.Object({ batch: Type.Array(Type.Unknown()) });
export type TrackBatch = Static<typeof TrackBatch>;

const Name = Type.Union([Type.String(), Type.Number()]);
const When = Type.Optional(Type.Unknown({ description: 'Unix seconds.' }));

/** `PUT /api/v1/customers/{identifier}/devices`. */
export const TrackDevice = Type.Object({
  device: Type.Object(
    { id: Name, platform: Type.String({ description: 'ios or android.' }), last_used: When },
    { description: 'Its attributes stand under attributes or beside these.' },
  ),
});

/** `POST /api/v1/metrics`. */
export const TrackMetric = Type.Object({
  delivery_id: Name,
  metric: Type.String({
    description: 'opened, clicked, converted, delivered, bounced, deferred, dropped or spammed.',
  }),
  timestamp: When,
});

/** `POST /api/v1/cio_deliveries/events`. */
export const TrackDelivery = Type.Object({
  type: Type.Optional(Type.Unknown({ description: 'in_app.' })),
  payload: Type.Object({
    delivery_id: Name,
    event: Type.String({ description: 'As the metric of /api/v1/metrics.' }),
    timestamp: When,
    metadata: Type.Optional(Type.Unknown({ description: 'action_name and action_value of a click.' })),
  }),
});

/** `POST /api/v1/push/events`. */
export const TrackPush = Type.Object({
  delivery_id: Name,
  event: Type.String({ description: 'opened, converted or delivered.' }),
  device_id: Name,
  timestamp: When,
});

/** `POST /api/v1/forms/{form_id}/submit`. */
export const TrackForm = Type.Object({
  data: Type.Object({}, { description: 'Exactly one of id and email; the rest are attributes.' }),
});

/** `POST /unsubscribe/{delivery_id}`. */
export const TrackUnsubscribe = Type.Object({
  unsubscribe: Type.Boolean(),
  id: Type.Optional(
    Type.Unknown({ description: 'Ours: whose it is, by one of id, email and cio_id at most.' }),
  ),
  email: Type.Optional(Type.Unknown()),
  cio_id: Type.Optional(Type.Unknown()),
});
