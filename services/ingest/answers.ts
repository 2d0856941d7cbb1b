/** The answers that clients are strict about (spec A.0 rows 2, 3 and *Error envelopes*). */
import type { FastifyReply } from 'fastify';
import { unauthorizedText, type KeyInBody, type Wanted } from '../runtime/unauthorized.ts';
import type { Refusal } from './translation.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
/** Exactly these three bytes, as the real server answers. */
const SUCCESS = '{}\n';

/** Status and text; its type is always JSON. */
export interface PlainAnswer {
  readonly status: number;
  readonly body: string;
}

export const taken: PlainAnswer = { status: 200, body: SUCCESS };

export function failed(status: number, body: unknown): PlainAnswer {
  return { status, body: `${JSON.stringify(body)}\n` };
}

export function answer(reply: FastifyReply, { status, body }: PlainAnswer): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).send(body);
}

export type Envelope = 'error' | 'errors' | 'v2';

export function success(reply: FastifyReply): FastifyReply {
  return answer(reply, taken);
}

/** What a form is answered (spec A.0 row 2). */
export function empty(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}

export function failure(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return answer(reply, failed(status, body));
}

export function unauthorized(reply: FastifyReply, wanted: Wanted, inBody?: KeyInBody): FastifyReply {
  const error = unauthorizedText(wanted, reply.request.headers.authorization, inBody);
  return failure(reply, 401, { meta: { error, code: 'unauthorized' } });
}

/** v2's form of a refusal; `batch_index` only within a batch. */
export function v2Fault({ reason, field, message }: Refusal, batchIndex?: number) {
  const at = batchIndex === undefined ? {} : { batch_index: batchIndex };
  return { ...at, reason: reason === 'invalid_call' ? 'invalid' : reason, field: field ?? '', message };
}

/** Customer.io has three envelopes: `meta.error`, `meta.errors` (events) and, for v2, `errors`. */
export function refusalBody(refusal: Refusal, envelope: Envelope): unknown {
  switch (envelope) {
    case 'error':
      return { meta: { error: refusal.message } };
    case 'errors':
      return { meta: { errors: [refusal.message] } };
    case 'v2':
      return { errors: [v2Fault(refusal)] };
  }
}
