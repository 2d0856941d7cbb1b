/** Answers to pages: JSON that any origin may read. */
import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

const EXPOSED = 'ETag, X-Gist-Queue-Polling-Interval, X-CIO-Use-SSE, X-CIO-Inbox-Enabled';
const JSON_TYPE = 'application/json; charset=utf-8';

/** As it is written, whichever way its request came. */
export interface PageAnswer {
  readonly status: number;
  /** Beside those of every answer, in their order. */
  readonly headers: Readonly<Record<string, string>>;
  /** undefined: there is none. */
  readonly body: string | undefined;
}

export function plainAnswer(status: number, body: unknown): PageAnswer {
  const headers = { 'content-type': JSON_TYPE, 'access-control-expose-headers': EXPOSED };
  return { status, headers, body: `${JSON.stringify(body)}\n` };
}

/**
 * 304 where the client has it already. A browser may keep it, and asks before it uses it.
 * @param has the header `If-None-Match`.
 */
export function taggedAnswer(
  has: string | undefined,
  body: unknown,
  more: Readonly<Record<string, string>>,
): PageAnswer {
  const text = `${JSON.stringify(body)}\n`;
  const tag = `"${hash('sha256', text, 'base64url').slice(0, 22)}"`;
  const headers = {
    ...more,
    etag: tag,
    'cache-control': 'private, no-cache',
    'access-control-expose-headers': EXPOSED,
  };
  const isKnown = has?.split(',').some((one) => one.trim().replace(/^W\//, '') === tag) === true;
  return isKnown
    ? { status: 304, headers, body: undefined }
    : { status: 200, headers: { ...headers, 'content-type': JSON_TYPE }, body: text };
}

export function refusal(status: number, code: string, message: string): PageAnswer {
  return plainAnswer(status, { meta: { error: message, code } });
}

export const siteUnknown = refusal(401, 'unauthorized', 'Unauthorized request: the site id is not valid');

export function sendAnswer(reply: FastifyReply, { status, headers, body }: PageAnswer): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}

export function answer(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return sendAnswer(reply, plainAnswer(status, body));
}

export function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return sendAnswer(reply, refusal(status, code, message));
}

export function unknownSite(reply: FastifyReply): FastifyReply {
  return sendAnswer(reply, siteUnknown);
}
