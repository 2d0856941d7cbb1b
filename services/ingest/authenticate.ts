/** Who calls: spec A.0 rows 4 to 6. A key that is not known is always answered 401. */
import type { Workspace } from '../../schemas/ids.ts';

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

/** `Basic write_key:`; browsers send no header but the key within the body. */
export function pipelinesWorkspace(
  keys: Keys,
  authorization: string | undefined,
  bodyKey: () => unknown,
): Workspace | undefined {
  if (authorization === undefined) {
    const key = bodyKey();
    return typeof key === 'string' ? keys.pipelines(key) : undefined;
  }
  const pair = basicPair(authorization);
  return pair?.password === '' ? keys.pipelines(pair.user) : undefined;
}

/** `Bearer app_key`. */
export function appWorkspace(keys: Keys, authorization: string | undefined): Workspace | undefined {
  const match = /^bearer +(\S+) *$/i.exec(authorization ?? '');
  return match?.[1] === undefined ? undefined : keys.app(match[1]);
}

function basicPair(authorization: string | undefined): { user: string; password: string } | undefined {
  const match = /^basic +([\w+/=-]+) *$/i.exec(authorization ?? '');
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], 'base64').toString('utf8'); // takes both alphabets, with or without padding
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
