/** Routes of Customer.io's App API (spec A.5), for the published OpenAPI document. */
import Type from 'typebox';
import type { RouteDescription } from './route-description.ts';

type AppRoute = Pick<RouteDescription, 'path' | 'summary'> & Partial<RouteDescription>;

const AppFaults = Type.Object({
  errors: Type.Array(Type.Object({ detail: Type.String(), status: Type.String() })),
});
const badCall = { 400: { description: 'The call breaks a rule; detail says which.', schema: AppFaults } };
const missing = { 404: { description: 'There is no such thing.', schema: AppFaults } };

const paged = [
  { name: 'start', description: 'The next of a page before.' },
  { name: 'limit', description: 'Rows of a page.' },
] as const;
const idType = { name: 'id_type', description: 'What {id} is: id (if not given), email or cio_id.' } as const;
const type = {
  name: 'type',
  description: 'One kind of activity, such as event or anonymous_data_merged.',
} as const;
const name = { name: 'name', description: 'Events of this name.' } as const;

function get({ path, summary, query, answers }: AppRoute): RouteDescription {
  return {
    method: 'get',
    path,
    summary,
    auth: 'app',
    answers: answers ?? { ...badCall, ...missing },
    ...(query && { query }),
  };
}

/** Any JSON: what is wrong with it is said in words. */
const ByFilter = Type.Object({
  filter: Type.Unknown({
    description:
      '{and: […]}, {or: […]}, {not: …}, {segment: {id}} or {attribute: {field, operator: "eq" or "exists", value}}.',
  }),
});
const ByIds = Type.Object({ ids: Type.Array(Type.Unknown()) });
const NewSegment = Type.Object({
  segment: Type.Object({ name: Type.Unknown(), description: Type.Optional(Type.Unknown()) }),
});

const days = { name: 'days', description: 'Of the last so many days: 1 to 31, 7 if not given.' } as const;

/** Ours: what to mend in what is sent. */
const reports: readonly RouteDescription[] = [
  get({
    path: '/v1/schema-report',
    summary: 'Names, properties and types of events, what breaks event_schemas, and what drifts.',
    query: [days, { name: 'event', description: 'Of this name only.' }],
    answers: badCall,
  }),
  get({
    path: '/v1/merge-report',
    summary: 'Where calls lose what a merge could have kept, and what to change.',
    query: [days],
    answers: badCall,
  }),
];

export const appApiRoutes: readonly RouteDescription[] = [
  ...reports,
  get({
    path: '/v1/usage',
    summary:
      'How many people the workspace has, and what it takes of what all share, beside what it may, at this gateway.',
    answers: {},
  }),
  get({
    path: '/v1/customers',
    summary: 'People of an email.',
    query: [{ name: 'email', description: 'Compared in lower case.' }],
    answers: badCall,
  }),
  {
    method: 'post',
    path: '/v1/customers',
    summary: 'People for whom a filter holds.',
    auth: 'app',
    body: ByFilter,
    query: paged,
    answers: badCall,
  },
  {
    method: 'post',
    path: '/v1/customers/attributes',
    summary: 'Up to 100 people, whole, by their ids.',
    auth: 'app',
    body: ByIds,
    answers: badCall,
  },
  get({ path: '/v1/customers/{id}/attributes', summary: 'A person, whole.', query: [idType] }),
  get({
    path: '/v1/customers/{id}/activities',
    summary: 'What a person did and what was done, newest first.',
    query: [idType, type, name, ...paged],
  }),
  get({ path: '/v1/customers/{id}/segments', summary: 'Segments that a person is in.', query: [idType] }),
  get({
    path: '/v1/customers/{id}/relationships',
    summary: 'Objects that a person belongs to.',
    query: [idType, ...paged],
  }),
  get({
    path: '/v1/activities',
    summary: 'What everybody known did, newest first; or one of them; or visitors whom nobody knows.',
    query: [
      type,
      name,
      { name: 'customer_id', description: 'Of one person.' },
      idType,
      { name: 'anonymous', description: 'true: of visitors whom nobody knows.' },
      { name: 'anonymous_id', description: 'Of one of these.' },
      ...paged,
    ],
  }),
  get({ path: '/v1/segments', summary: 'All segments.', answers: {} }),
  {
    method: 'post',
    path: '/v1/segments',
    summary: 'Make a manual segment; its id is a number.',
    auth: 'app',
    body: NewSegment,
    answers: badCall,
  },
  get({ path: '/v1/segments/{id}', summary: 'A segment.', answers: missing }),
  {
    method: 'delete',
    path: '/v1/segments/{id}',
    summary: 'Delete a manual segment.',
    auth: 'app',
    answers: { 204: { description: 'It is gone.' }, ...badCall, ...missing },
  },
  get({ path: '/v1/segments/{id}/customer_count', summary: 'How many are in it.', answers: missing }),
  get({ path: '/v1/segments/{id}/membership', summary: 'Who is in it.', query: paged }),
  get({
    path: '/v1/segments/{id}/used_by',
    summary: 'Journeys and segments that ask for it.',
    answers: missing,
  }),
];
