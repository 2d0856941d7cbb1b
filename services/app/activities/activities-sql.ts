/**
 * The activity log as SQL: events and the lines that are not events, of a person, of visitors, or of everybody known.
 * Newest first; a page goes on behind (time, id). Pure.
 */

export type Scope =
  /** Everybody known: the tab *Identified*. */
  | { readonly type: 'people' }
  | { readonly type: 'person'; readonly personId: string }
  /** Nobody known: the tab *Anonymous*. */
  | { readonly type: 'visitors'; readonly anonymousId: string | null };

export interface ActivitiesAsked {
  readonly workspace: string;
  readonly scope: Scope;
  /** `event`, `anonymous_data_merged` …; null: any. */
  readonly type: string | null;
  /** Of an event; null: any. */
  readonly name: string | null;
  /** Behind this place; null: the first page. */
  readonly after: { readonly at: string; readonly id: string } | null;
  readonly limit: number;
}

export interface ActivitiesSql {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string | number>> & { readonly workspace: string };
}

const EVENT_TYPES = new Set(['event', 'page', 'screen']);

export function activitiesSql({
  workspace,
  scope,
  type,
  name,
  after,
  limit,
}: ActivitiesAsked): ActivitiesSql {
  const conditions = [
    ...(type === null ? [] : ['type = {type:String}']),
    ...(name === null ? [] : ['name = {name:String}']),
    ...(after === null ? [] : ['(at, id) < ({afterAt:Int64}, {afterId:String})']),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  // What cannot be asked for is not read.
  const events = type === null || EVENT_TYPES.has(type) ? [eventsOf(scope)] : [];
  const lines = name === null && (type === null || !EVENT_TYPES.has(type)) ? [linesOf(scope)] : [];
  const sources = [...events, ...lines];
  const sql =
    sources.length === 0
      ? `SELECT '' AS id WHERE 0`
      : `SELECT type, id, at, processed_at, person_id, anonymous_id, name, message_id, previously_anonymous, detail
         FROM (${sources.join(' UNION ALL ')}) ${where}
         ORDER BY at DESC, id DESC LIMIT {limit:UInt32}`;
  const parameters = {
    workspace,
    limit,
    ...(type === null ? {} : { type }),
    ...(name === null ? {} : { name }),
    ...(after === null ? {} : { afterAt: after.at, afterId: after.id }),
    ...(scope.type === 'person' ? { person: scope.personId } : {}),
    ...(scope.type === 'visitors' && scope.anonymousId !== null ? { visitor: scope.anonymousId } : {}),
  };
  return { sql, parameters };
}

const EVENT_COLUMNS = `
  toString(type) AS type, hex(sipHash128(message_id, toString(_partition), toString(_offset))) AS id,
  toUnixTimestamp64Milli(timestamp) AS at`;
const EVENT_TAIL = `
  anonymous_id, toNullable(toString(name)) AS name, toNullable(message_id) AS message_id`;

function eventsOf(scope: Scope): string {
  if (scope.type === 'visitors') {
    const visitor = scope.anonymousId === null ? '' : 'AND anonymous_id = {visitor:String}';
    return `
      SELECT ${EVENT_COLUMNS}, CAST(NULL AS Nullable(Int64)) AS processed_at, CAST(NULL AS Nullable(String)) AS person_id,
        ${EVENT_TAIL}, false AS previously_anonymous, properties AS detail
      FROM anonymous_events WHERE workspace = {workspace:String} ${visitor}`;
  }
  const source = scope.type === 'person' ? 'person_events(person = {person:String})' : 'events';
  return `
    SELECT ${EVENT_COLUMNS}, toNullable(toUnixTimestamp64Milli(merged_at)) AS processed_at,
      toNullable(toString(person_id)) AS person_id, ${EVENT_TAIL}, previously_anonymous, properties AS detail
    FROM ${source} WHERE workspace = {workspace:String}`;
}

/** Lines of a person who has been taken in are those of who took them in. */
function linesOf(scope: Scope): string {
  const of = {
    people: 'isNotNull(rows.person_id)',
    person: `rows.person_id GLOBAL IN (
      SELECT {person:String} UNION ALL SELECT person_id FROM stored_today FINAL WHERE name_kind = '' AND today_id = {person:String})`,
    visitors: `isNull(rows.person_id) AND isNotNull(rows.anonymous_id)`,
  }[scope.type];
  const visitor =
    scope.type === 'visitors' && scope.anonymousId !== null ? 'AND rows.anonymous_id = {visitor:String}' : '';
  return `
    SELECT replaceAll(lower(toString(rows.kind)), ' ', '_') AS type,
      hex(sipHash128(toString(rows.kind), toString(rows._partition), toString(rows._offset))) AS id,
      toUnixTimestamp64Milli(rows.timestamp) AS at, toUnixTimestamp64Milli(rows.processed_at) AS processed_at,
      if(today.version > 0, toNullable(today.today_id), rows.person_id) AS person_id,
      rows.anonymous_id AS anonymous_id, CAST(NULL AS Nullable(String)) AS name, rows.message_id AS message_id,
      false AS previously_anonymous, rows.detail AS detail
    FROM stored_activities AS rows
    GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
      ON rows.person_id = today.person_id
    WHERE rows.workspace = {workspace:String} AND ${of} ${visitor} AND ifNull(person_id, 'nobody') != ''`;
}
