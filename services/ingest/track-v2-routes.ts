/** Track v2 (spec A.2), for operations about people. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Compile } from 'typebox/compile';
import { batchBytesMax, batchCallsMax } from '../../schemas/http/limits.ts';
import { TrackBatch } from '../../schemas/http/track.ts';
import { callerOf } from '../runtime/caller.ts';
import { failure, refusalBody, success, v2Fault } from './answers.ts';
import { knownWorkspace, onlyTrack } from './authenticate.ts';
import { takenBy, tellTaken } from './door-watch.ts';
import { formed } from './formed.ts';
import { readJson, type ReadJson, type SentObject } from './json-text.ts';
import { inBatch, withAbout } from './refused-call.ts';
import { badReceiveTime, bodyOf, callContext, receiveTimeOf, type IngestRoutes } from './request.ts';
import { behindDeletions } from './translate-object.ts';
import { refused, type CallContext, type Refusal, type Translation } from './translation.ts';
import { translateOperation } from './translate-track.ts';
import { shapeFault } from './validate.ts';

const batchShape = Compile(TrackBatch);

export function mountTrackV2(app: FastifyInstance, options: IngestRoutes): void {
  const onRequest = onlyTrack(options.keys);
  app.post('/api/v2/entity', { onRequest }, (request, reply) => take(options, request, reply, takeOne));
  app.post('/api/v2/batch', { onRequest }, (request, reply) => take(options, request, reply, takeBatch));
}

type TakeBody = (
  options: IngestRoutes,
  call: CallContext,
  read: ReadJson,
  reply: FastifyReply,
) => Promise<FastifyReply>;

async function take(
  options: IngestRoutes,
  request: FastifyRequest,
  reply: FastifyReply,
  takeBody: TakeBody,
): Promise<FastifyReply> {
  const workspace = knownWorkspace(request);
  const receivedAt = await receiveTimeOf(options, request);
  if (receivedAt === undefined) return failure(reply, 400, badReceiveTime);
  const call = callContext(options, { workspace, receivedAt, source: 'track.v2' });
  return takeBody(options, call, readJson(bodyOf(request)), reply);
}

const takeOne: TakeBody = async (options, call, read, reply) => {
  const translation =
    read.type === 'malformed'
      ? refused('invalid_call', null, read.message)
      : formed(call, translateOperation(call, read.sent));
  const sent = read.type === 'object' ? read.sent : undefined;
  tellTaken(reply.request, takenBy(withAbout(translation, sent)));
  if (translation.type === 'refused') return failure(reply, 400, refusalBody(translation, 'v2'));
  await options.deliver(translation.outcomes);
  return success(reply);
};

/** 200 when all are taken, 207 when some are, 400 when none is. */
const takeBatch: TakeBody = async (options, call, read, reply) => {
  const operations =
    read.type === 'malformed' ? refused('invalid_call', null, read.message) : operationsOf(read.sent);
  if (!Array.isArray(operations)) {
    tellTaken(reply.request, takenBy(operations));
    return failure(reply, 400, refusalBody(operations, 'v2'));
  }
  let calling = call;
  const translations = operations.map((operation): Translation => {
    if (operation === undefined) return refused('invalid_call', null, 'an operation must be an object');
    const translation = formed(calling, translateOperation(calling, operation));
    if (translation.type === 'accepted') calling = behindDeletions(calling, translation.outcomes);
    return translation;
  });
  const faults = translations.flatMap((translation, index) =>
    translation.type === 'refused' ? [v2Fault(translation, index)] : [],
  );
  const taken = takenBy(
    ...translations.map((translation, index) => {
      const told = withAbout(translation, operations[index]);
      return told.type === 'refused' ? inBatch(told, index) : told;
    }),
  );
  tellTaken(reply.request, taken);
  const key = callerOf(reply.request)?.key;
  if (key !== undefined) options.limits.charge(key, { calls: Math.max(0, operations.length - 1), bytes: 0 });
  await options.deliver(taken.outcomes);
  if (faults.length === 0) return success(reply);
  return failure(reply, faults.length === translations.length ? 400 : 207, { errors: faults });
};

function operationsOf(body: SentObject): (SentObject | undefined)[] | Refusal {
  const fault = shapeFault(batchShape, body.value, { batch: 'batch must be a list' });
  if (fault !== undefined) return fault;
  if (body.isLonger(batchBytesMax)) {
    const text = `a batch cannot be larger than ${String(batchBytesMax)} bytes: it has ${String(body.bytes)}`;
    return refused('limit_exceeded', 'batch', text);
  }
  const operations = body.objects('batch');
  if (operations.length > batchCallsMax) {
    return refused(
      'limit_exceeded',
      'batch',
      `a batch cannot hold more than ${String(batchCallsMax)} operations`,
    );
  }
  return operations;
}
