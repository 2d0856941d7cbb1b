/**
 * Every route of the HTTP port, for the published OpenAPI document. A test holds it against what is mounted.
 * Bodies are the schemas that validate them.
 */
import Type from 'typebox';
import { appApiRoutes } from './app-api-routes.ts';
import { Behind, TestClockBody, WorkspaceSettingsBody } from './app.ts';
import { keyRoutes } from './key-routes.ts';
import { Alias, Batch, Group, Identify, Page, Screen, Split, Track } from './pipelines.ts';
import { browserRoutes, frontPageRoutes } from './browser-routes.ts';
import { onSite } from './on-site-routes.ts';
import { badBody, missing, type RouteDescription } from './route-description.ts';
import { ruleRoutes, versionRoutes } from './rule-routes.ts';
import { tableRoutes } from './tables.ts';
import { trackRoutes } from './track-routes.ts';

const stored = {
  202: {
    description:
      'Stored, and as for 200, but not in force everywhere in time: `behind` says where not. GET /health/settled waits for it.',
    schema: Type.Object({ behind: Type.Array(Behind) }),
  },
};

const permissive = {
  400: { description: 'With X-Strict-Mode: 1 only; otherwise 200 and a row of dropped.' },
};

const pipelines: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/v1/identify',
    aliases: ['/v1/i'],
    summary: 'Name a person; claims what the anonymousId did.',
    auth: 'pipelines',
    body: Identify,
    answers: permissive,
  },
  {
    method: 'post',
    path: '/v1/track',
    aliases: ['/v1/t'],
    summary: 'Take an event.',
    auth: 'pipelines',
    body: Track,
    answers: permissive,
  },
  {
    method: 'post',
    path: '/v1/page',
    aliases: ['/v1/p'],
    summary: 'Take a page view.',
    auth: 'pipelines',
    body: Page,
    answers: permissive,
  },
  {
    method: 'post',
    path: '/v1/screen',
    aliases: ['/v1/s'],
    summary: 'Take a screen view.',
    auth: 'pipelines',
    body: Screen,
    answers: permissive,
  },
  {
    method: 'post',
    path: '/v1/alias',
    aliases: ['/v1/a'],
    summary: 'Make previousId, a visitor or a person, part of userId.',
    auth: 'pipelines',
    body: Alias,
    answers: permissive,
  },
  {
    method: 'post',
    path: '/v1/group',
    aliases: ['/v1/g'],
    summary: 'Say to which object a visitor or a person belongs.',
    auth: 'pipelines',
    body: Group,
    answers: permissive,
  },
  {
    method: 'post',
    path: '/v1/batch',
    aliases: ['/v1/b'],
    summary: 'Take several calls.',
    auth: 'pipelines',
    body: Batch,
    answers: permissive,
  },
];

function definitions(plural: string, singular: string): readonly RouteDescription[] {
  const path = `/v1/definitions/${plural}`;
  const body = Type.Unsafe<object>({ $ref: `#/components/schemas/${singular}` });
  return [
    { method: 'get', path, summary: `List ${plural}.`, auth: 'app' },
    {
      method: 'get',
      path: `${path}/{id}`,
      summary: `Read a ${singular}.`,
      auth: 'app',
      answers: { ...badBody, ...missing },
    },
    {
      method: 'put',
      path: `${path}/{id}`,
      summary: `Store a ${singular}.`,
      auth: 'app',
      body,
      answers: { ...badBody, ...stored },
    },
    {
      method: 'delete',
      path: `${path}/{id}`,
      summary: `Remove a ${singular}.`,
      auth: 'app',
      answers: { ...badBody, ...missing, ...stored },
    },
    ...versionRoutes(path, singular),
  ];
}

const app: readonly RouteDescription[] = [
  ...definitions('segments', 'segment'),
  ...definitions('journeys', 'journey'),
  ...definitions('messages', 'message'),
  ...ruleRoutes,
  {
    method: 'get',
    path: '/v1/workspaces/{name}',
    summary: 'Settings of a workspace.',
    auth: 'app',
    answers: missing,
  },
  {
    method: 'put',
    path: '/v1/workspaces/{name}',
    summary: 'Store settings; with the admin key also creates the workspace and answers its keys, once.',
    auth: 'admin',
    body: WorkspaceSettingsBody,
    answers: { ...badBody, ...stored },
  },
  {
    method: 'get',
    path: '/v1/workspaces/{name}/fragmentation',
    summary:
      'Where identity is fragmented: people without the canonical identifier or with many anonymous ids, devices of many people.',
    auth: 'app',
    answers: missing,
  },
  ...keyRoutes,
  ...tableRoutes,
  {
    method: 'post',
    path: '/v1/people/{id}/split',
    summary: 'Take a mistaken merge apart.',
    auth: 'app',
    body: Split,
    answers: badBody,
  },
  {
    method: 'get',
    path: '/v1/trace',
    summary: 'The story of a visitor or a person, in order.',
    auth: 'app',
    query: [
      { name: 'anonymous_id', description: 'A visitor.' },
      { name: 'person', description: 'Or a person: an id, an email or a cio_id.' },
      { name: 'order', description: 'timestamp: events stand at their own time, not at when they came.' },
    ],
    answers: { ...badBody, ...missing },
  },
  {
    method: 'put',
    path: '/v1/test-clock',
    summary: 'Set the clock of all tasks (HINDSIGHT_TEST_CLOCK=on only).',
    auth: 'app',
    body: TestClockBody,
    answers: { ...badBody, ...missing },
  },
  {
    method: 'get',
    path: '/v1/test-clock',
    summary: 'The standing clock (HINDSIGHT_TEST_CLOCK=on only).',
    auth: 'app',
    answers: missing,
  },
  { method: 'get', path: '/v1/openapi.json', summary: 'This document.', auth: 'none' },
  { method: 'get', path: '/health/live', summary: 'Does the process live?', auth: 'none' },
  {
    method: 'get',
    path: '/health/ingest',
    summary:
      'Are calls kept: by the log, or by the disk while that does not answer? For what spreads calls over gateways',
    auth: 'none',
    answers: { 503: { description: 'What came last could not be kept, or somebody waits in vain.' } },
  },
  {
    method: 'get',
    path: '/health/ready',
    summary: 'Is every part ready?',
    auth: 'none',
    answers: { 503: { description: 'A part is not; its line says why.' } },
  },
  {
    method: 'get',
    path: '/health/settled',
    summary: 'Has every call acknowledged before this one had its whole effect?',
    auth: 'none',
    answers: { 503: { description: 'Not yet; each step says what it still has.' } },
  },
];

export const routes: readonly RouteDescription[] = [
  ...trackRoutes,
  ...pipelines,
  ...browserRoutes,
  ...frontPageRoutes,
  ...onSite,
  ...app,
  ...appApiRoutes,
];
