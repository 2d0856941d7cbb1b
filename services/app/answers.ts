/** JSON answers of the App API. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Workspace } from '../../schemas/ids.ts';
import type { Fault } from '../../schemas/http/app.ts';
import { parseExactly } from '../runtime/exact-json.ts';
import { jsonFaultText } from '../runtime/json-fault.ts';
import { unauthorizedText } from '../runtime/unauthorized.ts';
import type { AppKeys } from './ports.ts';

export function answer(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return answerText(reply, status, `${JSON.stringify(body)}\n`);
}

/** @param text JSON, as it is sent. */
export function answerText(reply: FastifyReply, status: number, text: string | Buffer): FastifyReply {
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(text);
}

export function unauthorized(reply: FastifyReply): FastifyReply {
  const error = unauthorizedText('app', reply.request.headers.authorization);
  return answer(reply, 401, { meta: { error, code: 'unauthorized' } });
}

export function notFound(reply: FastifyReply, what: string): FastifyReply {
  return answer(reply, 404, { meta: { error: `could not find ${what}`, code: 'not_found' } });
}

export function badRequest(reply: FastifyReply, faults: readonly Fault[]): FastifyReply {
  const isTooLarge = faults.some(({ code }) => code === 'body_too_large');
  return answer(reply, isTooLarge ? 413 : 400, { errors: faults });
}

/** The key of `Authorization: Bearer <key>`; undefined without one. */
export function bearerOf(request: FastifyRequest): string | undefined {
  return /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** Whose app key the request has; undefined without one that works. */
export function workspaceOf(keys: Pick<AppKeys, 'app'>, request: FastifyRequest): Workspace | undefined {
  const key = bearerOf(request);
  return key === undefined ? undefined : keys.app(key);
}

export type ReadBody =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: Fault };

/** Bodies arrive as Buffers. One over `bytesMax` is not read. */
export function readBody(request: FastifyRequest, bytesMax = Infinity): ReadBody {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (bytes.length > bytesMax) {
    const message = `the body has at most ${String(bytesMax)} bytes, this one ${String(bytes.length)}: split it`;
    return { ok: false, fault: { pointer: '', code: 'body_too_large', message } };
  }
  const text = bytes.toString('utf8');
  try {
    return { ok: true, value: parseExactly(text) };
  } catch {
    return { ok: false, fault: { pointer: '', code: 'invalid_json', message: jsonFaultText(text) } };
  }
}
