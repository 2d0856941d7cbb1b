/**
 * What the routes of Customer.io's App API share (spec A.5): the app key, its error envelope, and pages. A list is read
 * with `limit` and goes on at `start`, which is the `next` of the page before.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Workspace } from '../../schemas/ids.ts';
import { answer, unauthorized, workspaceOf } from './answers.ts';
import type { AppKeys } from './ports.ts';

/** Answered as `{"errors": [{"detail", "status"}]}`. */
export interface AppFault {
  readonly fault: string;
  readonly status: 400 | 404;
}

export function badCall(fault: string): AppFault {
  return { fault, status: 400 };
}
export function nobody(what: string): AppFault {
  return { fault: `could not find ${what}`, status: 404 };
}
export function isFault(value: unknown): value is AppFault {
  return typeof value === 'object' && value !== null && 'fault' in value;
}

export interface AppCall {
  readonly workspace: Workspace;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly request: FastifyRequest;
}

/** A handler of a route that is for holders of an app key: what it returns is the body of a 200, or a fault. */
export function appRoute(
  keys: Pick<AppKeys, 'app'>,
  handle: (call: AppCall) => Promise<object> | object,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const workspace = workspaceOf(keys, request);
    if (workspace === undefined) return unauthorized(reply);
    const params = request.params as Record<string, string>; // Fastify's, from the path
    const query = request.query as Record<string, unknown>; // Fastify's parsed query
    const result = await handle({ workspace, params, query, request });
    if (!isFault(result)) return answer(reply, 200, result);
    const { fault: detail, status } = result;
    return answer(reply, status, { errors: [{ detail, status: String(status) }] });
  };
}

/** Texts that say where a page ends, in the order of its list. */
export type Place = readonly string[];

export interface Page {
  readonly limit: number;
  /** Empty for the first page. */
  readonly after: Place;
}

/** @param parts of a place in this list. */
export function pageOf(
  query: Readonly<Record<string, unknown>>,
  { limitDefault, limitMax, parts }: { limitDefault: number; limitMax: number; parts: number },
): Page | AppFault {
  const { limit: asked = String(limitDefault), start = '' } = query;
  const limit = typeof asked === 'string' && /^\d{1,9}$/.test(asked) ? Number(asked) : 0;
  if (limit < 1 || limit > limitMax) return badCall(`limit must be a number from 1 to ${String(limitMax)}`);
  if (start === '') return { limit, after: [] };
  const after = typeof start === 'string' ? placeIn(start) : undefined;
  if (after?.length !== parts) return badCall('start must be the next of a page before');
  return { limit, after };
}

/** What was asked for one more of, cut to the page; `next` is empty on the last page. */
export function paged<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => Place,
): { readonly rows: readonly Row[]; readonly next: string } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const next = rows.length > limit && last !== undefined ? textOfPlace(placeOf(last)) : '';
  return { rows: page, next };
}

function textOfPlace(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function placeIn(text: string): Place | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
