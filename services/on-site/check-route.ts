/** `GET /v1/in-app/check`: whether pages of a workspace have the plugin on, and have reported (spec E row 71). */
import type { FastifyInstance } from 'fastify';
import { answer, refuse } from './answers.ts';
import type { OnSiteOptions } from './ports.ts';

export function mountCheck(
  app: FastifyInstance,
  { keys, signs }: Pick<OnSiteOptions, 'keys' | 'signs'>,
): void {
  app.get('/v1/in-app/check', (request, reply) => {
    const workspace = keys.app(bearerOf(request.headers.authorization));
    return workspace === undefined
      ? refuse(reply, 401, 'unauthorized', 'Unauthorized request: the credentials are not valid')
      : answer(reply, 200, signs.of(workspace));
  });
}

/** As routes of on-site messages with an app key read it. */
export function bearerOf(authorization: string | undefined): string {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
}
