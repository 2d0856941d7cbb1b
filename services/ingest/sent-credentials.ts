/** What an Authorization header holds. */
import { RecentMap } from '../runtime/recent-map.ts';

export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

export interface Pair {
  readonly user: string;
  readonly password: string;
}

/** Every call of a server has the same header. In memory only, as the call itself is. */
const known = new RecentMap<string, Pair>(1_000);
/** Longer ones are read each time. */
const knownCharsMax = 300;

export function basicPair(authorization: string | undefined): Pair | undefined {
  if (authorization === undefined) return undefined;
  const before = known.get(authorization);
  if (before !== undefined) return before;
  const pair = pairIn(authorization);
  if (pair !== undefined && authorization.length <= knownCharsMax) known.set(authorization, pair);
  return pair;
}

function pairIn(authorization: string): Pair | undefined {
  const match = /^basic +([\w+/=-]+) *$/i.exec(authorization);
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], 'base64').toString('utf8'); // takes both alphabets, with or without padding
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
