/**
 * `GET /v1/explain/segments/{id}?person=…` and `…/journeys/{id}?person=…`: why somebody is in a segment or is not, and what
 * a journey would do with them now. The service that decides is asked, so the answer goes by its state and its code, and
 * says as of which record that is.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answer, badRequest, notFound, unauthorized, workspaceOf } from '../answers.ts';
import { find, namedBy } from '../customers/people.ts';
import type { AnsweredWhy, AppKeys, DefinitionsStore, Query, RulesView } from '../ports.ts';
import { readAsked } from './asked.ts';
import { fromEvents } from './from-events.ts';

export interface ExplainOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly query: Query;
  readonly definitions: Pick<DefinitionsStore, 'get'>;
  readonly rules: Pick<RulesView, 'explain'>;
}

export function mountExplain(app: FastifyInstance, options: ExplainOptions): void {
  for (const kind of ['segment', 'journey'] as const) {
    app.get<{ Params: { id: string } }>(`/v1/explain/${kind}s/:id`, (request, reply) =>
      explain(options, kind, request, reply),
    );
  }
}

async function explain(
  { keys, query, definitions, rules }: ExplainOptions,
  kind: 'segment' | 'journey',
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = workspaceOf(keys, request);
  if (workspace === undefined) return unauthorized(reply);
  const asked = readAsked(kind, request.query as Record<string, unknown>); // Fastify's parsed query
  if ('faults' in asked) return badRequest(reply, asked.faults);
  const named = namedBy(asked.person, undefined);
  const personId = 'fault' in named ? undefined : await find(query, workspace, named);
  if (personId === undefined) return notFound(reply, `person ${asked.person}`);
  const { id: ruleId } = request.params;
  // The service that decides may be away while it is known here that there is no such rule.
  const isStored = definitions.get(kind, workspace, ruleId) !== undefined;
  const answered = await rules
    .explain({ workspace, kind, ruleId, personId, key: asked.key, at: asked.at })
    .catch((error: unknown): AnsweredWhy => {
      if (isStored) throw error;
      return { type: 'rule_unknown' };
    });
  switch (answered.type) {
    case 'explained': {
      const { body } = definitions.get(kind, workspace, ruleId) ?? {};
      const of = { workspace, kind, body, at: answered.asOf.at };
      const explained = await fromEvents(query, of, answered.explained);
      return answer(reply, 200, shown({ ...answered, explained }));
    }
    case 'rule_unknown':
      return notFound(reply, `${kind} ${ruleId}`);
    default:
      return notFound(reply, `person ${asked.person}`);
  }
}

function shown({ explained, asOf }: Extract<AnsweredWhy, { readonly type: 'explained' }>): object {
  const { partition, offset, definitionsOffset } = asOf;
  return {
    ...explained,
    at: new Date(asOf.at).toISOString(),
    as_of: {
      partition,
      offset,
      definitions_offset: definitionsOffset,
      read_to: new Date(asOf.readTo).toISOString(),
    },
  };
}
