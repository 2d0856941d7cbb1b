/** Errors as answers: one envelope, with CORS, whoever refuses a request: a route, Fastify, or Node's parser. */
import type { FastifyReply } from 'fastify';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorEntry } from '../../schemas/errors.ts';
import { CodedError } from '../runtime/errors.ts';
import type { QuietLog } from './quiet-log.ts';

/** Sent with every answer, errors too: without the first, a browser sends every event five times (spec A.0 row 10). */
export const COMMON_HEADERS = {
  'access-control-allow-origin': '*',
  'cache-control': 'no-cache, no-store, must-revalidate, max-age=0',
} as const;
export const JSON_TYPE = 'application/json; charset=utf-8';
const retryAfterS = 1;

/** What a client alone is to blame for, and can do as often as it likes: never worth a line of its own. */
const CUT_OFF = new Set(['body_cut_off', 'body_too_late']);

export function answerError(log: QuietLog, error: unknown, reply: FastifyReply): FastifyReply {
  const { status, code, message, headers } = errorAnswer(log, error);
  return answerRefusal(reply.headers(headers), status, code, message);
}

export interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Beside those of every answer. */
  readonly headers: Readonly<Record<string, string>>;
}

const noHeaders: ErrorAnswer['headers'] = {};

/** What an error is answered; it is logged where somebody of ours should know of it. */
export function errorAnswer(log: QuietLog, error: unknown): ErrorAnswer {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : 'something went wrong';
  const status = statusOf(error) ?? frameworkStatus(error, code);
  if (CUT_OFF.has(code)) log.say('info', code, 'bodies did not come whole');
  if (status === 413 || status === 408) {
    return { status, code, message, headers: { connection: 'close' } };
  }
  if (status !== undefined) return { status, code, message, headers: noHeaders };
  if (error instanceof CodedError && error.retryable) {
    log.say('warn', code, 'requests were put off', { error });
    const later = errorEntry(error.code).status ?? 503;
    const waitS = error.retryAfterS ?? retryAfterS;
    return { status: later, code, message, headers: { 'retry-after': String(waitS) } };
  }
  log.say('error', code, 'a request failed', { error });
  const ours = 'something went wrong on our side';
  return { status: 500, code: 'internal', message: ours, headers: noHeaders };
}

/** `meta.error` is what clients print; `code` is for programs. */
export function answerRefusal(
  reply: FastifyReply,
  status: number,
  code: string,
  message: string,
): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).send(envelope(code, message));
}

export function envelope(code: string, message: string): string {
  return `${JSON.stringify({ meta: { error: message, code } })}\n`;
}

/** What Fastify itself refuses says so by its code; a 4xx of anybody else could be a bug of ours that looks like one. */
function frameworkStatus(error: unknown, code: string): number | undefined {
  if (!code.startsWith('FST_') || typeof error !== 'object' || error === null) return undefined;
  const { statusCode } = error as { readonly statusCode?: unknown }; // of FastifyError
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

/** Of a call that is to blame itself; what passes is 503 below. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof CodedError) || error.retryable) return undefined;
  return errorEntry(error.code).status;
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : 'internal';
}

/** `Expect` with anything but `100-continue`, which Node asks about before there is a request for Fastify. */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const body = envelope(
    'expectation_unknown',
    'could not take the request: what it expects is not known here',
  );
  response
    .writeHead(417, {
      ...COMMON_HEADERS,
      'content-type': JSON_TYPE,
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    })
    .end(body);
}

const PARSER: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'could not read the request: it was not whole in time'],
  HPE_HEADER_OVERFLOW: [431, 'could not read the request: its headers are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'could not read the request: its chunks have too long extensions'],
};

/**
 * What Node's parser refuses never becomes a request, so its answer is written by hand.
 * @param isAnswering whether an answer has begun on this connection: a second one in its middle would be part of it.
 */
export function answerParserFault(
  { code = 'internal' }: NodeJS.ErrnoException,
  socket: Socket,
  isAnswering: boolean,
): void {
  if (code !== 'ECONNRESET' && socket.writable && !isAnswering) {
    const [status, message] = PARSER[code] ?? [400, 'could not read the request: it is not HTTP/1.1'];
    const body = envelope('request_malformed', message);
    const headers = {
      ...COMMON_HEADERS,
      'content-type': JSON_TYPE,
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
  }
  socket.destroy();
}
