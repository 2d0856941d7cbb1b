/**
 * Segments over the App API (spec A.5): the list, one, who is in it and how many, what uses it; manual ones are made and
 * deleted here too. Rules of data-driven ones are definitions (contract, *Definitions*).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Workspace } from '../../../schemas/ids.ts';
import { parseSegment } from '../../rules/parse.ts';
import type { StoredDefinition } from '../../runtime/definitions.ts';
import { segmentTypeOf } from '../../runtime/segment-type.ts';
import { answer, readBody, unauthorized, workspaceOf } from '../answers.ts';
import {
  appRoute,
  badCall,
  isFault,
  nobody,
  paged,
  pageOf,
  type AppCall,
  type AppFault,
} from '../app-route.ts';
import { identifiersIn, idsOf } from '../customers/people.ts';
import { definitionsMax } from '../definitions.ts';
import type { InForce } from '../in-force.ts';
import type { AppKeys, DefinitionsStore, Query } from '../ports.ts';
import { segmentOf, shownId } from '../shown-segment.ts';
import { usersOf } from './users.ts';

export interface SegmentsOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly definitions: DefinitionsStore;
  readonly inForce: InForce;
  readonly query: Query;
}

/** Ours: a page of members. */
export const membersPage = { limitDefault: 1_000, limitMax: 30_000 } as const;
/** A number that another call was quicker to take; the next one is tried. */
const attemptsMax = 10;

export function mountSegments(app: FastifyInstance, options: SegmentsOptions): void {
  const { keys, definitions } = options;
  const url = '/v1/segments';
  app.get(
    url,
    appRoute(keys, ({ workspace }) => ({ segments: definitions.list('segment', workspace).map(segmentOf) })),
  );
  app.post(
    url,
    appRoute(keys, (call) => create(options, call)),
  );
  app.get(
    `${url}/:id`,
    appRoute(keys, (call) => withSegment(options, call, (stored) => ({ segment: segmentOf(stored) }))),
  );
  app.delete(`${url}/:id`, (request, reply) => remove(options, request, reply));
  app.get(
    `${url}/:id/customer_count`,
    appRoute(keys, (call) => withSegment(options, call, (stored) => count(options, stored))),
  );
  app.get(
    `${url}/:id/membership`,
    appRoute(keys, (call) => withSegment(options, call, (stored) => membership(options, stored, call))),
  );
  app.get(
    `${url}/:id/used_by`,
    appRoute(keys, (call) => withSegment(options, call, (stored) => usedBy(options, stored))),
  );
}

function withSegment(
  { definitions }: SegmentsOptions,
  { workspace, params }: AppCall,
  handle: (stored: StoredDefinition) => Promise<object> | object,
): Promise<object> | object {
  const stored = definitions.get('segment', workspace, params['id'] ?? '');
  return stored === undefined ? nobody(`segment ${params['id'] ?? ''}`) : handle(stored);
}

/**
 * A manual segment with a number as its id: where the topic of definitions stands, so that no number comes twice, also of
 * segments that were deleted.
 */
async function create({ definitions, inForce }: SegmentsOptions, { workspace, request }: AppCall) {
  const read = readBody(request);
  if (!read.ok) return badCall(read.fault.message);
  const { segment } = (read.value ?? {}) as { readonly segment?: unknown }; // any JSON
  if (typeof segment !== 'object' || segment === null) return badCall('segment must be an object');
  const { name, description } = segment as { readonly name?: unknown; readonly description?: unknown }; // the same
  const body = { name, ...(description === undefined ? {} : { description }), type: 'manual' };
  const parsed = parseSegment(body);
  if (!parsed.ok)
    return badCall(parsed.faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; '));
  const stored = await store(definitions, workspace, body);
  if (isFault(stored)) return stored;
  await inForce.wait('segment');
  return { segment: segmentOf(stored) };
}

async function store(
  definitions: DefinitionsStore,
  workspace: Workspace,
  body: object,
): Promise<StoredDefinition | AppFault> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const id = String(Math.max(definitions.offset, 1) + attempt);
    const mayStore = () => definitions.get('segment', workspace, id) === undefined;
    const stored = await definitions.put('segment', workspace, id, {
      body,
      countMax: definitionsMax,
      mayStore,
    });
    if (stored !== undefined) return stored;
    if (definitions.list('segment', workspace).length >= definitionsMax) break;
  }
  return badCall(`at most ${String(definitionsMax)} segments, or others are made at this moment: try again`);
}

/** 204, as documented, when it is in force. */
async function remove(
  { keys, definitions, inForce }: SegmentsOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = workspaceOf(keys, request);
  if (workspace === undefined) return unauthorized(reply);
  const { id } = request.params as { readonly id: string }; // Fastify's, from the path
  const type = segmentTypeOf(definitions, workspace, id);
  if (type === 'data_driven') {
    const detail = `segment ${id} is data-driven: delete its definition, /v1/definitions/segments/${id}`;
    return answer(reply, 400, { errors: [{ detail, status: '400' }] });
  }
  const version = type === undefined ? undefined : await definitions.remove('segment', workspace, id);
  if (version === undefined) {
    return answer(reply, 404, { errors: [{ detail: `could not find segment ${id}`, status: '404' }] });
  }
  await inForce.wait('segment');
  return reply.code(204).send();
}

async function count({ query }: SegmentsOptions, stored: StoredDefinition) {
  const { sql, parameters } = membersSql(stored);
  const [row] = await query(`SELECT count() AS people FROM (${sql})`, parameters);
  return { count: Number(row?.['people'] ?? 0) };
}

/** In the order of their cio_ids. */
async function membership({ query }: SegmentsOptions, stored: StoredDefinition, call: AppCall) {
  const page = pageOf(call.query, { ...membersPage, parts: 1 });
  if (isFault(page)) return page;
  const { sql, parameters } = membersSql(stored);
  const rows = await query(
    `SELECT person_id, id, email FROM people
     WHERE workspace = {workspace:String} AND person_id > {after:String} AND person_id GLOBAL IN (${sql})
     ORDER BY person_id LIMIT {limit:UInt32}`,
    { ...parameters, after: page.after[0] ?? '', limit: page.limit + 1 },
  );
  const { rows: identifiers, next } = paged(rows.map(identifiersIn), page.limit, ({ cio_id }) => [cio_id]);
  return { ids: idsOf(identifiers), identifiers, next };
}

/**
 * Of a manual segment only who was put into this one: people of another that had its id leave it at their next record.
 */
function membersSql({ workspace, id, ruleVersion, body }: StoredDefinition) {
  const isManual = (body as { readonly type?: string }).type === 'manual'; // checked at PUT
  const members = `SELECT person_id FROM segment_memberships WHERE workspace = {workspace:String} AND segment_id = {segment:String}`;
  const putIn = `
    AND person_id GLOBAL IN (
      SELECT person_id FROM stored_segment_changes
      WHERE workspace = {workspace:String} AND segment_id = {segment:String}
        AND change = 'entered' AND rule_version >= {version:UInt64}
    )`;
  const parameters = { workspace, segment: id, version: ruleVersion };
  return { sql: isManual ? `${members}${putIn}` : members, parameters };
}

function usedBy({ definitions }: SegmentsOptions, { workspace, id }: StoredDefinition) {
  const { journeys, segments } = usersOf(definitions, workspace, id);
  // There are no newsletters here, so none uses it.
  return {
    used_by: {
      campaigns: journeys.map(shownId),
      segments: segments.map(shownId),
      sent_newsletters: [],
      draft_newsletters: [],
    },
  };
}
