/**
 * The queue of on-site messages (contract, *On-site messages*) in front of a gateway: the routes under /v1/in-app are its
 * own, everything else goes through. It offers what the test has put up, and can refuse at the moment of showing.
 */
import { createHash } from 'node:crypto';
import { createServer, request as requestTo, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Members = Readonly<Record<string, unknown>>;

export interface FakeQueue {
  /** http://127.0.0.1:port */
  readonly url: string;
  /** What is offered from now on. */
  offers: readonly Members[];
  pollSeconds: number;
  /** Why the next showings are refused; undefined: they are not. */
  refusal: string | undefined;
  readonly polls: { readonly query: Members; readonly isTagged: boolean; readonly status: number }[];
  readonly shows: Members[];
  readonly reports: Members[];
  readonly consents: Members[];
  close(): Promise<void>;
}

/** @param gatewayPort where everything else is answered. */
export async function fakeQueue(gatewayPort: number): Promise<FakeQueue> {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/v1/in-app/') === true) void answer(fake, request, response);
    else pass(gatewayPort, request, response);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  const fake: FakeQueue = {
    url: `http://127.0.0.1:${String(port)}`,
    offers: [],
    pollSeconds: 1,
    refusal: undefined,
    polls: [],
    shows: [],
    reports: [],
    consents: [],
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => {
          done();
        });
      }),
  };
  return fake;
}

function pass(port: number, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  const passed = requestTo({ host: '127.0.0.1', port, method, path: url, headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(response);
  });
  passed.on('error', () => response.destroy());
  request.pipe(passed);
}

async function answer(fake: FakeQueue, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', fake.url);
  const cors = { 'access-control-allow-origin': '*', 'content-type': 'application/json' };
  if (pathname === '/v1/in-app/queue') {
    const text = JSON.stringify({ messages: fake.offers, poll_seconds: fake.pollSeconds });
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
    const tag = request.headers['if-none-match'];
    const status = tag === etag ? 304 : 200;
    fake.polls.push({ query: Object.fromEntries(searchParams), isTagged: tag !== undefined, status });
    response.writeHead(status, { ...cors, etag, 'cache-control': 'private, no-cache' });
    response.end(status === 304 ? undefined : text);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // of a request
  const body = JSON.parse(Buffer.concat(chunks).toString()) as Members; // the client's
  const { refusal } = fake;
  const kept = { shows: fake.shows, reports: fake.reports, consent: fake.consents }[pathname.slice(11)];
  kept?.push(body);
  const shown =
    refusal === undefined
      ? { show: true, exposure: body['exposure'], variant: body['variant'] }
      : { show: false, reason: refusal };
  response.writeHead(kept === undefined ? 404 : 200, cors);
  response.end(JSON.stringify(pathname.endsWith('/shows') ? shown : { taken: true }));
}
