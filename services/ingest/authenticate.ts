/**
 * Who calls: spec A.0 rows 4 to 6. A key that is not known is always answered 401, and where the key is in a header that is
 * before any of the body is read.
 */
import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import type { Workspace } from '../../schemas/ids.ts';
import { callerOf, tellCaller, type KnownKey } from '../runtime/caller.ts';
import { assert } from '../runtime/errors.ts';
import { basicPair, bearerToken } from './sent-credentials.ts';
import { turnAway, type ShownKeys } from './turned-away.ts';

/** Looks up keys; undefined: no such key, or one that has ended. */
export interface Keys extends ShownKeys {
  /** @param secret at the door `track`: `site_id:api_key`. */
  find(door: 'track' | 'write' | 'app', secret: string): KnownKey | undefined;
  pipelines(writeKey: string): Workspace | undefined;
}

type Find = (authorization: string | undefined) => KnownKey | undefined;

/** `Basic site_id:api_key`, the base64 standard or URL-safe, padded or not. */
export const trackKey =
  (keys: Keys): Find =>
  (authorization) => {
    const pair = basicPair(authorization);
    return pair === undefined ? undefined : keys.find('track', `${pair.user}:${pair.password}`);
  };

/** `Basic write_key:` */
export function pipelinesKey(keys: Keys, authorization: string | undefined): KnownKey | undefined {
  const pair = basicPair(authorization);
  return pair?.password === '' ? keys.find('write', pair.user) : undefined;
}

/** `Bearer app_key`. */
export const appKey =
  (keys: Keys): Find =>
  (authorization) => {
    const token = bearerToken(authorization);
    return token === undefined ? undefined : keys.find('app', token);
  };

export const onlyTrack = (keys: Keys): onRequestHookHandler => only(keys, 'track', trackKey(keys));
export const onlyApp = (keys: Keys): onRequestHookHandler => only(keys, 'app', appKey(keys));

function only(keys: Keys, wanted: 'track' | 'app', find: Find): onRequestHookHandler {
  return (request, reply, done) => {
    const key = find(request.headers.authorization);
    if (key === undefined) {
      void turnAway(keys, { request, reply, wanted });
      return;
    }
    tellCaller(request, { workspace: key.workspace, key });
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
    const key = pipelinesKey(keys, authorization);
    if (key === undefined && authorization !== undefined && !isBrowser) {
      void turnAway(keys, { request, reply, wanted: 'write' });
      return;
    }
    if (key !== undefined) tellCaller(request, { workspace: key.workspace, key });
    done();
  };
}

export interface BodyKey {
  readonly keys: Keys;
  readonly isBrowser: boolean;
  /** The key of the body, if it holds one. */
  readonly key: unknown;
}

/**
 * On the routes of browsers the body's key goes before the header's, elsewhere the header's before the body's. From here
 * on the request's caller is who was found.
 */
export function pipelinesCaller(
  request: FastifyRequest,
  { keys, isBrowser, key: sent }: BodyKey,
): Workspace | undefined {
  const known = callerOf(request);
  const isNamed = typeof sent === 'string' && (isBrowser || known === undefined);
  if (!isNamed) return known?.workspace ?? undefined;
  const key = keys.find('write', sent);
  if (key !== undefined) tellCaller(request, { workspace: key.workspace, key });
  return key?.workspace ?? undefined;
}

/** Of a route that `onlyTrack` or `onlyApp` stands before. */
export function knownWorkspace(request: FastifyRequest): Workspace {
  const workspace = callerOf(request)?.workspace ?? undefined;
  assert(workspace !== undefined, 'a route is reached by callers who are known');
  return workspace;
}
