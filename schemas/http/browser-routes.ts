/** What pages load (spec A.4, A.8), described. */
import type { RouteDescription } from './route-description.ts';

const unknown = { 404: { description: 'There is no such script.' } };
const script = (path: string, summary: string, answers?: RouteDescription['answers']): RouteDescription => ({
  method: 'get',
  path,
  summary,
  auth: 'none',
  answers: { ...answers, 304: { description: 'As If-None-Match has it.' } },
});

export const browserRoutes: readonly RouteDescription[] = [
  script(
    '/v1/analytics-js/snippet/{write_key}/analytics.min.js',
    "The script that the JavaScript snippet loads: Customer.io's client for browsers.",
  ),
  script('/v1/analytics-js/{file}', 'A part of it that it loads when it needs it.', unknown),
  script('/v1/analytics-js/LICENSE', 'Its licence.'),
  script('/v1/plugins/in-app.js', 'The client of on-site messages (docs/on-site.md).'),
  script('/v1/plugins/in-app/renderer', 'What draws a message, loaded with the first one.'),
  script(
    '/v1/plugins/in-app/html',
    'What cleans the html of a message, loaded with the first one that has any.',
  ),
  script('/index.html', "The page in which Customer.io's own plugin shows a message."),
  script('/assets/{write_key}/track.js', 'The script that the classic snippet loads.'),
  {
    ...script('/v1/projects/{write_key}/settings', 'What the client for browsers asks for before it sends.'),
    answers: { 401: { description: 'The write key is not known.' } },
  },
  {
    method: 'post',
    path: '/v1/m',
    summary: 'What the client for browsers tells of itself; not kept.',
    auth: 'none',
  },
];

/** The page of the gateway itself (services/front-page). */
export const frontPageRoutes: readonly RouteDescription[] = [
  script('/', 'A page for people: keys, what to paste, what arrives and how it was answered.'),
  script('/page/{file}', 'Its style, its scripts and its picture.', unknown),
  {
    method: 'post',
    path: '/v1/sign-in',
    summary:
      'Hand back the one-time code of a link of `npm start`, as Bearer, for the keys of the installation.',
    auth: 'none',
    answers: { 401: { description: 'It is no such code, was used, or is older than an hour.' } },
  },
];
