/**
 * `GET /v1/workspaces/{name}/fragmentation`: where one human may be several people, or several be one (spec E rows 89,
 * 103), by the identifier that the workspace calls canonical. From what ClickHouse has; a list has the worst cases.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isWorkspace, type Workspace } from '../../schemas/ids.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';
import { answer, bearerOf, notFound, unauthorized } from './answers.ts';
import type { AppKeys, DefinitionsStore, Query } from './ports.ts';

export interface FragmentationOptions {
  readonly keys: AppKeys;
  readonly definitions: DefinitionsStore;
  readonly query: Query;
}

/** Cases of each list. */
export const casesMax = 100;
/** What the cookbook calls many. */
const anonymousIdsMin = 3;
const peopleMin = 2;

export function mountFragmentation(app: FastifyInstance, options: FragmentationOptions): void {
  app.get<{ Params: { name: string } }>('/v1/workspaces/:name/fragmentation', (request, reply) =>
    get(options, request, reply),
  );
}

async function get(
  { keys, definitions, query }: FragmentationOptions,
  request: FastifyRequest<{ Params: { name: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name } = request.params;
  const key = bearerOf(request);
  if (!isWorkspace(name) || key === undefined) return unauthorized(reply);
  if (keys.app(key) !== name && !keys.isAdmin(key)) return unauthorized(reply);
  if (!keys.has(name)) return notFound(reply, `workspace ${name}`);
  return answer(reply, 200, await report(query, name, settingsOf(definitions, name).canonical_identifier));
}

async function report(query: Query, workspace: Workspace, canonical: 'id' | 'email' | 'phone') {
  const parameters = { workspace, canonical, limit: casesMax, names: anonymousIdsMin, people: peopleMin };
  const [counts, without, people, devices] = await Promise.all([
    query(COUNTS, parameters),
    query(WITHOUT_CANONICAL, parameters),
    query(PEOPLE_OF_MANY_DEVICES, parameters),
    query(DEVICES_OF_MANY_PEOPLE, parameters),
  ]);
  return {
    canonical_identifier: canonical,
    people: Number(counts[0]?.['people'] ?? 0),
    people_without_canonical_identifier: { count: Number(counts[0]?.['without'] ?? 0), cases: without },
    people_with_many_anonymous_ids: { at_least: anonymousIdsMin, cases: numbered(people) },
    anonymous_ids_of_many_people: { at_least: peopleMin, cases: numbered(devices) },
  };
}

/** ClickHouse writes 64-bit numbers as text. */
function numbered(rows: readonly Readonly<Record<string, unknown>>[]) {
  return rows.map(({ names, ...rest }) => ({ ...rest, count: Number(names) }));
}

/** A phone is an id in E.164. */
const CANONICAL = `multiIf({canonical:String} = 'id', id, {canonical:String} = 'phone', if(match(ifNull(id, ''), '^[+][0-9]+$'), id, NULL), email)`;

const COUNTS = `
  SELECT count() AS people, countIf(isNull(${CANONICAL})) AS without
  FROM people WHERE workspace = {workspace:String}`;

const WITHOUT_CANONICAL = `
  SELECT person_id, id, email FROM people
  WHERE workspace = {workspace:String} AND isNull(${CANONICAL})
  ORDER BY first_seen_at DESC, person_id LIMIT {limit:UInt32}`;

const PEOPLE_OF_MANY_DEVICES = `
  SELECT person_id, count() AS names FROM identities
  WHERE workspace = {workspace:String} AND kind = 'anonymous_id'
  GROUP BY person_id HAVING names >= {names:UInt32}
  ORDER BY names DESC, person_id LIMIT {limit:UInt32}`;

const DEVICES_OF_MANY_PEOPLE = `
  SELECT anonymous_id, uniqExact(person_id) AS names FROM events
  WHERE workspace = {workspace:String} AND anonymous_id IS NOT NULL
  GROUP BY anonymous_id HAVING names >= {people:UInt32}
  ORDER BY names DESC, anonymous_id LIMIT {limit:UInt32}`;
