/** Track's two calls about manual segments (spec A.1). Who a segment's people are is identity's and trigger's to say. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { MembershipAction } from '../../schemas/membership.ts';
import { failure, refusalBody, success } from './answers.ts';
import { knownWorkspace, onlyTrack } from './authenticate.ts';
import { takenBy, tellTaken } from './door-watch.ts';
import { readJson } from './json-text.ts';
import { badReceiveTime, bodyOf, callContext, receiveTimeOf, type IngestRoutes } from './request.ts';
import { refused } from './translation.ts';
import { translateMembership } from './translate-membership.ts';

type SegmentRequest = FastifyRequest<{ Params: { id: string }; Querystring: Record<string, unknown> }>;

export function mountSegments(app: FastifyInstance, options: IngestRoutes): void {
  const onRequest = onlyTrack(options.keys);
  for (const action of ['add', 'remove'] as const) {
    app.post(`/api/v1/segments/:id/${action}_customers`, { onRequest }, (request: SegmentRequest, reply) =>
      take(options, action, request, reply),
    );
  }
}

async function take(
  options: IngestRoutes,
  action: MembershipAction,
  request: SegmentRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = knownWorkspace(request);
  const receivedAt = await receiveTimeOf(options, request);
  if (receivedAt === undefined) return failure(reply, 400, badReceiveTime);
  const call = callContext(options, { workspace, receivedAt, source: `track.v1.segment_${action}` });
  const read = readJson(bodyOf(request));
  const segmentId = request.params.id;
  const target = { segmentId, type: options.segmentType(workspace, segmentId), action };
  const translation =
    read.type === 'malformed'
      ? refused('invalid_call', null, read.message)
      : translateMembership(call, { ...target, idType: request.query['id_type'] }, read.sent);
  tellTaken(request, takenBy(translation));
  if (translation.type === 'refused') return failure(reply, 400, refusalBody(translation, 'errors'));
  await options.deliver(translation.outcomes);
  return success(reply);
}
