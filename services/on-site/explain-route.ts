/** `GET /v1/explain/messages/{id}?anonymous_id=…`: why a visitor would see a message now, or would not. */
import type { FastifyInstance } from 'fastify';
import { answer, refuse } from './answers.ts';
import { bearerOf } from './check-route.ts';
import { pageOf, textOf } from './page-body.ts';
import { badTime } from './polls.ts';
import type { OnSiteOptions } from './ports.ts';
import { anonymousIdOf, laneOf } from './visitors.ts';

export function mountExplain(app: FastifyInstance, { keys, view, receiveTime }: OnSiteOptions): void {
  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/v1/explain/messages/:id',
    async (request, reply) => {
      const workspace = keys.app(bearerOf(request.headers.authorization));
      if (workspace === undefined) {
        return refuse(reply, 401, 'unauthorized', 'Unauthorized request: the credentials are not valid');
      }
      const { query, params } = request;
      const anonymousId = anonymousIdOf(query['anonymous_id']);
      if (anonymousId === undefined) {
        return refuse(reply, 400, 'invalid_call', 'anonymous_id must name a visitor');
      }
      const at = await receiveTime(request.headers['x-hindsight-received-at']);
      if (at === undefined) return refuse(reply, 400, 'invalid_call', badTime);
      const page = pageOf(query);
      const explained = await view.why({
        workspace,
        lane: laneOf(workspace, anonymousId),
        anonymousId,
        // Without a page the question is about everything else.
        moment: {
          at,
          page,
          agent: textOf(query['agent']) ?? null,
          isIdentified: false,
          isAnyPage: page === null,
        },
        messageId: params.id,
      });
      return explained === null
        ? refuse(reply, 404, 'not_found', `could not find message ${params.id}`)
        : answer(reply, 200, explained);
    },
  );
}
