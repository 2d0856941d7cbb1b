/**
 * `POST /v1/definitions/segments/{id}/preview`: who would be in it now, of the stored definition or of the one in the body,
 * before anything is stored; of a body beside a stored one also how many would enter it and leave it. The rule as SQL over
 * the views is asked (contract, *Definitions*).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fault } from '../../schemas/http/app.ts';
import { definitionBytesMax } from '../../schemas/http/limits.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { Condition, Segment } from '../rules/condition.ts';
import { StoredPatterns } from '../rules/definition-patterns.ts';
import { parseSegment } from '../rules/parse.ts';
import { peopleSql, TooManyConditions } from '../rules/sql.ts';
import { answer, badRequest, notFound, readBody, unauthorized, workspaceOf } from './answers.ts';
import { readIdentifiers } from './customers/people.ts';
import type { AppKeys, DefinitionsStore, Query } from './ports.ts';
import { segmentFaults } from './references.ts';

export interface PreviewOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly definitions: DefinitionsStore;
  readonly query: Query;
}

/** People of the sample: those whose cio_ids are the least, which is any of them. */
export const sampleMax = 20;

const isManual: Fault = {
  pointer: '/type',
  code: 'invalid_call',
  message: 'people are put into a manual segment by call: there is no rule to preview',
};

export function mountPreview(app: FastifyInstance, options: PreviewOptions): void {
  app.post<{ Params: { id: string } }>('/v1/definitions/segments/:id/preview', (request, reply) =>
    preview(options, request, reply),
  );
}

async function preview(
  options: PreviewOptions,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { keys, definitions, query } = options;
  const workspace = workspaceOf(keys, request);
  if (workspace === undefined) return unauthorized(reply);
  const { id } = request.params;
  const asked = hasBody(request)
    ? inBody(definitions, workspace, id, request)
    : stored(definitions, workspace, id);
  if (asked === undefined) return notFound(reply, `segment ${id}`);
  if ('faults' in asked) return badRequest(reply, asked.faults);
  const now = definitions.clock ?? Date.now();
  const segment = (segmentId: string) => read(definitions.get('segment', workspace, segmentId)?.body);
  const sql = sqlOf(() => peopleSql(asked.when, { workspace, now, segment }));
  if (typeof sql !== 'string') return badRequest(reply, [sql]);
  const [row] = await query(
    `SELECT count() AS people, groupArraySorted(${String(sampleMax)})(person_id) AS sample FROM (${sql})`,
    { workspace },
  );
  const isEdit = hasBody(request) && stored(definitions, workspace, id) !== undefined;
  const changes = isEdit ? await changesFrom(query, sql, { workspace, id }) : {};
  const sample = Array.isArray(row?.['sample']) ? row['sample'].map(String) : [];
  return answer(reply, 200, {
    count: Number(row?.['people'] ?? 0),
    ...changes,
    sample: await readIdentifiers(query, workspace, sample),
    at: new Date(now).toISOString(),
  });
}

/** Beside those who are in the stored one now: how many would enter, and how many would leave. */
async function changesFrom(
  query: Query,
  sql: string,
  { workspace, id }: { readonly workspace: Workspace; readonly id: string },
): Promise<{ readonly enter: number; readonly leave: number }> {
  const [row] = await query(
    `SELECT countIf(is_in = 0) AS enter, countIf(will_be = 0) AS leave FROM (
       SELECT person_id, max(would) AS will_be, max(now) AS is_in FROM (
         SELECT person_id, 1 AS would, 0 AS now FROM (${sql})
         UNION ALL
         SELECT person_id, 0 AS would, 1 AS now FROM segment_memberships
         WHERE workspace = {workspace:String} AND segment_id = {segment:String}
       ) GROUP BY person_id
     )`,
    { workspace, segment: id },
  );
  return { enter: Number(row?.['enter'] ?? 0), leave: Number(row?.['leave'] ?? 0) };
}

/** Of a rule that was stored before what it may refer to was bounded: no question. */
function sqlOf(write: () => string): string | Fault {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof TooManyConditions)) throw error;
    return { pointer: '/when', code: 'too_many', message: error.message };
  }
}

type Asked = { readonly when: Condition } | { readonly faults: readonly Fault[] };

function hasBody({ body }: FastifyRequest): boolean {
  return Buffer.isBuffer(body) && body.length > 0;
}

function inBody(
  definitions: DefinitionsStore,
  workspace: Workspace,
  id: string,
  request: FastifyRequest,
): Asked {
  const body = readBody(request, definitionBytesMax);
  if (!body.ok) return { faults: [body.fault] };
  const parsed = parseSegment(body.value);
  if (!parsed.ok) return { faults: parsed.faults };
  const faults = segmentFaults(definitions, workspace, id, parsed.value);
  return faults.length > 0 ? { faults } : whenOf(parsed.value);
}

/** undefined: there is none, or none that this version can read. */
function stored(definitions: DefinitionsStore, workspace: Workspace, id: string): Asked | undefined {
  const segment = read(definitions.get('segment', workspace, id)?.body);
  return segment && whenOf(segment);
}

function whenOf(segment: Segment): Asked {
  return segment.type === 'manual' ? { faults: [isManual] } : { when: segment.when };
}

function read(body: unknown): Segment | undefined {
  const parsed = body === undefined ? undefined : parseSegment(body, new StoredPatterns(true));
  return parsed?.ok === true ? parsed.value : undefined;
}
