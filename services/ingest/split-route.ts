/** `POST /v1/people/{id}/split`: takes a mistaken merge apart. Ours, with the app key. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Compile } from 'typebox/compile';
import { Split } from '../../schemas/http/pipelines.ts';
import { canonicalName } from '../../schemas/identifiers.ts';
import type { Identifier } from '../../schemas/lanes.ts';
import { failure, success } from './answers.ts';
import { knownWorkspace, onlyApp } from './authenticate.ts';
import { noted, type NotedCall } from './corrections.ts';
import { readJson, type ReadJson } from './json-text.ts';
import { byShape, ofKind } from './names.ts';
import { badReceiveTime, bodyOf, callContext, receiveTimeOf, type IngestRoutes } from './request.ts';
import {
  accepted,
  controlOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Refusal,
  type Translation,
} from './translation.ts';
import { nameFault, shapeFault } from './validate.ts';

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
  const call = callContext(options, { workspace, receivedAt, source: 'app.split' });
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
  return noted(call, (noting) => split(noting, path, body));
}

function split(call: NotedCall, path: string, body: Split): Translation {
  const { by, why } = body;
  const anonymousIds = (body.anonymous_ids ?? []).map(canonicalName);
  const identifiers = (body.identifiers ?? []).map((each) => named(call, 'identifiers', each));
  if (anonymousIds.length + identifiers.length === 0) {
    return refused(
      'invalid_call',
      'anonymous_ids',
      'name at least one anonymous id or identifier to take out',
    );
  }
  const identifier = byShape(call, 'id', path);
  if (isRefusal(identifier)) return identifier;
  const into = typeof body.into === 'string' ? byShape(call, 'into', body.into) : null;
  const faults = [...identifiers, into, ...anonymousIds.map((each) => nameFault('anonymous_ids', each))];
  const fault = faults.find(isRefusal);
  if (fault !== undefined) return fault;
  const detail = JSON.stringify({ anonymous_ids: anonymousIds, identifiers, into, by, why });
  return accepted(controlOutcome(call, 'split', { messageId: call.mintMessageId(), identifier, detail }));
}

function named(call: NotedCall, field: string, sent: string | Identifier): Identifier | Refusal {
  return typeof sent === 'string' ? byShape(call, field, sent) : ofKind(call, field, sent);
}
