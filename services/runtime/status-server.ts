/**
 * A service process's own HTTP port on loopback: is it alive, is it ready, what has it handled. The gateway and the
 * launcher find it through `$HINDSIGHT_DATA/run/<name>.json` {pid, url, secret}, which its owner alone may read.
 *
 * Everybody on the machine reaches loopback, and so does every web page that they visit. So what acts asks for the secret
 * (`Authorization: Bearer …`), and nothing at all is answered to a page: neither one that says its origin, nor one whose
 * host name was made to mean 127.0.0.1.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { CodedError } from './errors.ts';

export interface PartHealth {
  readonly ok: boolean;
  readonly detail?: string;
}

export type Actions = Readonly<Record<string, (body: Buffer) => Promise<unknown>>>;

/** Of an action; one that asks for more is not ours. */
export const actionBodyBytesMax = 4 * 1_024 * 1_024;

export interface StatusServerOptions {
  /** As in processes.json: `merger`, `identity`, `trigger`, `clickhouse`, … */
  readonly name: string;
  readonly dataFolder: string;
  /** A line for each part; the service is ready when all are ok. */
  readonly ready: () => Readonly<Record<string, PartHealth>>;
  /** The body of /status; anything that JSON can hold. */
  readonly status: () => unknown;
  /** What `POST /<name>` does with its body for who has the secret; it answers with JSON when it is done. */
  readonly actions?: Actions;
}

export interface StatusServer {
  /** http://127.0.0.1:port */
  readonly url: string;
  /** Also removes the file, if it is still this process's. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 5_000;
const SECRET_BYTES = 24;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const server = createServer({ requestTimeout: HEADERS_TIMEOUT_MS }, (request, response) => {
    if (!isFromHere(request)) reply(response, 403, { error: 'forbidden' });
    else if (request.method === 'POST') void act(options, { request, response, secret });
    else answer(options, request.url ?? '/', response);
  });
  const url = `http://127.0.0.1:${String(await listen(server))}`;
  const folder = join(options.dataFolder, 'run');
  const file = join(folder, `${options.name}.json`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Renamed into place, so that a reader never meets half a file.
  const draft = `${file}.${String(process.pid)}`;
  await writeFile(draft, JSON.stringify({ pid: process.pid, url, secret }), { mode: 0o600 });
  await rename(draft, file);
  return {
    url,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) =>
        server.close(() => {
          done();
        }),
      );
      await removeOwn(file, url);
    },
  };
}

function answer(options: StatusServerOptions, path: string, response: ServerResponse): void {
  try {
    if (path === '/health/live') {
      reply(response, 200, { live: true });
    } else if (path === '/health/ready') {
      const parts = options.ready();
      const ready = Object.values(parts).every((part) => part.ok);
      reply(response, ready ? 200 : 503, { ready, parts });
    } else if (path === '/status') {
      reply(response, 200, options.status());
    } else {
      reply(response, 404, { error: 'not_found' });
    }
  } catch (error) {
    reply(response, 500, {
      error: error instanceof CodedError ? error.code : 'internal',
      detail: String(error),
    });
  }
}

/** The port does not matter: a tunnel may have another one. */
function isFromHere({ headers }: IncomingMessage): boolean {
  const host = /^(\[[^\]]*\]|[^:[\]]+)(?::\d+)?$/.exec(headers.host ?? '')?.[1];
  return headers.origin === undefined && host !== undefined && LOOPBACK.has(host.toLowerCase());
}

function knows(secret: string, { headers }: IncomingMessage): boolean {
  const [given, wanted] = [headers.authorization ?? '', `Bearer ${secret}`].map((text) => Buffer.from(text));
  return (
    given !== undefined &&
    wanted !== undefined &&
    given.length === wanted.length &&
    timingSafeEqual(given, wanted)
  );
}

interface Act {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly secret: string;
}

async function act({ actions }: StatusServerOptions, { request, response, secret }: Act): Promise<void> {
  const name = (request.url ?? '/').slice(1);
  const action = actions !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
  try {
    if (!knows(secret, request)) reply(response, 401, { error: 'unauthorized' });
    else if (action === undefined) reply(response, 404, { error: 'not_found' });
    else {
      const body = await readBody(request);
      if (body === undefined) reply(response, 413, { error: 'body_too_large' });
      else reply(response, 200, await action(body));
    }
  } catch (error) {
    reply(response, 500, {
      error: error instanceof CodedError ? error.code : 'internal',
      detail: String(error),
    });
  }
}

/** undefined: it is larger than may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > actionBodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      done();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new CodedError('status_server_failed', 'could not start the status server: it has no port');
  }
  return address.port;
}

async function removeOwn(file: string, url: string): Promise<void> {
  // A successor may have written its own file already; that one stays.
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text.includes(JSON.stringify(url))) await rm(file, { force: true });
}
