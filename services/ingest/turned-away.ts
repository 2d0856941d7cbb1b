/**
 * A caller who is answered 401, and whose credentials were once good here or are good for other calls: they let nobody in,
 * but their workspace is to see in what its door tells (GET /v1/live) that somebody calls with the wrong key. The answer
 * says no more than before, unless the key has ended: who holds its secret has been let in with it once.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KnownKey } from '../runtime/caller.ts';
import { keyEndedText, type KeyInBody, type Wanted } from '../runtime/unauthorized.ts';
import { failure, unauthorized } from './answers.ts';
import { basicPair, bearerToken } from './sent-credentials.ts';

type Door = 'track' | 'write' | 'app';

interface ShownKey {
  readonly key: KnownKey;
  readonly door: Door;
  /** false: it has ended. */
  readonly active: boolean;
}

export interface ShownKeys {
  /** Also a key that has ended: for whoever is turned away with it, and to let nobody in. */
  shown(door: Door, secret: string): ShownKey | undefined;
}

interface TurnedAway {
  readonly key: KnownKey;
  /** What its workspace is told beside the answer. */
  readonly why: string;
}

const turnedAway = new WeakMap<FastifyRequest, TurnedAway>();

/** undefined: the credentials are none that were ever known here. */
export function turnedAwayOf(request: FastifyRequest): TurnedAway | undefined {
  return turnedAway.get(request);
}

/** 401. @param sentKey of the body. */
export function turnAway(
  keys: ShownKeys,
  { request, reply, wanted, sentKey, isUnreadable }: Turning,
): FastifyReply {
  const shown = shownKeys(request.headers.authorization, sentKey).flatMap(
    ([door, secret]) => keys.shown(door, secret) ?? [],
  );
  const ended = shown.find(({ door, active }) => door === wanted && !active);
  if (ended !== undefined) {
    turnedAway.set(request, { key: ended.key, why: '' });
    return failure(reply, 401, { meta: { error: keyEndedText, code: 'key_ended' } });
  }
  const [other] = shown;
  if (other !== undefined) {
    const { key, active } = other;
    const why = `; it came with ${active ? 'a' : 'an ended'} key of kind ${key.kind}`;
    turnedAway.set(request, { key, why });
  }
  return unauthorized(reply, wanted, keyInBody(sentKey, isUnreadable === true));
}

function keyInBody(sentKey: unknown, isUnreadable: boolean): KeyInBody {
  if (typeof sentKey === 'string' && sentKey.trim() !== '') return { type: 'sent', key: sentKey };
  return { type: isUnreadable ? 'unreadable' : 'none' };
}

interface Turning {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly wanted: Wanted;
  readonly sentKey?: unknown;
  /** The body, where a key may stand, is no JSON object. */
  readonly isUnreadable?: boolean;
}

/** Whatever in a call might be a key, with the door that it might be of. */
function shownKeys(authorization: string | undefined, sentKey: unknown): (readonly [Door, string])[] {
  const pair = basicPair(authorization);
  const token = bearerToken(authorization);
  const single = [sentKey, pair?.user, pair?.password, token].filter(
    (each): each is string => typeof each === 'string' && each !== '',
  );
  const doors: readonly Door[] = ['write', 'app'];
  return [
    ...(pair === undefined ? [] : [['track', `${pair.user}:${pair.password}`] as const]),
    ...single.flatMap((secret) => doors.map((door) => [door, secret] as const)),
  ];
}
