/** The routes of Track v1 (spec A.1), and two that clients use to test credentials. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { murmur2 } from '../../schemas/partitioner.ts';
import { empty, failure, refusalBody, success } from './answers.ts';
import { knownWorkspace, onlyTrack } from './authenticate.ts';
import { takenBy, tellTaken } from './door-watch.ts';
import { formed } from './formed.ts';
import { readJson } from './json-text.ts';
import { withAbout } from './refused-call.ts';
import { badReceiveTime, bodyOf, callContext, receiveTimeOf, type IngestRoutes } from './request.ts';
import { trackCalls, type TrackCall, type TrackPath } from './track-v1-calls.ts';
import { refused } from './translation.ts';

export function mountTrackV1(app: FastifyInstance, options: IngestRoutes): void {
  for (const route of trackCalls) {
    const { method, url } = route;
    app.route<{ Params: TrackPath }>({
      method,
      url,
      onRequest: onlyTrack(options.keys),
      handler: (request, reply) => take(options, route, request, reply),
    });
  }
  const onRequest = onlyTrack(options.keys);
  app.get('/auth', { onRequest }, (_request, reply) => success(reply));
  app.get('/api/v1/accounts/region', { onRequest }, (request, reply) => {
    const workspace = knownWorkspace(request);
    // A number that stays the same for a workspace, as clients expect of an environment.
    const environmentId = murmur2(Buffer.from(workspace)) >>> 1;
    return failure(reply, 200, { url: request.host, region: 'us', environment_id: environmentId });
  });
}

async function take(
  options: IngestRoutes,
  { source, envelope, translate, isEmptyAnswer = false }: TrackCall,
  request: FastifyRequest<{ Params: TrackPath }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = knownWorkspace(request);
  const receivedAt = await receiveTimeOf(options, request);
  if (receivedAt === undefined) return failure(reply, 400, badReceiveTime);
  const read = readJson(bodyOf(request));
  const call = callContext(options, { workspace, receivedAt, source });
  const translation =
    read.type === 'malformed'
      ? refused('invalid_call', null, read.message)
      : formed(call, translate(call, request.params, read.sent));
  const sent = read.type === 'object' ? read.sent : undefined;
  const known = { type: source.split('.').at(-1), identifier: request.params.identifier };
  tellTaken(request, takenBy(withAbout(translation, sent, known)));
  if (translation.type === 'refused') return failure(reply, 400, refusalBody(translation, envelope));
  await options.deliver(translation.outcomes);
  return isEmptyAnswer ? empty(reply) : success(reply);
}
