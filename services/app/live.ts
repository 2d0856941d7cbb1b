/**
 * `GET /v1/live`: what just arrived, how it was answered and why, as server-sent events; `GET /v1/refusals`: what was not
 * taken, counted. A reader who does not keep up is cut off when so much waits for them: nobody waits for a reader.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isWorkspace, type Workspace } from '../../schemas/ids.ts';
import type { Answered } from '../runtime/sighting.ts';
import { answer, badRequest, bearerOf, unauthorized } from './answers.ts';
import type { AppKeys, CallFilter, LiveSource } from './ports.ts';

export interface LiveOptions {
  readonly keys: Pick<AppKeys, 'find'>;
  readonly live: LiveSource;
  /** What waits for one reader. */
  readonly readerBytesMax?: number;
  readonly beatMs?: number;
}

const readerBytesUsual = 256 * 1_024;
/** A sign of life for proxies; the key is looked at again, too. */
const beatMsUsual = 15_000;
const answeredAs: readonly Answered[] = ['ok', 'corrected', 'dropped', 'limited', 'retry'];

type LiveRequest = FastifyRequest<{ Querystring: Readonly<Record<string, unknown>> }>;

export function mountLive(app: FastifyInstance, options: LiveOptions): void {
  const streams = new Set<Stream>();
  app.addHook('preClose', (done) => {
    for (const stream of streams) stream.end('stopping');
    done();
  });
  // A HEAD would be a stream without an end.
  app.get('/v1/live', { exposeHeadRoute: false }, (request: LiveRequest, reply) =>
    open(options, streams, request, reply),
  );
  app.get('/v1/refusals', (request: LiveRequest, reply) => {
    const asked = askedBy(options.keys, request);
    if (asked === undefined) return unauthorized(reply);
    return answer(reply, 200, {
      refusals: options.live.refusals(asked.workspace),
      unknown_key_calls_last_hour: options.live.unknownCallsOfHour(),
    });
  });
}

/** The admin names a workspace, or none: then it is about callers who were not known. */
function askedBy(
  keys: LiveOptions['keys'],
  request: LiveRequest,
): { readonly workspace: Workspace | null; readonly key: string } | undefined {
  const secret = bearerOf(request) ?? '';
  const known = keys.find('app', secret) ?? keys.find('admin', secret);
  if (known === undefined) return undefined;
  const { workspace: named } = request.query;
  if (named === undefined) return { workspace: known.workspace, key: known.id };
  if (typeof named !== 'string' || !isWorkspace(named)) return undefined;
  return known.kind === 'admin' || known.workspace === named
    ? { workspace: named, key: known.id }
    : undefined;
}

function open(
  options: LiveOptions,
  streams: Set<Stream>,
  request: LiveRequest,
  reply: FastifyReply,
): FastifyReply {
  const asked = askedBy(options.keys, request);
  if (asked === undefined || asked.workspace === null) return unauthorized(reply);
  const { workspace, key } = asked;
  const filter = filterOf(request.query);
  if (filter === undefined) {
    const message = `answered is one of ${answeredAs.join(', ')}; key, visitor and person are texts`;
    return badRequest(reply, [{ pointer: '', code: 'wrong_type', message }]);
  }
  const stream = new Stream(reply, {
    bytesMax: options.readerBytesMax ?? readerBytesUsual,
    beatMs: options.beatMs ?? beatMsUsual,
    isKeyGood: () => askedBy(options.keys, request) !== undefined,
    onCut: () => {
      options.live.cut(workspace, key);
    },
  });
  const recent = options.live.recent(workspace, filter);
  const stop = options.live.follow(workspace, filter, stream);
  if (stop === undefined) {
    const body = { meta: { error: 'too many read along already: close another', code: 'too_many_readers' } };
    return answer(reply.header('retry-after', '10'), 429, body);
  }
  streams.add(stream);
  stream.begin(recent, () => {
    streams.delete(stream);
    stop();
  });
  return reply;
}

function filterOf(query: Readonly<Record<string, unknown>>): CallFilter | undefined {
  const { key, visitor, person, answered } = query;
  const texts = [key, visitor, person, answered];
  if (texts.some((text) => text !== undefined && typeof text !== 'string')) return undefined;
  if (answered !== undefined && !answeredAs.includes(answered as Answered)) return undefined;
  return { key, visitor, person, answered } as CallFilter; // as was just seen
}

interface StreamOptions {
  readonly bytesMax: number;
  readonly beatMs: number;
  readonly isKeyGood: () => boolean;
  readonly onCut: () => void;
}

class Stream {
  readonly #reply: FastifyReply;
  readonly #options: StreamOptions;
  #beat: NodeJS.Timeout | undefined;
  #isOpen = false;

  constructor(reply: FastifyReply, options: StreamOptions) {
    this.#reply = reply;
    this.#options = options;
  }

  begin(recent: readonly string[], onClose: () => void): void {
    const reply = this.#reply;
    reply.hijack();
    const headers = { ...reply.getHeaders(), 'content-type': 'text/event-stream; charset=utf-8' };
    reply.raw.writeHead(200, headers as Record<string, string>); // those of every answer, all texts
    this.#isOpen = true;
    reply.raw.on('error', () => undefined); // a reader who is gone
    reply.raw.on('close', () => {
      clearInterval(this.#beat);
      this.#isOpen = false;
      onClose();
    });
    this.#beat = setInterval(() => {
      if (this.#options.isKeyGood()) this.#write(':\n\n');
      else this.end('key_ended');
    }, this.#options.beatMs);
    this.#beat.unref();
    this.#write(':\n\n'); // at once: the headers wait for the first bytes, and the reader for the headers
    for (const text of recent) this.call(text);
  }

  call(text: string): void {
    this.#write(`event: call\ndata: ${text}\n\n`);
  }

  /** So many were not told, since there were too many in a second. */
  skipped(count: number): void {
    this.#write(`event: skipped\ndata: ${JSON.stringify({ count })}\n\n`);
  }

  end(code: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reply.raw.end(`event: end\ndata: ${JSON.stringify({ code })}\n\n`);
  }

  #write(text: string): void {
    if (!this.#isOpen) return;
    const { raw } = this.#reply;
    if (raw.writableLength + text.length > this.#options.bytesMax) {
      this.#isOpen = false;
      this.#options.onCut();
      raw.destroy();
      return;
    }
    raw.write(text);
  }
}
