/** Answers to pages: JSON that any origin may read. */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

const EXPOSED = 'ETag, X-Gist-Queue-Polling-Interval, X-CIO-Use-SSE, X-CIO-Inbox-Enabled';

export function answer(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply
    .code(status)
    .headers({
      'content-type': 'application/json; charset=utf-8',
      'access-control-expose-headers': EXPOSED,
    })
    .send(`${JSON.stringify(body)}\n`);
}

/** 304 where the client has it already. A browser may keep it, and asks before it uses it. */
export function answerTagged(request: FastifyRequest, reply: FastifyReply, body: unknown): FastifyReply {
  const text = `${JSON.stringify(body)}\n`;
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  const headers = {
    etag: tag,
    'cache-control': 'private, no-cache',
    'access-control-expose-headers': EXPOSED,
  };
  const known = request.headers['if-none-match']?.split(',') ?? [];
  if (known.some((one) => one.trim().replace(/^W\//, '') === tag)) {
    return reply.code(304).headers(headers).send();
  }
  return reply
    .code(200)
    .headers({ ...headers, 'content-type': 'application/json; charset=utf-8' })
    .send(text);
}

export function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return answer(reply, status, { meta: { error: message, code } });
}

export function unknownSite(reply: FastifyReply): FastifyReply {
  return refuse(reply, 401, 'unauthorized', 'Unauthorized request: the site id is not valid');
}
