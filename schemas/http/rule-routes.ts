/** What may be asked about segments, journeys and a person (contract, *Definitions*). */
import Type from 'typebox';
import { badBody, missing, type RouteDescription } from './route-description.ts';

const unavailable = { 503: { description: 'The service that decides does not answer; ask again.' } };
const person = { name: 'person', description: 'An id, an email or a cio_id.' };
const at = {
  name: 'at',
  description: 'A moment to come, ISO 8601: what the answer is then if nothing more happens. Now without it.',
};

const key = {
  name: 'key',
  description:
    'Which of the runs, for a journey with a key. Without it the answer is about a trigger that has no value, and names the runs.',
};

const time = Type.String({ format: 'date-time' });
const ReplayBody = Type.Object(
  {
    from: time,
    to: Type.Optional(time),
    by: Type.Optional(
      Type.Union([Type.Literal('event_time'), Type.Literal('arrival')], {
        description: 'When things count: as they happened (as without it), or as they were received.',
      }),
    ),
    start: Type.Optional(Type.String({ description: 'The next of a call before.' })),
    definition: Type.Optional(
      Type.Unsafe<object>({
        $ref: '#/components/schemas/journey',
        description: 'In the place of what is stored.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const ruleRoutes: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/v1/definitions/segments/{id}/preview',
    summary:
      'How many people would be in the segment now, and some of them; of the stored definition, or of one in the body: then also who would enter and leave, and the warnings of a PUT.',
    auth: 'app',
    body: Type.Unsafe<object>({ $ref: '#/components/schemas/segment' }),
    answers: { ...badBody, ...missing },
  },
  {
    method: 'get',
    path: '/v1/explain/segments/{id}',
    summary:
      'Why a person is in a segment, or is not: each condition, what it rests on, and when it changes.',
    auth: 'app',
    query: [person, at],
    answers: { ...badBody, ...missing, ...unavailable },
  },
  {
    method: 'get',
    path: '/v1/explain/journeys/{id}',
    summary: 'What a journey would do with a person if it were triggered, and why.',
    auth: 'app',
    query: [person, at, key],
    answers: { ...badBody, ...missing, ...unavailable },
  },
  {
    method: 'post',
    path: '/v1/definitions/journeys/{id}/replay',
    summary:
      'Who would have entered the journey in a past range, and who would have been skipped and why; nobody enters.',
    auth: 'app',
    body: ReplayBody,
    answers: {
      ...badBody,
      ...missing,
      ...unavailable,
      429: { description: 'Another replay is running; Retry-After says when to ask again.' },
    },
  },
  {
    method: 'get',
    path: '/v1/definitions/journeys/{id}/rehearse',
    summary: 'What the journey would do with a person at a moment, past or to come, condition by condition.',
    auth: 'app',
    query: [
      person,
      { name: 'at', description: 'The moment, ISO 8601. Now without it.' },
      key,
      { name: 'by', description: 'Of a past moment: event_time (as without it) or arrival.' },
    ],
    answers: { ...badBody, ...missing, ...unavailable },
  },
];

/** @param path of the definitions of a kind. */
export function versionRoutes(path: string, singular: string): readonly RouteDescription[] {
  return [
    {
      method: 'get',
      path: `${path}/{id}/versions`,
      summary: `The versions that a ${singular} has had, newest first, and what each changed.`,
      auth: 'app',
      answers: missing,
    },
    {
      method: 'get',
      path: `${path}/{id}/versions/{version}`,
      summary: `A ${singular} as it was.`,
      auth: 'app',
      answers: missing,
    },
    {
      method: 'get',
      path: `${path}/{id}/compare`,
      summary: `Where two versions of a ${singular} differ, by JSON pointer.`,
      auth: 'app',
      query: [
        { name: 'from', description: 'Number of a version.' },
        { name: 'to', description: 'Likewise; the newest without it.' },
      ],
      answers: { ...badBody, ...missing },
    },
  ];
}
