/** People as the App API names them, from what ClickHouse has. */
import { canonicalCioId, canonicalEmail, canonicalName } from '../../../schemas/identifiers.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import { identifierByShape, type Identifier } from '../../../schemas/lanes.ts';
import { parseExactly } from '../../runtime/exact-json.ts';
import { badCall, nobody, type AppCall, type AppFault } from '../app-route.ts';
import type { Query } from '../ports.ts';

/** What names a person; null for what the person has not. */
export interface Identifiers {
  readonly cio_id: string;
  readonly id: string | null;
  readonly email: string | null;
}

export interface PersonRow {
  readonly identifiers: Identifiers;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** ms */
  readonly createdAt: number | null;
}

type Row = Readonly<Record<string, unknown>>;
const forms = { id: canonicalName, email: canonicalEmail, cio_id: canonicalCioId };

/** Whom `id_type` and the path name; without `id_type` an id, else what its shape says. */
export function namedBy(text: string, idType: unknown): readonly Identifier[] | AppFault {
  if (idType === undefined) {
    const id = { kind: 'id', value: canonicalName(text) } as const;
    const shaped = identifierByShape(text);
    return shaped.kind === 'id' ? [id] : [id, shaped];
  }
  if (idType !== 'id' && idType !== 'email' && idType !== 'cio_id') {
    return badCall('id_type must be id, email or cio_id');
  }
  return [{ kind: idType, value: forms[idType](text) }];
}

/** The person of the path `{id}`; a fault for nobody. */
export async function personOf(query: Query, { workspace, params, query: asked }: AppCall) {
  const named = namedBy(params['id'] ?? '', asked['id_type']);
  if ('fault' in named) return named;
  const personId = await find(query, workspace, named);
  return personId ?? nobody(`customer ${params['id'] ?? ''}`);
}

/** The first of them who is somebody. */
export async function find(
  query: Query,
  workspace: Workspace,
  named: readonly Identifier[],
): Promise<string | undefined> {
  for (const { kind, value } of named) {
    const [row] = await query(FIND, { workspace, kind, value });
    if (row !== undefined) return textOf(row['person_id']);
  }
  return undefined;
}

/** In the order of the ids; who is not there is left out. */
export async function readPeople(
  query: Query,
  workspace: Workspace,
  personIds: readonly string[],
): Promise<readonly PersonRow[]> {
  if (personIds.length === 0) return [];
  const rows = await query(PEOPLE, { workspace, people: personIds });
  const byId = new Map(rows.map((row) => [textOf(row['person_id']), personIn(row)]));
  return personIds.flatMap((personId) => byId.get(personId) ?? []);
}

/** Only what names them; in the order of the ids. */
export async function readIdentifiers(
  query: Query,
  workspace: Workspace,
  personIds: readonly string[],
): Promise<readonly Identifiers[]> {
  if (personIds.length === 0) return [];
  const rows = await query(NAMES, { workspace, people: personIds });
  const byId = new Map(rows.map((row) => [textOf(row['person_id']), identifiersIn(row)]));
  return personIds.flatMap((personId) => byId.get(personId) ?? []);
}

export function identifiersIn(row: Row): Identifiers {
  return {
    cio_id: textOf(row['person_id']),
    id: textOrNull(row['id']),
    email: textOrNull(row['email']),
  };
}

/** Ids of those who have one. */
export function idsOf(people: readonly Identifiers[]): readonly string[] {
  return people.flatMap(({ id }) => id ?? []);
}

/** A person with everything that is known (`GET /v1/customers/{id}/attributes`). */
export function customerOf(
  { identifiers, attributes, createdAt }: PersonRow,
  devices: ReadonlyMap<string, readonly unknown[]>,
) {
  const created = createdAt === null ? {} : { created_at: Math.floor(createdAt / 1_000) };
  const names = Object.fromEntries(Object.entries(identifiers).filter(([, value]) => value !== null));
  return {
    id: identifiers.id ?? identifiers.email ?? identifiers.cio_id,
    identifiers,
    attributes: { ...created, ...attributes, ...names },
    unsubscribed: attributes['unsubscribed'] === true,
    devices: devices.get(identifiers.cio_id) ?? [],
  };
}

function personIn(row: Row): PersonRow {
  const { attributes, created_at: createdAt } = row;
  return {
    identifiers: identifiersIn(row),
    attributes: typeof attributes === 'string' ? (parseExactly(attributes) as PersonRow['attributes']) : {}, // written by trigger
    createdAt: createdAt === null || createdAt === undefined ? null : Number(createdAt),
  };
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

const FIND = `
  SELECT person_id FROM identities
  WHERE workspace = {workspace:String} AND kind = {kind:String} AND value = {value:String} LIMIT 1`;

const NAMES = `
  SELECT person_id, id, email FROM people
  WHERE workspace = {workspace:String} AND person_id IN {people:Array(String)}`;

const PEOPLE = `
  SELECT person_id, id, email, attributes, toUnixTimestamp64Milli(created_at) AS created_at FROM people
  WHERE workspace = {workspace:String} AND person_id IN {people:Array(String)}`;
