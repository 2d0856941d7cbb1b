/** Routes about who calls: `/v1/keys`, `/v1/live`, `/v1/refusals`. */
import { KeyBody, RotationBody } from './app.ts';
import { badBody, missing, type RouteDescription } from './route-description.ts';

export const keyRoutes: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/v1/keys',
    summary: 'Keys of the workspace, without their secrets.',
    auth: 'admin',
    query: [
      { name: 'workspace', description: 'With the admin key: whose. Without it those of the installation.' },
    ],
    answers: missing,
  },
  {
    method: 'post',
    path: '/v1/keys',
    summary: 'Make a key; its secret is in this answer and nowhere else.',
    auth: 'admin',
    body: KeyBody,
    query: [{ name: 'workspace', description: 'With the admin key: whose.' }],
    answers: { ...badBody, ...missing },
  },
  {
    method: 'post',
    path: '/v1/keys/{id}/rotate',
    summary: 'Make a key in the place of this one, which works on for a while.',
    auth: 'admin',
    body: RotationBody,
    answers: { ...badBody, ...missing },
  },
  {
    method: 'delete',
    path: '/v1/keys/{id}',
    summary: 'Revoke a key, at once and for ever.',
    auth: 'admin',
    answers: { ...badBody, ...missing },
  },
  {
    method: 'get',
    path: '/v1/live',
    summary: 'What just arrived, how it was answered and why, as server-sent events.',
    auth: 'admin',
    query: [
      { name: 'key', description: 'Id of a key.' },
      { name: 'visitor', description: 'Anonymous id.' },
      { name: 'person', description: 'An id, email or cio_id as it is sent.' },
      { name: 'answered', description: 'ok, corrected, dropped, limited or retry.' },
      { name: 'workspace', description: 'With the admin key: whose.' },
    ],
    answers: { ...badBody, 429: { description: 'Too many read along already.' } },
  },
  {
    method: 'get',
    path: '/v1/refusals',
    summary: 'What this gateway did not take since it started, by key and reason, with the last of each.',
    auth: 'admin',
    query: [
      {
        name: 'workspace',
        description: 'With the admin key: whose; without it of callers whose key is not known.',
      },
    ],
  },
];
