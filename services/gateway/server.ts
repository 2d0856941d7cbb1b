/** The one HTTP port: what holds for every route (spec A.0). The routes themselves are plugins of other rooms. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { RequestListener } from 'node:http';
import { appPlugin, type AppOptions } from '../app/plugin.ts';
import { onSitePages, type OnSiteOptions } from '../on-site/plugin.ts';
import { browserPlugin, type BrowserOptions } from '../browser/plugin.ts';
import { demoPlugin, type DemoOptions } from '../demo/plugin.ts';
import { frontPagePlugin, type FrontPageOptions } from '../front-page/plugin.ts';
import { openIngest, type IngestOptions, type WholeCalls } from '../ingest/plugin.ts';
import { assert, CodedError } from '../runtime/errors.ts';
import { bodyMsMax, readBodies, type BodyOptions } from './body.ts';
import { ClientAddresses } from './client-address.ts';
import { setFirstPartyId, type FirstPartyId } from './first-party-id.ts';
import { answerBroken, doorOptions, requestMsMax, type Doors } from './door.ts';
import { answerPreflight } from './preflight.ts';
import type { QuietLog } from './quiet-log.ts';
import { RouteHints } from './route-hints.ts';
import { answerError, answerRefusal, COMMON_HEADERS } from './refusals.ts';
import { parseQuery, shortPolls, type ShortPollsOptions } from './short-polls.ts';
import { turnedAwayPages } from './turned-away-pages.ts';
import { wholeRequests, type WholeRequestsOptions } from './whole-requests.ts';

export interface ServerOptions extends Pick<BodyOptions, 'budgets'> {
  readonly ingest: IngestOptions;
  readonly app: AppOptions;
  readonly onSite: OnSiteOptions;
  readonly browser: Omit<BrowserOptions, 'turnedAway'>;
  readonly frontPage: FrontPageOptions;
  /** undefined: there is no page /demo. */
  readonly demo?: DemoOptions | undefined;
  /** undefined: no cookie is set. */
  readonly firstPartyId?: FirstPartyId | undefined;
  readonly log: QuietLog;
  readonly doors: Doors;
  /** Who is behind proxies; undefined: there are none. */
  readonly clients?: ClientAddresses;
  /** Of a body, first byte to last; 30 s unless a test says otherwise. */
  readonly bodyMsMax?: number;
}

/** A path segment of 150 bytes, percent-encoded, and room to be refused as too long instead of as unknown. */
const segmentCharsMax = 4_096;

export function buildServer({
  ingest,
  app,
  browser,
  frontPage,
  onSite,
  log,
  doors,
  ...options
}: ServerOptions): FastifyInstance {
  const server = Fastify({
    logger: false,
    requestTimeout: requestMsMax,
    return503OnClosing: false, // it would not be our envelope: see below
    http: doorOptions,
    routerOptions: {
      maxParamLength: segmentCharsMax,
      ignoreDuplicateSlashes: true,
      ignoreTrailingSlash: true,
      querystringParser: parseQuery,
    },
    // Before all hooks.
    frameworkErrors: (error, request, reply) => {
      if (!doors.noteAnswer(request.raw.socket, reply.raw)) return;
      void answerError(log, error, reply.headers(COMMON_HEADERS));
    },
    clientErrorHandler: answerBroken,
  });
  const { plugin, whole, sawUnknown } = openIngest(ingest);
  const hints = new RouteHints();
  hints.learn(server);
  let isClosing = false;
  server.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  doors.guard(server.server);
  doors.follow(server);
  server.addHook('onRequest', (request, reply, done) => {
    if (!doors.noteAnswer(request.raw.socket, reply.raw)) return;
    reply.headers(COMMON_HEADERS);
    // Before the body: nobody has to be waited for, and nothing is kept for them.
    if (isClosing) void answerError(log, stopping(), reply);
    else if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      void answerRefusal(reply, 400, 'request_malformed', 'could not take the request: it names no host');
    } else if (request.method === 'OPTIONS') void answerPreflight(request, reply);
    else if (request.is404) sawUnknown(request, answerUnknown(hints, request, reply));
    else done();
  });
  const { clients = new ClientAddresses([]) } = options;
  readBodies(server, { budgets: options.budgets, clients, bodyMsMax: options.bodyMsMax ?? bodyMsMax });
  if (options.firstPartyId !== undefined) setFirstPartyId(server, options.firstPartyId);
  server.setErrorHandler((error: unknown, _request, reply) => answerError(log, error, reply));
  const pages = onSitePages(onSite);
  const budget = options.budgets.known;
  const { answerPoll } = pages;
  goShort(server, { doors, log, isClosing: () => isClosing, budget, clients, whole, answerPoll });
  void server.register(plugin);
  void server.register(pages.plugin);
  void server.register(browserPlugin, { ...browser, turnedAway: turnedAwayPages(ingest) });
  void server.register(frontPagePlugin, frontPage);
  void server.register(appPlugin, app);
  if (options.demo !== undefined) void server.register(demoPlugin, options.demo);
  return server;
}

type Short = Omit<WholeRequestsOptions, 'calls' | 'ordinary'> &
  Pick<ShortPollsOptions, 'answerPoll'> & { readonly whole: WholeCalls | undefined };

/** What is most of all requests is looked at before Fastify has it. */
function goShort(server: FastifyInstance, { whole, ...ways }: Short): void {
  const [ordinary] = server.server.listeners('request') as RequestListener[]; // what Fastify has put there
  assert(ordinary !== undefined, 'Fastify listens to its server from the start');
  server.server.off('request', ordinary);
  const next = whole === undefined ? ordinary : wholeRequests({ ...ways, calls: whole, ordinary });
  server.server.on('request', shortPolls({ ...ways, next }));
}

function stopping(): CodedError {
  return new CodedError('stopping', 'could not take the request: this server is stopping');
}

/** An unbuilt route is 404 with JSON. @returns what it said. */
function answerUnknown(hints: RouteHints, { method, url }: FastifyRequest, reply: FastifyReply): string {
  const path = url.split('?')[0] ?? '';
  const hint = hints.of(method, path);
  const message = `could not find ${method} ${path}${hint === undefined ? '' : `; ${hint}`}`;
  void answerRefusal(reply, 404, 'not_found', message);
  return message;
}
