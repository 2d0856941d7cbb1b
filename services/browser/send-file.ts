/** Sends a script: gzipped to whoever takes that, with a tag, so that a page that has it does not load it again. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ScriptFile } from './script-file.ts';

export const licenceUrl = '/v1/analytics-js/LICENSE';
/** A new version of the client is on every page within it. */
const ageSMax = 300;
const GZIP = /(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i;

export function sendScript(request: FastifyRequest, reply: FastifyReply, file: ScriptFile): FastifyReply {
  reply.header('link', `<${licenceUrl}>; rel="license"`);
  return send(request, reply, file, 'text/javascript; charset=utf-8');
}

export function sendText(request: FastifyRequest, reply: FastifyReply, file: ScriptFile): FastifyReply {
  return send(request, reply, file, 'text/plain; charset=utf-8');
}

/** Ours, under the licence of all of it. */
export function sendOwn(
  request: FastifyRequest,
  reply: FastifyReply,
  file: ScriptFile,
  type: 'javascript' | 'html' = 'javascript',
): FastifyReply {
  return send(request, reply, file, `text/${type}; charset=utf-8`);
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  file: ScriptFile,
  contentType: string,
): FastifyReply {
  const isGzip = GZIP.test(request.headers['accept-encoding'] ?? '');
  const tag = `"${file.digest}${isGzip ? '-gzip' : ''}"`;
  reply.headers({
    'cache-control': `public, max-age=${String(ageSMax)}`,
    'content-type': contentType,
    // A page that isolates itself takes scripts of others only if they say so.
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
    etag: tag,
    vary: 'Accept-Encoding',
  });
  if (isAmong(tag, request.headers['if-none-match'])) return reply.code(304).send();
  return isGzip ? reply.header('content-encoding', 'gzip').send(file.gzipped) : reply.send(file.bytes);
}

function isAmong(tag: string, sent: string | undefined): boolean {
  const tags = (sent ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(tag);
}
