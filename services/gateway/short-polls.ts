/**
 * The short way of polls: pages ask all the time whether there is a message for them, and mostly there is none. A poll has
 * no body and no key, so nothing of it takes time to read, and it is answered past Fastify, with the same bytes. Whatever is
 * not plainly a poll goes on to the next listener.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import { pollsPath, type AnswerPoll } from '../on-site/plugin.ts';
import type { Doors } from './door.ts';
import type { QuietLog } from './quiet-log.ts';
import { COMMON_HEADERS, envelope, errorAnswer, JSON_TYPE } from './refusals.ts';

export interface ShortPollsOptions {
  readonly answerPoll: AnswerPoll;
  readonly doors: Pick<Doors, 'busy' | 'hasEnded' | 'noteAnswer' | 'waiting'>;
  readonly log: QuietLog;
  readonly isClosing: () => boolean;
  readonly next: RequestListener;
}

const PREFIX = `${pollsPath}?`;

/** Of every route, so that a query says the same by either way. */
export function parseQuery(text: string): Record<string, unknown> {
  return parse(text);
}

/** A listener of `request`. */
export function shortPolls(options: ShortPollsOptions): RequestListener {
  const { doors, isClosing, next } = options;
  return (request, response) => {
    if (doors.hasEnded(request.socket)) return; // thousands may have been read with the one that was too many
    if (!isPoll(request) || isClosing()) {
      next(request, response);
      return;
    }
    const { socket } = request;
    if (!doors.noteAnswer(socket, response)) return;
    doors.busy(socket);
    response.once('finish', () => {
      doors.waiting(socket);
    });
    void answer(options, request, response);
  };
}

/** With nothing to be read, asked for or undone. */
function isPoll({ method, url, headers, httpVersion }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    url?.startsWith(PREFIX) === true &&
    httpVersion === '1.1' &&
    headers.host !== undefined &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined &&
    headers.upgrade === undefined
  );
}

async function answer(
  options: ShortPollsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, headers, body } = await answerTo(options, request);
  // In the order in which the ordinary way has them.
  const all = { ...COMMON_HEADERS, ...headers };
  if (body === undefined) response.writeHead(status, all).end();
  else response.writeHead(status, { ...all, 'content-length': String(Buffer.byteLength(body)) }).end(body);
}

async function answerTo(
  { answerPoll, log }: ShortPollsOptions,
  { url = '', headers }: IncomingMessage,
): ReturnType<AnswerPoll> {
  try {
    return await answerPoll({ query: parseQuery(url.slice(PREFIX.length)), headers });
  } catch (error) {
    const { status, code, message, headers: more } = errorAnswer(log, error);
    return { status, headers: { ...more, 'content-type': JSON_TYPE }, body: envelope(code, message) };
  }
}
