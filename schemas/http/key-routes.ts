/** The routes of `/v1/keys`. */
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
];
