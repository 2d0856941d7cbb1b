/** A call that no route takes, with a key that is known: its workspace is to see it, as it sees what routes refuse. */
import type { FastifyRequest } from 'fastify';
import { ownText } from '../../schemas/own-text.ts';
import { appKey, pipelinesKey, trackKey, type Keys } from './authenticate.ts';
import type { Watch } from './door-watch.ts';

const routeCharsMax = 200;

/** @param message as it was answered. */
export type SawUnknown = (request: FastifyRequest, message: string) => void;

export function sawUnknown(keys: Keys, watch: Watch): SawUnknown {
  return ({ method, url, headers: { authorization } }, message) => {
    if (authorization === undefined) return;
    const key =
      pipelinesKey(keys, authorization) ?? trackKey(keys)(authorization) ?? appKey(keys)(authorization);
    if (key === undefined) return;
    const [path = ''] = url.split('?');
    watch.saw([
      {
        at: Date.now(),
        workspace: key.workspace,
        key: key.id,
        route: ownText(`${method} ${path}`.slice(0, routeCharsMax)),
        status: 404,
        answered: 'dropped',
        reason: 'not_found',
        message: ownText(message.slice(0, messageCharsMax)),
        type: null,
        name: null,
        messageId: null,
        anonymousId: null,
        identifier: null,
      },
    ]);
  };
}
const messageCharsMax = 300;
