/**
 * A visitor's anonymous id, set by the shop's own host (HINDSIGHT_COOKIE_DOMAIN). Browsers cut what a script has written to
 * seven days; what a server of the same site has set stays for 400. A script that reads the id writes it anew on each page,
 * which cuts it again, so there is a second cookie that no script of ours touches: the keeper, from which the id comes back.
 *
 * With a script that a page loads: the client's cookie as the browser has it, else the keeper's, else a new id. With a call:
 * what the browser has, renewed, and nothing new: whoever has no id at that moment has made one up already.
 */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { identifierBytesMax } from '../../schemas/http/limits.ts';
import { canonicalName } from '../../schemas/identifiers.ts';
import { isPlaceholder } from '../../schemas/placeholders.ts';

/** Where the two clients keep it, by the script that they are. */
const CLIENT_COOKIES: ReadonlyMap<string, string> = new Map([
  ['/v1/analytics-js/snippet/:write_key/analytics.min.js', 'ajs_anonymous_id'],
  ['/assets/:write_key/track.js', '_cioanonid'],
]);
const CALLS = new Set([
  ...['identify', 'track', 'page', 'screen', 'alias', 'group', 'batch'].map((type) => `/v1/${type[0] ?? ''}`),
  '/v1/projects/:write_key/settings',
]);
export const KEEPER = 'hindsight_anonymous_id';
/** As long as browsers allow: 400 days. */
const AGE_S = 400 * 86_400;
/** A header of cookies that is longer is not read: it is none that these clients and the shop's pages need. */
const HEADER_CHARS_MAX = 16_384;
/** What may stand in a cookie, three characters for each byte of an id that is percent-encoded. */
const VALUE = new RegExp(`^[!#-+\\--:<-\\[\\]-~]{1,${String(3 * identifierBytesMax)}}$`);

export interface FirstPartyId {
  /** The shop's: `shop.example`, for all of its hosts. */
  readonly domain: string;
  /** A new id; a uuid unless a test says otherwise. */
  readonly newId?: () => string;
}

/** Sets the cookies on answers that take a call or send a script, and on no other. */
export function setFirstPartyId(server: FastifyInstance, { domain, newId = randomUUID }: FirstPartyId): void {
  server.addHook('onSend', (request, reply, payload, done) => {
    const { url = '' } = request.routeOptions;
    const script = CLIENT_COOKIES.get(url);
    if (reply.statusCode < 400 && (script !== undefined || CALLS.has(url))) {
      const has = cookiesIn(request.headers.cookie);
      const set = script === undefined ? renewed(has) : ofScript(script, has, newId);
      if (set.length > 0)
        reply.header(
          'set-cookie',
          set.map(([name, id]) => cookie(name, id, domain)),
        );
      // It is one visitor's answer from here on: what stands between must not give it to others.
      if (script !== undefined) reply.header('cache-control', 'private, no-cache');
    }
    done(null, payload);
  });
}

type Cookie = readonly [name: string, value: string];

function ofScript(name: string, has: ReadonlyMap<string, string>, newId: () => string): readonly Cookie[] {
  const id = has.get(name) ?? has.get(KEEPER) ?? newId();
  return [
    [name, id],
    [KEEPER, id],
  ];
}

function renewed(has: ReadonlyMap<string, string>): readonly Cookie[] {
  const clients = [...CLIENT_COOKIES.values()].flatMap((name): Cookie[] => {
    const id = has.get(name);
    return id === undefined ? [] : [[name, id]];
  });
  const id = clients[0]?.[1] ?? has.get(KEEPER);
  return id === undefined ? [] : [...clients, [KEEPER, id]];
}

function cookie(name: string, id: string, domain: string): string {
  return `${name}=${id}; Domain=${domain}; Path=/; Max-Age=${String(AGE_S)}; Secure; SameSite=Lax`;
}

/** Those of ours that name somebody, as the browser wrote them. Of one that is there twice the first counts. */
function cookiesIn(header: string | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (header === undefined || header.length > HEADER_CHARS_MAX) return found;
  for (const part of header.split(';')) {
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    const isOurs = name === KEEPER || [...CLIENT_COOKIES.values()].includes(name);
    const value = part.slice(at + 1).trim();
    if (isOurs && !found.has(name) && namesSomebody(value)) found.set(name, value);
  }
  return found;
}

function namesSomebody(value: string): boolean {
  if (!VALUE.test(value)) return false;
  let name: string;
  try {
    name = canonicalName(decodeURIComponent(value));
  } catch {
    return false; // a percent sign that encodes nothing
  }
  return name !== '' && Buffer.byteLength(name) <= identifierBytesMax && !isPlaceholder(name);
}
