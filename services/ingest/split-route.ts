/** `POST /v1/people/{id}/split`: takes a mistaken merge apart. Ours, with the app key. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { failure, success } from './answers.ts';
import { knownWorkspace, onlyApp } from './authenticate.ts';
import { tellTaken } from './door-watch.ts';
import { readJson } from './json-text.ts';
import { badReceiveTime, bodyOf, callContext, receiveTimeOf, type IngestRoutes } from './request.ts';
import { translateSplit } from './translate-split.ts';

export function mountSplit(app: FastifyInstance, options: IngestRoutes): void {
  const onRequest = onlyApp(options.keys);
  app.post<{ Params: { id: string } }>('/v1/people/:id/split', { onRequest }, (request, reply) =>
    take(options, request, reply),
  );
}

async function take(
  options: IngestRoutes,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = knownWorkspace(request);
  const receivedAt = await receiveTimeOf(options, request);
  if (receivedAt === undefined) return failure(reply, 400, badReceiveTime);
  const call = callContext(options, { workspace, receivedAt, source: 'app.split' });
  const translation = translateSplit(call, request.params.id, readJson(bodyOf(request)));
  if (translation.type === 'faults') return failure(reply, 400, { errors: translation.faults });
  tellTaken(request, { outcomes: translation.outcomes, refusals: [] });
  await options.deliver(translation.outcomes);
  return success(reply);
}
