/** Nothing of a body is read before its sender's key is known. What the key may do is each route's own affair. */
import type { onRequestHookHandler } from 'fastify';
import { tellCaller } from '../runtime/caller.ts';
import { bearerOf, unauthorized } from './answers.ts';
import type { AppKeys } from './ports.ts';

const WITHOUT_BODY = new Set(['GET', 'HEAD']);

export function knownBeforeBody(keys: Pick<AppKeys, 'find'>): onRequestHookHandler {
  return (request, reply, done) => {
    if (WITHOUT_BODY.has(request.method)) {
      done();
      return;
    }
    const key = bearerOf(request) ?? '';
    const known = keys.find('app', key) ?? keys.find('admin', key);
    if (known === undefined) {
      void unauthorized(reply);
      return;
    }
    tellCaller(request, { workspace: known.workspace, key: known });
    done();
  };
}
