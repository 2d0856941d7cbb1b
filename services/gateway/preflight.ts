/** What a browser asks before it sends: any path and any header is allowed, since keys and not origins let callers in. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Of libraries that ride along on every call of a page, such as those that trace. */
const headersMax = 64;
const headerCharsMax = 128;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const USUAL = 'authorization,content-type,x-strict-mode,x-retry-count';

export function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': allowedHeaders(request.headers['access-control-request-headers']),
      'access-control-max-age': '86400',
      vary: 'Access-Control-Request-Headers',
    })
    .send();
}

/** What was asked for, less what is no name of a header; asked for nothing, what our clients send. */
export function allowedHeaders(asked: string | undefined): string {
  const names = (asked ?? '')
    .split(',', headersMax)
    .map((name) => name.trim())
    .filter((name) => name.length <= headerCharsMax && TOKEN.test(name));
  return names.length === 0 ? USUAL : names.join(',');
}
