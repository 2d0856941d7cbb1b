/**
 * What Customer.io's own web plugin calls (spec B), unmodified. It names a visitor by a token of its own and goes by page
 * rules and frequency itself; who is identified is left out here, since it would show them everything (spec B).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answer, refuse, unknownSite } from './answers.ts';
import type { Looks } from './looks.ts';
import type { Seen } from './page-signs.ts';
import { agentOf, badTime } from './polls.ts';
import type { InAppCall, OnSiteOptions } from './ports.ts';
import { anonymousIdOf, laneOf } from './visitors.ts';
import { queueIdOf, webMessage } from './web-messages.ts';

export function mountWebPlugin(app: FastifyInstance, options: OnSiteOptions, looks: Looks): void {
  app.post('/api/v4/users', (request, reply) => queue(options, looks, request, reply));
  for (const kind of ['queue', 'message']) {
    app.post<{ Params: { id: string } }>(`/api/v1/logs/${kind}/:id`, (request, reply) =>
      shown(options, request, reply),
    );
  }
  const known = (request: FastifyRequest, reply: FastifyReply, body: unknown): FastifyReply =>
    siteOf(options, request) === undefined ? unknownSite(reply) : answer(reply, 200, body);
  // An inbox is for people who are identified, and is empty.
  app.patch('/api/v1/messages/:id', (request, reply) => known(request, reply, {}));
  app.get('/api/v1/branding', (request, reply) => known(request, reply, {}));
  app.get('/api/v1/templates', (request, reply) => known(request, reply, {}));
}

function siteOf({ keys }: OnSiteOptions, request: FastifyRequest) {
  const site = request.headers['x-cio-site-id'];
  return typeof site === 'string' ? keys.site(site) : undefined;
}

/** undefined: the plugin has no name for its visitor. */
function tokenOf(request: FastifyRequest): string | undefined {
  const encoded = request.headers['x-gist-encoded-user-token'];
  return typeof encoded === 'string'
    ? anonymousIdOf(Buffer.from(encoded, 'base64').toString('utf8'))
    : undefined;
}

/** It says on which page by the header that browsers send, mostly the origin alone. */
function signOf({ headers }: FastifyRequest): Seen {
  return { page: headers.referer ?? headers.origin ?? null, client: 'web_plugin' };
}

const nothing = { inAppMessages: [], inboxMessages: [] };
const idleSeconds = '60';

async function queue(
  options: OnSiteOptions,
  looks: Looks,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = siteOf(options, request);
  if (workspace === undefined) return unknownSite(reply);
  const token = tokenOf(request);
  const isAnonymous = request.headers['x-gist-user-anonymous'] === 'true';
  options.signs.note(workspace, 'asked', signOf(request));
  reply.headers({ 'x-gist-queue-polling-interval': idleSeconds, 'x-cio-inbox-enabled': 'false' });
  // What it holds from before the identify is replaced by nothing.
  if (token === undefined || !isAnonymous) return answer(reply, 200, nothing);
  const at = await options.receiveTime(request.headers['x-hindsight-received-at']);
  if (at === undefined) return refuse(reply, 400, 'invalid_call', badTime);
  const moment = { at, page: null, agent: agentOf(request.headers), isIdentified: false, isAnyPage: true };
  const asked = { workspace, lane: laneOf(workspace, token), anonymousId: token, moment, isToken: true };
  let polled = await options.view.poll(asked);
  let found = { ...asked };
  if (polled.linkedId !== null) {
    const { linkedId } = polled;
    found = { ...asked, lane: laneOf(workspace, linkedId), anonymousId: linkedId, isToken: false };
    polled = await options.view.poll(found);
  }
  looks.note(workspace, found, polled);
  reply.header('x-gist-queue-polling-interval', String(polled.pollSeconds));
  const inAppMessages = polled.messages.map((offered) => webMessage(offered, token));
  return answer(reply, 200, { ...nothing, inAppMessages });
}

/** The plugin has shown it. Who the token is may be known by now; then our renderer has asked for them already. */
async function shown(
  options: OnSiteOptions,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = siteOf(options, request);
  if (workspace === undefined) return unknownSite(reply);
  const token = tokenOf(request);
  const at = await options.receiveTime(request.headers['x-hindsight-received-at']);
  if (token === undefined || at === undefined) return answer(reply, 200, {});
  const call: InAppCall = {
    kind: 'show',
    workspace,
    anonymousId: token,
    requestId: options.newId(),
    exposure: options.newId(),
    at,
    messageId: queueIdOf(request.params.id),
    event: 'shown',
    agent: agentOf(request.headers),
  };
  await options.calls.send(call);
  options.signs.note(workspace, 'shown', signOf(request));
  return answer(reply, 200, {});
}
