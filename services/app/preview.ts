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
import type { StoredDefinition } from '../runtime/definitions.ts';
import { answer, badRequest, notFound, readBody, unauthorized, workspaceOf } from './answers.ts';
import { readIdentifiers } from './customers/people.ts';
import { editWarnings } from './edit-warnings.ts';
import type { AppKeys, DefinitionsStore, Query } from './ports.ts';
import { segmentFaults } from './references.ts';
import { contentWarnings } from './rule-warnings.ts';

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
  const before = hasBody(request) ? definitions.get('segment', workspace, id) : undefined;
  const changes = before === undefined ? undefined : await changesFrom(query, sql, { workspace, id });
  const sample = textsIn(row?.['sample']);
  const { enter = 0, leave = 0, entering = [], leaving = [] } = changes ?? {};
  const people = await readIdentifiers(query, workspace, [...new Set([...sample, ...entering, ...leaving])]);
  const byId = new Map(people.map((person) => [person.cio_id, person]));
  const named = (ids: readonly string[]) => ids.flatMap((personId) => byId.get(personId) ?? []);
  const warnings = await warningsOf(query, before, asked);
  return answer(reply, 200, {
    count: Number(row?.['people'] ?? 0),
    ...(changes && { enter, leave }),
    sample: named(sample),
    ...(changes && { enter_sample: named(entering), leave_sample: named(leaving) }),
    at: new Date(now).toISOString(),
    ...(warnings.length > 0 && { warnings }),
  });
}

/** As a `PUT` has them, but of the past: it is counted here. */
async function warningsOf(
  query: Query,
  before: StoredDefinition | undefined,
  { segment, body, workspace }: Previewed,
): Promise<readonly Fault[]> {
  const [ofEdit, ofContent] = await Promise.all([
    editWarnings(query, before, body),
    contentWarnings(query, { workspace, definition: segment }),
  ]);
  return [...ofEdit, ...ofContent];
}

interface Changes {
  readonly enter: number;
  readonly leave: number;
  /** Of these some, by cio_id. */
  readonly entering: readonly string[];
  readonly leaving: readonly string[];
}

/** Beside those who are in the stored one now: who would enter, and who would leave. */
async function changesFrom(
  query: Query,
  sql: string,
  { workspace, id }: { readonly workspace: Workspace; readonly id: string },
): Promise<Changes> {
  const some = `groupArraySortedIf(${String(sampleMax)})`;
  const [row] = await query(
    `SELECT
       countIf(is_in = 0) AS enter, countIf(will_be = 0) AS leave,
       ${some}(person_id, is_in = 0) AS entering, ${some}(person_id, will_be = 0) AS leaving
     FROM (
       SELECT person_id, max(would) AS will_be, max(now) AS is_in FROM (
         SELECT person_id, 1 AS would, 0 AS now FROM (${sql})
         UNION ALL
         SELECT person_id, 0 AS would, 1 AS now FROM segment_memberships
         WHERE workspace = {workspace:String} AND segment_id = {segment:String}
       ) GROUP BY person_id
     )`,
    { workspace, segment: id },
  );
  const { enter = 0, leave = 0, entering, leaving } = row ?? {};
  return {
    ...{ enter: Number(enter), leave: Number(leave) },
    ...{ entering: textsIn(entering), leaving: textsIn(leaving) },
  };
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
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

interface Previewed {
  readonly workspace: Workspace;
  readonly segment: Segment;
  /** As it was written. */
  readonly body: unknown;
  readonly when: Condition;
}
type Asked = Previewed | { readonly faults: readonly Fault[] };

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
  return faults.length > 0 ? { faults } : previewed(workspace, parsed.value, body.value);
}

/** undefined: there is none, or none that this version can read. */
function stored(definitions: DefinitionsStore, workspace: Workspace, id: string): Asked | undefined {
  const { body } = definitions.get('segment', workspace, id) ?? {};
  const segment = read(body);
  return segment && previewed(workspace, segment, body);
}

function previewed(workspace: Workspace, segment: Segment, body: unknown): Asked {
  return segment.type === 'manual'
    ? { faults: [isManual] }
    : { workspace, segment, body, when: segment.when };
}

function read(body: unknown): Segment | undefined {
  const parsed = body === undefined ? undefined : parseSegment(body, new StoredPatterns(true));
  return parsed?.ok === true ? parsed.value : undefined;
}
