/** `POST /v1/people/{id}/split`: takes a mistaken merge apart. Ours, with the app key. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Compile } from 'typebox/compile';
import { Split } from '../../schemas/http/pipelines.ts';
import { identifierByShape } from '../../schemas/lanes.ts';
import { failure, success } from './answers.ts';
import { knownWorkspace, onlyApp } from './authenticate.ts';
import { readJson, type ReadJson } from './json-text.ts';
import { badReceiveTime, bodyOf, receiveTimeOf, type IngestRoutes } from './request.ts';
import {
  accepted,
  controlOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Translation,
} from './translation.ts';
import { identifierOr, shapeFault } from './validate.ts';

const shape = Compile(Split);

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
  const call: CallContext = {
    workspace,
    receivedAt,
    source: 'app.split',
    mintMessageId: options.mintMessageId,
  };
  const translation = translateSplit(call, request.params.id, readJson(bodyOf(request)));
  if (translation.type === 'refused') {
    const { message, field } = translation;
    return failure(reply, 400, { errors: [{ detail: message, status: '400', field }] });
  }
  await options.deliver(translation.outcomes);
  return success(reply);
}

export function translateSplit(call: CallContext, path: string, read: ReadJson): Translation {
  if (read.type === 'malformed') return refused('invalid_call', null, read.message);
  const fault = shapeFault(shape, read.sent.value, {});
  if (fault !== undefined) return fault;
  const body = read.sent.value as Split; // the shape has been checked
  const anonymousIds = body.anonymous_ids ?? [];
  const identifiers = body.identifiers ?? [];
  if (anonymousIds.length + identifiers.length === 0) {
    return refused(
      'invalid_call',
      'anonymous_ids',
      'name at least one anonymous id or identifier to take out',
    );
  }
  const identifier = identifierOr('id', identifierByShape(path));
  if (isRefusal(identifier)) return identifier;
  const { into = null, by, why } = body;
  const detail = JSON.stringify({ anonymous_ids: anonymousIds, identifiers, into, by, why });
  return accepted(controlOutcome(call, 'split', { messageId: call.mintMessageId(), identifier, detail }));
}
