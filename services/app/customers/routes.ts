/** People over the App API (spec A.5): by email, whole, by a filter; their segments and relationships. */
import type { FastifyInstance } from 'fastify';
import { canonicalEmail, canonicalName, canonicalNumberName } from '../../../schemas/identifiers.ts';
import { ExactNumber, parseExactly } from '../../runtime/exact-json.ts';
import { readBody } from '../answers.ts';
import { appRoute, badCall, isFault, nobody, paged, pageOf, type AppCall } from '../app-route.ts';
import type { AppKeys, DefinitionsStore, Query } from '../ports.ts';
import { segmentOf } from '../shown-segment.ts';
import { readDevices } from './devices.ts';
import { filterSql, parseFilter } from './filter.ts';
import { customerOf, identifiersIn, idsOf, personOf, readPeople, textOf } from './people.ts';

export interface CustomersOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly definitions: DefinitionsStore;
  readonly query: Query;
}

/** Of a search, and of the objects that a person belongs to. */
export const customersPage = { limitDefault: 1_000, limitMax: 1_000 } as const;
export const customersByIdMax = 100;

export function mountCustomers(app: FastifyInstance, options: CustomersOptions): void {
  const { keys } = options;
  const url = '/v1/customers';
  app.get(
    url,
    appRoute(keys, (call) => byEmail(options, call)),
  );
  app.post(
    url,
    appRoute(keys, (call) => search(options, call)),
  );
  app.post(
    `${url}/attributes`,
    appRoute(keys, (call) => several(options, call)),
  );
  app.get(
    `${url}/:id/attributes`,
    appRoute(keys, (call) => attributes(options, call)),
  );
  app.get(
    `${url}/:id/segments`,
    appRoute(keys, (call) => segments(options, call)),
  );
  app.get(
    `${url}/:id/relationships`,
    appRoute(keys, (call) => relationships(options, call)),
  );
}

async function byEmail({ query }: CustomersOptions, { workspace, query: asked }: AppCall) {
  const { email } = asked;
  if (typeof email !== 'string' || email === '') return badCall('email must be given');
  const rows = await query(BY_EMAIL, { workspace, email: canonicalEmail(email) });
  return { results: rows.map(identifiersIn) };
}

async function attributes({ query }: CustomersOptions, call: AppCall) {
  const personId = await personOf(query, call);
  if (isFault(personId)) return personId;
  const [person] = await readPeople(query, call.workspace, [personId]);
  if (person === undefined) return nobody(`customer ${personId}`);
  return { customer: customerOf(person, await readDevices(query, call.workspace, [personId])) };
}

/** `{"ids": [1 to 100 ids]}`; who is not there is left out. */
async function several({ query }: CustomersOptions, { workspace, request }: AppCall) {
  const read = readBody(request);
  if (!read.ok) return badCall(read.fault.message);
  const { ids } = (read.value ?? {}) as { readonly ids?: unknown }; // any JSON
  const named = Array.isArray(ids) ? ids.map(nameOf).filter((name) => name !== undefined) : [];
  if (!Array.isArray(ids) || named.length !== ids.length || ids.length < 1 || ids.length > customersByIdMax) {
    return badCall(`ids must be a list of 1 to ${String(customersByIdMax)} ids`);
  }
  const values = [...new Set(named)];
  const rows = await query(BY_IDS, { workspace, values });
  const people = new Map(rows.map((row) => [textOf(row['value']), textOf(row['person_id'])]));
  const found = await readPeople(
    query,
    workspace,
    values.flatMap((value) => people.get(value) ?? []),
  );
  const personIds = found.map(({ identifiers }) => identifiers.cio_id);
  const devices = await readDevices(query, workspace, personIds);
  return { customers: found.map((person) => customerOf(person, devices)) };
}

/** In the form in which ids are kept; a number by its digits. undefined: no id. */
function nameOf(id: unknown): string | undefined {
  if (typeof id === 'string') return canonicalName(id);
  if (id instanceof ExactNumber) return canonicalNumberName(id.text);
  return typeof id === 'number' ? canonicalNumberName(String(id)) : undefined;
}

/** `{"filter": …}`, in the order of their cio_ids. */
async function search({ query }: CustomersOptions, { workspace, query: asked, request }: AppCall) {
  const read = readBody(request);
  if (!read.ok) return badCall(read.fault.message);
  const { filter: given } = (read.value ?? {}) as { readonly filter?: unknown }; // any JSON
  const filter = parseFilter(given);
  if (isFault(filter)) return filter;
  const page = pageOf(asked, { ...customersPage, parts: 1 });
  if (isFault(page)) return page;
  const { sql, parameters } = filterSql(filter);
  const rows = await query(
    `SELECT person_id, id, email FROM people
     WHERE workspace = {workspace:String} AND person_id > {after:String} AND ${sql}
     ORDER BY person_id LIMIT {limit:UInt32}`,
    { ...parameters, workspace, after: page.after[0] ?? '', limit: page.limit + 1 },
  );
  const { rows: found, next } = paged(rows.map(identifiersIn), page.limit, ({ cio_id }) => [cio_id]);
  return { identifiers: found, ids: idsOf(found), next };
}

async function segments({ query, definitions }: CustomersOptions, call: AppCall) {
  const personId = await personOf(query, call);
  if (isFault(personId)) return personId;
  const { workspace } = call;
  const rows = await query(SEGMENTS, { workspace, person: personId });
  const stored = rows.flatMap(
    (row) => definitions.get('segment', workspace, textOf(row['segment_id'])) ?? [],
  );
  return { segments: stored.map(segmentOf) };
}

async function relationships({ query }: CustomersOptions, call: AppCall) {
  const page = pageOf(call.query, { ...customersPage, parts: 2 });
  if (isFault(page)) return page;
  const personId = await personOf(query, call);
  if (isFault(personId)) return personId;
  const [afterType = '', afterId = ''] = page.after;
  const rows = await query(RELATIONSHIPS, {
    workspace: call.workspace,
    person: personId,
    afterType,
    afterId,
    limit: page.limit + 1,
  });
  const all = rows.map(relationshipOf);
  const { rows: found, next } = paged(all, page.limit, ({ identifiers: { object_type_id, object_id } }) => [
    object_type_id,
    object_id,
  ]);
  return { cio_relationships: found, next };
}

function relationshipOf(row: Readonly<Record<string, unknown>>) {
  const typeId = textOf(row['object_type_id']);
  const said = textOf(row['attributes']);
  return {
    object_type_id: typeId,
    identifiers: { object_type_id: typeId, object_id: textOf(row['object_id']) },
    relationship_attributes: said === '' ? {} : ((parseExactly(said) as object | null) ?? {}), // JSON of ours
  };
}

const BY_EMAIL = `
  SELECT person_id, id, email FROM people WHERE workspace = {workspace:String} AND email = {email:String}`;

const BY_IDS = `
  SELECT value, person_id FROM identities
  WHERE workspace = {workspace:String} AND kind = 'id' AND value IN {values:Array(String)}`;

const SEGMENTS = `
  SELECT segment_id FROM segment_memberships
  WHERE workspace = {workspace:String} AND person_id = {person:String} ORDER BY segment_id`;

const RELATIONSHIPS = `
  SELECT object_type_id, object_id, attributes FROM relationships
  WHERE workspace = {workspace:String} AND person_id = {person:String}
    AND (object_type_id, object_id) > ({afterType:String}, {afterId:String})
  ORDER BY object_type_id, object_id LIMIT {limit:UInt32}`;
