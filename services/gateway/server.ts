/** The one HTTP port: what holds for every route (spec A.0). The routes themselves are ingest's and app's plugins. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { appPlugin, type AppOptions } from '../app/plugin.ts';
import { ingestPlugin, type IngestOptions } from '../ingest/plugin.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { readBodies } from './body.ts';

export interface ServerOptions {
  readonly ingest: IngestOptions;
  readonly app: AppOptions;
  readonly logger: Logger;
}

/** Sent with every answer, errors too: without the first, a browser sends every event five times (spec A.0 row 10). */
const COMMON_HEADERS = {
  'access-control-allow-origin': '*',
  'cache-control': 'no-cache, no-store, must-revalidate, max-age=0',
} as const;
const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type, x-strict-mode, x-retry-count',
  'access-control-max-age': '86400',
} as const;

/** A path segment of 150 bytes, percent-encoded, and room to be refused as too long instead of as unknown. */
const segmentCharsMax = 4_096;
const requestTimeoutMs = 30_000;
const retryAfterS = 1;
const connectionsMax = 10_000;

export function buildServer({ ingest, app, logger }: ServerOptions): FastifyInstance {
  const server = Fastify({
    logger: false,
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength: segmentCharsMax },
    frameworkErrors: (error, _request, reply) => {
      void answerError(logger, error, reply.headers(COMMON_HEADERS));
    },
  });
  server.server.maxConnections = connectionsMax;
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(COMMON_HEADERS);
    done();
  });
  readBodies(server);
  server.setErrorHandler((error: unknown, _request, reply) => answerError(logger, error, reply));
  server.setNotFoundHandler((request, reply) => answerUnknown(request, reply));
  void server.register(ingestPlugin, ingest);
  void server.register(appPlugin, app);
  return server;
}

/** An unbuilt route is 404 with JSON; a preflight is answered for any path. */
function answerUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (request.method === 'OPTIONS') return reply.code(204).headers(PREFLIGHT_HEADERS).send();
  const path = request.url.split('?')[0] ?? '';
  return answer(reply, 404, 'not_found', `could not find ${request.method} ${path}`);
}

const STATUS: Readonly<Record<string, number>> = {
  body_too_large: 413,
  body_malformed: 400,
  FST_ERR_BAD_URL: 400,
};

function answerError(logger: Logger, error: unknown, reply: FastifyReply): FastifyReply {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : 'something went wrong';
  const status = STATUS[code];
  if (status === 413) return answer(reply.header('connection', 'close'), status, code, message);
  if (status !== undefined) return answer(reply, status, code, message);
  if (error instanceof CodedError && error.retryable) {
    logger.warn({ error }, 'a request was put off');
    return answer(reply.header('retry-after', String(retryAfterS)), 503, code, message);
  }
  logger.error({ error }, 'a request failed');
  return answer(reply, 500, 'internal', 'something went wrong on our side');
}

/** `meta.error` is what clients print; `code` is for programs. */
function answer(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(`${JSON.stringify({ meta: { error: message, code } })}\n`);
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : 'internal';
}
