/** The routes of on-site messages (contract, *On-site messages*), as routes.ts publishes them. */
import Type from 'typebox';
import type { RouteDescription } from './route-description.ts';

const text = Type.String({ minLength: 1, maxLength: 2_000 });
const visitor = { site_id: text, anonymous_id: Type.String({ minLength: 1, maxLength: 150 }) };
const unknownSite = { 401: { description: 'There is no such site.' } };
const badCall = {
  ...unknownSite,
  400: { description: 'The call breaks a rule; meta.error says which.' },
};
const unavailable = { 503: { description: 'The service in-app does not answer: ask again.' } };
const page = { page: Type.Optional(text), path: Type.Optional(text) };

const where = [
  { name: 'page', description: 'Name of the page, mostly its url.' },
  { name: 'path', description: 'Its path; else that of the url.' },
];

export const onSite: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/v1/in-app/queue',
    summary: 'The messages that a visitor may be shown now, the best first, and when to ask again.',
    auth: 'none',
    query: [
      { name: 'site_id', description: 'Names the workspace.' },
      { name: 'anonymous_id', description: 'The visitor.' },
      { name: 'user_id', description: 'The client knows who this is: nothing is shown.' },
      ...where,
    ],
    answers: { ...badCall, ...unavailable, 304: { description: 'As If-None-Match has it.' } },
  },
  {
    method: 'post',
    path: '/v1/in-app/shows',
    summary:
      'May this message be shown now? Decided in the order of the visitor’s events; asked again, answered the same.',
    auth: 'none',
    body: Type.Object({
      ...visitor,
      ...page,
      message_id: text,
      exposure: text,
      variant: Type.Optional(text),
    }),
    answers: { ...badCall, ...unavailable },
  },
  {
    method: 'post',
    path: '/v1/in-app/reports',
    summary: 'What became of a showing.',
    auth: 'none',
    body: Type.Object({
      ...visitor,
      message_id: text,
      exposure: text,
      event: Type.Union(
        ['clicked', 'dismissed', 'snoozed', 'submitted', 'not_shown'].map((name) => Type.Literal(name)),
      ),
      action: Type.Optional(text),
      minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 525_600 })),
    }),
    answers: { ...badCall, ...unavailable },
  },
  {
    method: 'post',
    path: '/v1/in-app/consent',
    summary: 'Consent is given, or withdrawn, which erases what is kept of the visitor for messages.',
    auth: 'none',
    body: Type.Object({
      anonymous_id: visitor.anonymous_id,
      site_id: Type.Optional(text),
      write_key: Type.Optional(text),
      consent: Type.Boolean(),
    }),
    answers: { ...badCall, ...unavailable },
  },
  {
    method: 'get',
    path: '/v1/in-app/check',
    summary:
      'Whether pages have the plugin on, and have reported, as this gateway has seen since it started.',
    auth: 'app',
    answers: { 401: { description: 'Without an app key.' } },
  },
  {
    method: 'get',
    path: '/v1/explain/messages/{id}',
    summary: 'Why a visitor would see a message now, or would not.',
    auth: 'app',
    query: [{ name: 'anonymous_id', description: 'The visitor.' }, ...where],
    answers: { ...badCall, ...unavailable, 404: { description: 'There is no such message.' } },
  },
  {
    method: 'get',
    path: '/v1/definitions/messages/{id}/report',
    summary:
      'What came of a message: of each version and arm who saw it or was held out, what they did, and how many converted.',
    auth: 'app',
    answers: { 404: { description: 'There is no such message, and has been none.' } },
  },
  {
    method: 'post',
    path: '/api/v4/users',
    summary: 'The queue of Customer.io’s own web plugin; X-CIO-Site-Id names the workspace.',
    auth: 'none',
    answers: { ...unknownSite, ...unavailable },
  },
  {
    method: 'post',
    path: '/api/v1/logs/queue/{id}',
    summary: 'The web plugin has shown a message.',
    auth: 'none',
    aliases: ['/api/v1/logs/message/{id}'],
    answers: { ...unknownSite, ...unavailable },
  },
  {
    method: 'patch',
    path: '/api/v1/messages/{id}',
    summary: 'The web plugin has opened a message of its inbox, which is empty.',
    auth: 'none',
    answers: unknownSite,
  },
  ...['branding', 'templates'].map((what): RouteDescription => ({
    method: 'get',
    path: `/api/v1/${what}`,
    summary: 'What the inbox of the web plugin looks like: nothing.',
    auth: 'none',
    answers: unknownSite,
  })),
];
