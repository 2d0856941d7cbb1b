/** The load on a door, from outside: the only importer of autocannon, which has as many under way as there are connections. */
import autocannon from 'autocannon';
import { CodedError } from '../../services/runtime/errors.ts';
import type { LoadFigures } from './load-figures.ts';
import { steady } from './steady.ts';

export interface Shot {
  readonly path: string;
  /** With `[<id>]` where each request has an id of its own. */
  readonly body: string;
  /** Events of one request. */
  readonly events: number;
  /** Of each request anew, in the place of path and body: a GET. */
  readonly nextPath?: () => string;
}

export interface LoadOptions {
  readonly url: string;
  readonly writeKey: string;
  readonly seconds: number;
  readonly connections: number;
  /** Requests per second; as fast as they are answered where it is not given. */
  readonly rate?: number;
}

/** Over all loads of this process. */
let requests = 0;

/** @throws CodedError `bench_failed` when nothing at all is answered. */
export async function load(shot: Shot, { url, writeKey, ...how }: LoadOptions): Promise<LoadFigures> {
  const { seconds, connections, rate } = how;
  const headers = {
    authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`,
    'content-type': 'application/json',
  };
  if (rate !== undefined) {
    const next = () => requestOf(shot, url);
    return steady({ headers, connections, seconds, rate, next });
  }
  const result = await autocannon({
    url: `${url}${shot.path}`,
    ...requestsOf(shot),
    headers,
    connections,
    duration: seconds,
  });
  if (result['2xx'] + result.non2xx === 0) throw new CodedError('bench_failed', 'nothing was answered');
  return {
    requests: result['2xx'],
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.non2xx + result.errors + result.timeouts,
  };
}

function requestOf({ path, nextPath, body }: Shot, url: string) {
  if (nextPath !== undefined) return { url: url + nextPath(), method: 'GET' };
  return { url: url + path, method: 'POST', body: body.replaceAll(ID, idOf()) };
}

function requestsOf({ nextPath, body }: Shot): Pick<autocannon.Options, 'method' | 'requests'> {
  if (nextPath !== undefined) {
    return {
      method: 'GET',
      requests: [{ setupRequest: (request) => ({ ...request, path: nextPath() }) }],
    };
  }
  // The generator's own replacement gives bodies of another length than it says.
  return {
    method: 'POST',
    requests: [{ setupRequest: (request) => ({ ...request, body: body.replaceAll(ID, idOf()) }) }],
  };
}

const ID = '[<id>]';
const ID_CHARS = 10;
function idOf(): string {
  requests += 1;
  return requests.toString(36).padStart(ID_CHARS, '0');
}

const properties = {
  ...{ product_id: 'p-boots', variant_id: 'p-boots-42', name: 'Winter boots', price: 129.9, quantity: 1 },
  ...{ category: 'Shoes', currency: 'EUR', cart_value: 259.8, url: 'https://shop.example/products/p-boots' },
};

function event(id: string): object {
  return { anonymousId: `v-${id}`, messageId: `m-${id}`, event: 'Added to Cart', properties };
}

/** About 400 bytes. */
export const single: Shot = { path: '/v1/track', body: JSON.stringify(event(ID)), events: 1 };
const BATCH_EVENTS = 100;
export const batch: Shot = {
  path: '/v1/batch',
  body: JSON.stringify({
    batch: Array.from({ length: BATCH_EVENTS }, (_, at) => ({
      type: 'track',
      ...event(`${ID}-${String(at)}`),
    })),
  }),
  events: BATCH_EVENTS,
};
