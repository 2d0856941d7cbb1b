/**
 * Where a page's calls lose what a merge could have kept (spec E row 89): events that came under a claimed id when its five
 * minutes were over, identifies that came long after the first event, one email at several ids, people who are named by
 * several kinds of identifiers, and names that look as if they had been made for a visit (C.1 row 20). Each with how often, the worst cases, and what to change.
 */
import type { Workspace } from '../../../schemas/ids.ts';
import type { Query } from '../ports.ts';

/** Of each list. */
export const casesMax = 20;
const lateIdentifyHours = 24;

export interface MergeReportCall {
  readonly workspace: Workspace;
  /** ms */
  readonly since: number;
  /** Patterns of the workspace, in RE2 syntax. */
  readonly flagged: readonly string[];
}

export async function mergeReport(query: Query, { workspace, since, flagged }: MergeReportCall) {
  const parameters = { workspace, since, limit: casesMax, hours: lateIdentifyHours };
  const [events, identifies, emails, kinds, names] = await Promise.all([
    query(LATE_EVENTS, parameters),
    query(LATE_IDENTIFIES, parameters),
    query(EMAILS_OF_SEVERAL, parameters),
    query(PEOPLE_OF_SEVERAL_KINDS, parameters),
    flagged.length === 0 ? [] : query(flaggedSql(flagged.length), { ...parameters, ...numbered(flagged) }),
  ]);
  return {
    events_after_the_claim: {
      ...counted(events),
      advice:
        'These visitors were identified before, and an anonymous id merges for five minutes after that. Send the person’s id with what follows an identify, and call reset() at a logout.',
    },
    late_identifies: {
      ...counted(identifies),
      at_least_hours: lateIdentifyHours,
      advice:
        'What is older than 72 hours at the identify triggers no journey, and 30 days are kept. Identify where somebody first gives a name: a popup, a checkout (identify_moments).',
    },
    emails_of_several_people: {
      ...counted(emails),
      advice:
        'An identify gave a person an email that is another’s, and it was left out. Use one id for each customer, or merge them.',
    },
    people_of_several_kinds: {
      ...counted(kinds),
      advice:
        'Some calls name these people by id, others by email. Name them by the canonical identifier everywhere.',
    },
    flagged_identifiers: {
      ...counted(names),
      patterns: flagged,
      advice:
        'These names look as if they were made for a visit: a person of each is made who never comes back. Send no userId before somebody is known. guards.illegal_patterns refuses such names, guards.flagged_patterns says which are told of here.',
    },
  };
}

type Row = Readonly<Record<string, unknown>>;

/** Each row has the count of all cases. */
function counted(rows: readonly Row[]) {
  const cases = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([name]) => name !== 'cases')
        .map(([name, value]) => [name, name === 'times' ? Number(value) : value]),
    ),
  );
  return { count: Number(rows[0]?.['cases'] ?? 0), cases };
}

const SINCE = 'fromUnixTimestamp64Milli({since:Int64})';

const LATE_EVENTS = `
  SELECT anonymous_id, times, claimed_at, last_at, count() OVER () AS cases FROM (
    SELECT late.anonymous_id AS anonymous_id, count() AS times, any(claims.claimed_at) AS claimed_at, max(late.received_at) AS last_at
    FROM (
      SELECT workspace, assumeNotNull(anonymous_id) AS anonymous_id, received_at FROM anonymous_events
      WHERE workspace = {workspace:String} AND anonymous_id IS NOT NULL AND received_at >= ${SINCE}
    ) AS late
    GLOBAL INNER JOIN (SELECT anonymous_id, claimed_at FROM claims WHERE workspace = {workspace:String}) AS claims
      ON late.anonymous_id = claims.anonymous_id
    WHERE late.received_at > claims.claimed_at + INTERVAL 5 MINUTE
    GROUP BY anonymous_id
  )
  ORDER BY times DESC, anonymous_id LIMIT {limit:UInt32}`;

const LATE_IDENTIFIES = `
  SELECT anonymous_id, person_id, first_at, claimed_at, times, count() OVER () AS cases FROM (
    SELECT
      early.anonymous_id AS anonymous_id, any(early.person_id) AS person_id, min(early.received_at) AS first_at,
      any(claims.claimed_at) AS claimed_at, count() AS times
    FROM (
      SELECT assumeNotNull(anonymous_id) AS anonymous_id, person_id, received_at FROM events
      WHERE workspace = {workspace:String} AND previously_anonymous AND anonymous_id IS NOT NULL AND merged_at >= ${SINCE}
    ) AS early
    GLOBAL INNER JOIN (SELECT anonymous_id, claimed_at FROM claims WHERE workspace = {workspace:String}) AS claims
      ON early.anonymous_id = claims.anonymous_id
    GROUP BY anonymous_id
    HAVING claimed_at >= first_at + toIntervalHour({hours:UInt32})
  )
  ORDER BY claimed_at - first_at DESC, anonymous_id LIMIT {limit:UInt32}`;

/** Identity leaves the email out and says so in the activity log. */
const EMAILS_OF_SEVERAL = `
  SELECT email, owner, others, times, count() OVER () AS cases FROM (
    SELECT asked.email AS email, any(owners.person_id) AS owner, groupUniqArray(10)(asked.person_id) AS others, count() AS times
    FROM (
      SELECT JSONExtractString(assumeNotNull(detail), 'value') AS email, assumeNotNull(person_id) AS person_id FROM activities
      WHERE workspace = {workspace:String} AND kind = 'Failed Attribute Change' AND timestamp >= ${SINCE}
        AND JSONExtractString(ifNull(detail, '{}'), 'attribute') = 'email' AND person_id IS NOT NULL
    ) AS asked
    GLOBAL INNER JOIN (
      SELECT value, person_id FROM identities WHERE workspace = {workspace:String} AND kind = 'email'
    ) AS owners ON asked.email = owners.value
    WHERE owners.person_id != asked.person_id
    GROUP BY email
  )
  ORDER BY times DESC, email LIMIT {limit:UInt32}`;

/** By the person of today; what a split has moved since counts for whom it was written for. */
const PEOPLE_OF_SEVERAL_KINDS = `
  SELECT person_id, kinds, times, count() OVER () AS cases FROM (
    SELECT
      if(today.version > 0, today.today_id, named.person_id) AS person_id,
      arraySort(groupUniqArray(named.identifier_kind)) AS kinds, count() AS times
    FROM (
      SELECT person_id, toString(identifier_kind) AS identifier_kind FROM stored_merged
      WHERE workspace = {workspace:String} AND identifier_kind IN ('id', 'email') AND received_at >= ${SINCE}
    ) AS named
    GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
      ON named.person_id = today.person_id
    GROUP BY person_id
    HAVING length(kinds) > 1 AND person_id != ''
  )
  ORDER BY times DESC, person_id LIMIT {limit:UInt32}`;

/** Of names that people got in the time asked for; the pattern is the first that matches. */
function flaggedSql(patterns: number): string {
  const places = Array.from(
    { length: patterns },
    (_, index) => `match(value, {pattern${String(index)}:String})`,
  );
  const branches = places.map((matches, index) => `${matches}, ${String(index)}`).join(', ');
  return `
    SELECT value, kind, person_id, linked_at, pattern, count() OVER () AS cases FROM (
      SELECT value, toString(kind) AS kind, person_id, linked_at, multiIf(${branches}, -1) AS pattern FROM identities
      WHERE workspace = {workspace:String} AND kind IN ('id', 'email') AND linked_at >= ${SINCE}
    )
    WHERE pattern >= 0
    ORDER BY linked_at DESC, value LIMIT {limit:UInt32}`;
}

/** A dot is no line break, as where the pattern is compiled here (services/rules/sql-values.ts). */
function numbered(patterns: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(patterns.map((source, index) => [`pattern${String(index)}`, `(?-s)${source}`]));
}
