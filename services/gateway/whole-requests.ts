/**
 * The short way: a request that has come whole, head and body in one piece, for a route that takes such calls
 * (services/ingest/whole-calls.ts). It is looked at when all that had arrived has been read:
 *
 *   head ──of another kind──▶ the ordinary way (Fastify)
 *     └──body not all there, no JSON object at a glance, no room, over a limit──▶ the ordinary way, as if just come
 *     └──whole──▶ judged and kept ──▶ answered
 *
 * So whatever takes time or may go wrong in reading has one place, and an answer is the same by either way, byte by byte.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { bodyBytesMax } from '../../schemas/http/limits.ts';
import type { PlainAnswer, WholeCalls } from '../ingest/plugin.ts';
import type { BodyBudget } from './body-budget.ts';
import { ownerOf } from './body.ts';
import type { ClientAddresses } from './client-address.ts';
import type { Doors } from './door.ts';
import type { QuietLog } from './quiet-log.ts';
import { COMMON_HEADERS, envelope, errorAnswer, JSON_TYPE } from './refusals.ts';

export interface WholeRequestsOptions {
  readonly calls: WholeCalls;
  readonly budget: BodyBudget;
  readonly clients: ClientAddresses;
  readonly doors: Pick<Doors, 'busy' | 'hasEnded' | 'noteAnswer' | 'waiting'>;
  readonly log: QuietLog;
  readonly isClosing: () => boolean;
  readonly ordinary: RequestListener;
}

const OPEN_BRACE = 123;

/** A listener of `request`. */
export function wholeRequests(options: WholeRequestsOptions): RequestListener {
  const { calls, doors, ordinary, isClosing } = options;
  return (request, response) => {
    if (doors.hasEnded(request.socket)) return; // thousands may have been read with the one that was too many
    if (isClosing() || !isPlain(request) || !calls.has(request.url)) {
      ordinary(request, response);
      return;
    }
    setImmediate(() => {
      if (isClosing() || !isTaken(options, request, response)) ordinary(request, response);
    });
  };
}

/** Nothing of it has to be undone, asked for or refused by itself. */
function isPlain({ method, headers, httpVersion }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    httpVersion === '1.1' &&
    headers.host !== undefined &&
    headers.authorization !== undefined &&
    headers['content-length'] !== undefined &&
    headers['content-encoding'] === undefined &&
    headers.expect === undefined &&
    headers.upgrade === undefined &&
    // A browser's, whose cookies may be renewed.
    headers.cookie === undefined
  );
}

function isTaken(options: WholeRequestsOptions, request: IncomingMessage, response: ServerResponse): boolean {
  const { calls, budget, clients, doors } = options;
  const { socket, headers, url = '' } = request;
  const bytes = request.readableLength;
  if (!request.complete || socket.destroyed || bytes === 0 || bytes > bodyBytesMax) return false;
  const call = calls.open(url, headers);
  if (call === undefined) return false;
  const hold = budget.open(ownerOf(call, clients.of(request)));
  if (hold === undefined) return false;
  const body = hold.take(bytes) ? (request.read() as Buffer | null) : null; // no encoding is set, so a Buffer
  // Another first byte may be a byte-order mark, gzip that nobody announced, or white space.
  if (body?.[0] !== OPEN_BRACE || !calls.charge(call, bytes)) {
    hold.close();
    if (body !== null) request.unshift(body);
    return false;
  }
  if (!doors.noteAnswer(socket, response)) {
    hold.close();
    return true;
  }
  doors.busy(socket);
  let more: Readonly<Record<string, string>> | undefined;
  const broken = (error: unknown): PlainAnswer => {
    const { status, code, message, headers: beside } = errorAnswer(options.log, error);
    more = beside;
    return { status, body: envelope(code, message) };
  };
  void calls.answer(call, body, broken).then((answer) => {
    hold.close();
    write(response, answer, more);
    doors.waiting(socket); // for its client to take it
  });
  return true;
}

/** In the order in which the ordinary way has them. */
function write(
  response: ServerResponse,
  { status, body }: PlainAnswer,
  more: Readonly<Record<string, string>> | undefined,
): void {
  const headers = {
    'access-control-allow-origin': COMMON_HEADERS['access-control-allow-origin'],
    'cache-control': COMMON_HEADERS['cache-control'],
    ...more,
    'content-type': JSON_TYPE,
    'content-length': String(Buffer.byteLength(body)),
  };
  response.writeHead(status, headers).end(body);
}
