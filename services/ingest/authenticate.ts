/**
 * Who calls: spec A.0 rows 4 to 6. A key that is not known is always answered 401, and where the key is in a header that is
 * before any of the body is read.
 */
import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import type { Workspace } from '../../schemas/ids.ts';
import { callerOf, tellCaller } from '../runtime/caller.ts';
import { assert } from '../runtime/errors.ts';
import { unauthorized } from './answers.ts';

/** Looks up keys; undefined: no such key. */
export interface Keys {
  track(siteId: string, apiKey: string): Workspace | undefined;
  pipelines(writeKey: string): Workspace | undefined;
  app(appKey: string): Workspace | undefined;
}

/** `Basic site_id:api_key`, the base64 standard or URL-safe, padded or not. */
export function trackWorkspace(keys: Keys, authorization: string | undefined): Workspace | undefined {
  const pair = basicPair(authorization);
  return pair === undefined ? undefined : keys.track(pair.user, pair.password);
}

/** `Basic write_key:` */
function pipelinesWorkspace(keys: Keys, authorization: string | undefined): Workspace | undefined {
  const pair = basicPair(authorization);
  return pair?.password === '' ? keys.pipelines(pair.user) : undefined;
}

/** `Bearer app_key`. */
function appWorkspace(keys: Keys, authorization: string | undefined): Workspace | undefined {
  const match = /^bearer +(\S+) *$/i.exec(authorization ?? '');
  return match?.[1] === undefined ? undefined : keys.app(match[1]);
}

export const onlyTrack = (keys: Keys): onRequestHookHandler => only((header) => trackWorkspace(keys, header));
export const onlyApp = (keys: Keys): onRequestHookHandler => only((header) => appWorkspace(keys, header));

function only(find: (header: string | undefined) => Workspace | undefined): onRequestHookHandler {
  return (request, reply, done) => {
    const workspace = find(request.headers.authorization);
    if (workspace === undefined) {
      void unauthorized(reply);
      return;
    }
    tellCaller(request, { workspace });
    done();
  };
}

/**
 * A call without a header has its key in the body. On the routes of browsers so has one with a header, which may be there
 * for another site on the same host (a page behind a password, say).
 */
export function pipelinesHeader(
  keys: Keys,
  { isBrowser }: { readonly isBrowser: boolean },
): onRequestHookHandler {
  return (request, reply, done) => {
    const { authorization } = request.headers;
    const workspace = pipelinesWorkspace(keys, authorization);
    if (workspace === undefined && authorization !== undefined && !isBrowser) {
      void unauthorized(reply);
      return;
    }
    if (workspace !== undefined) tellCaller(request, { workspace });
    done();
  };
}

export interface BodyKey {
  readonly keys: Keys;
  readonly isBrowser: boolean;
  /** The key of the body, if it holds one. */
  readonly key: unknown;
}

/** On the routes of browsers the body's key goes before the header's, elsewhere the header's before the body's. */
export function pipelinesCaller(
  request: FastifyRequest,
  { keys, isBrowser, key }: BodyKey,
): Workspace | undefined {
  const known = callerOf(request)?.workspace ?? undefined;
  const isNamed = typeof key === 'string' && (isBrowser || known === undefined);
  return isNamed ? keys.pipelines(key) : known;
}

/** Of a route that `onlyTrack` or `onlyApp` stands before. */
export function knownWorkspace(request: FastifyRequest): Workspace {
  const workspace = callerOf(request)?.workspace ?? undefined;
  assert(workspace !== undefined, 'a route is reached by callers who are known');
  return workspace;
}

function basicPair(authorization: string | undefined): { user: string; password: string } | undefined {
  const match = /^basic +([\w+/=-]+) *$/i.exec(authorization ?? '');
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], 'base64').toString('utf8'); // takes both alphabets, with or without padding
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
