/**
 * The activity log over the App API (spec A.5, D.1): of a person, of everybody known, or with `anonymous=true`, which is
 * ours, of visitors whom nobody knows; these have no `processed_at` (spec E row 12).
 */
import type { FastifyInstance } from 'fastify';
import { canonicalName } from '../../../schemas/identifiers.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import { parseExactly } from '../../runtime/exact-json.ts';
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
import {
  find,
  namedBy,
  personOf,
  readIdentifiers,
  textOf,
  textOrNull,
  type Identifiers,
} from '../customers/people.ts';
import type { AppKeys, Query } from '../ports.ts';
import { activitiesSql, type Scope } from './activities-sql.ts';

export interface ActivitiesOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly query: Query;
}

const activitiesPage = { limitDefault: 10, limitMax: 100, parts: 2 } as const;

export function mountActivities(app: FastifyInstance, options: ActivitiesOptions): void {
  const { keys, query } = options;
  app.get(
    '/v1/customers/:id/activities',
    appRoute(keys, async (call) => {
      const personId = await personOf(query, call);
      return isFault(personId) ? personId : list(options, call, { type: 'person', personId });
    }),
  );
  app.get(
    '/v1/activities',
    appRoute(keys, async (call) => {
      const scope = await scopeOf(options, call);
      return isFault(scope) ? scope : list(options, call, scope);
    }),
  );
}

async function scopeOf({ query }: ActivitiesOptions, call: AppCall): Promise<Scope | AppFault> {
  const { anonymous, anonymous_id: visitor, customer_id: customer, id_type: idType } = call.query;
  if (typeof visitor === 'string' && visitor !== '') {
    return { type: 'visitors', anonymousId: canonicalName(visitor) };
  }
  if (anonymous === 'true') return { type: 'visitors', anonymousId: null };
  if (typeof customer !== 'string' || customer === '') return { type: 'people' };
  const named = namedBy(customer, idType);
  if (isFault(named)) return named;
  const personId = await find(query, call.workspace, named);
  return personId === undefined ? nobody(`customer ${customer}`) : { type: 'person', personId };
}

type Row = Readonly<Record<string, unknown>>;

async function list({ query }: ActivitiesOptions, { workspace, query: asked }: AppCall, scope: Scope) {
  const page = pageOf(asked, activitiesPage);
  if (isFault(page)) return page;
  const { type = null, name = null } = asked;
  const [at, id] = page.after;
  if (at !== undefined && !/^-?\d{1,16}$/.test(at)) return badCall('start must be the next of a page before');
  const after = at === undefined || id === undefined ? null : { at, id };
  const { sql, parameters } = activitiesSql({
    workspace,
    scope,
    type: textOrNull(type),
    name: textOrNull(name),
    after,
    limit: page.limit + 1,
  });
  const rows = await query(sql, parameters);
  const { rows: shown, next } = paged(rows, page.limit, (row) => [String(row['at']), textOf(row['id'])]);
  const people = await peopleOf(query, workspace, shown);
  return { activities: shown.map((row) => activityOf(row, people)), next };
}

async function peopleOf(
  query: Query,
  workspace: Workspace,
  rows: readonly Row[],
): Promise<ReadonlyMap<string, Identifiers>> {
  const ids = new Set(rows.map((row) => textOf(row['person_id'])).filter((id) => id !== ''));
  const people = await readIdentifiers(query, workspace, [...ids]);
  return new Map(people.map((person) => [person.cio_id, person]));
}

function activityOf(row: Row, people: ReadonlyMap<string, Identifiers>) {
  const personId = textOrNull(row['person_id']);
  const person = personId === null ? undefined : people.get(personId);
  const { name, anonymous_id: anonymousId, message_id: messageId, processed_at: processedAt } = row;
  return {
    id: row['id'],
    type: row['type'],
    timestamp: secondsOf(row['at']),
    ...(processedAt === null || processedAt === undefined ? {} : { processed_at: secondsOf(processedAt) }),
    customer_id: person === undefined ? null : (person.id ?? person.email ?? person.cio_id),
    customer_identifiers: person ?? null,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof anonymousId === 'string' ? { anonymous_id: anonymousId } : {}),
    ...(typeof messageId === 'string' ? { message_id: messageId } : {}),
    ...(row['previously_anonymous'] === true ? { previously_anonymous: true } : {}),
    data: typeof row['detail'] === 'string' ? parseExactly(row['detail']) : {}, // JSON of the call, or ours
  };
}

/** 64-bit numbers come as text. */
function secondsOf(ms: unknown): number {
  return Math.floor(Number(ms) / 1_000);
}
