/** Track v1 (spec A.1): the calls about people and their events, and two that clients use to test credentials. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { murmur2 } from '../../schemas/partitioner.ts';
import { failure, refusalBody, success, type Envelope } from './answers.ts';
import { knownWorkspace, onlyTrack } from './authenticate.ts';
import { takenBy, tellTaken } from './door-watch.ts';
import { readJson, type SentObject } from './json-text.ts';
import { badReceiveTime, bodyOf, callContext, receiveTimeOf, type IngestRoutes } from './request.ts';
import { refused, type CallContext, type Translation } from './translation.ts';
import {
  translateAnonymousEvent,
  translateControl,
  translateIdentify,
  translateMerge,
  translatePersonEvent,
  type PersonControl,
} from './translate-track.ts';

interface TrackRoute {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly source: string;
  readonly envelope: Envelope;
  readonly translate: (call: CallContext, path: string, body: SentObject) => Translation;
}

function control(method: 'POST' | 'DELETE', url: string, kind: PersonControl): TrackRoute {
  const translate: TrackRoute['translate'] = (call, path) => translateControl(call, kind, path);
  return { method, url, source: `track.v1.${kind}`, envelope: 'error', translate };
}

const person = '/api/v1/customers/:identifier';
const routes: readonly TrackRoute[] = [
  {
    method: 'PUT',
    url: person,
    source: 'track.v1.identify',
    envelope: 'error',
    translate: translateIdentify,
  },
  {
    method: 'POST',
    url: `${person}/events`,
    source: 'track.v1.event',
    envelope: 'errors',
    translate: translatePersonEvent,
  },
  {
    method: 'POST',
    url: '/api/v1/events',
    source: 'track.v1.anonymous_event',
    envelope: 'errors',
    translate: (call, _path, body) => translateAnonymousEvent(call, body),
  },
  {
    method: 'POST',
    url: '/api/v1/merge_customers',
    source: 'track.v1.merge',
    envelope: 'error',
    translate: (call, _path, body) => translateMerge(call, body),
  },
  control('DELETE', person, 'delete'),
  control('POST', `${person}/suppress`, 'suppress'),
  control('POST', `${person}/unsuppress`, 'unsuppress'),
];

export function mountTrackV1(app: FastifyInstance, options: IngestRoutes): void {
  for (const route of routes) {
    const { method, url } = route;
    app.route<{ Params: { identifier?: string } }>({
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
  { source, envelope, translate }: TrackRoute,
  request: FastifyRequest<{ Params: { identifier?: string } }>,
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
      : translate(call, request.params.identifier ?? '', read.sent);
  tellTaken(request, takenBy(translation));
  if (translation.type === 'refused') return failure(reply, 400, refusalBody(translation, envelope));
  await options.deliver(translation.outcomes);
  return success(reply);
}
