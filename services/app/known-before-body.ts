/** Nothing of a body is read before its sender's key is known. What the key may do is each route's own affair. */
import type { onRequestHookHandler } from 'fastify';
import { tellCaller } from '../runtime/caller.ts';
import { bearerOf, unauthorized } from './answers.ts';
import type { AppKeys } from './ports.ts';

const WITHOUT_BODY = new Set(['GET', 'HEAD']);

export function knownBeforeBody(keys: Pick<AppKeys, 'app' | 'isAdmin'>): onRequestHookHandler {
  return (request, reply, done) => {
    if (WITHOUT_BODY.has(request.method)) {
      done();
      return;
    }
    const key = bearerOf(request) ?? '';
    const workspace = keys.app(key) ?? null;
    if (workspace === null && !keys.isAdmin(key)) {
      void unauthorized(reply);
      return;
    }
    tellCaller(request, { workspace });
    done();
  };
}
