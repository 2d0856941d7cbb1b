/**
 * Histories of people from ClickHouse, by who they are today: whoever was merged or split since counts as they are now.
 * When somebody was identified stands in the facts of identity; an event that made a person identified nobody.
 */
import type { ComesBy } from './as-it-happened.ts';
import {
  historiesOf,
  type CandidatesQuestion,
  type HistoryQuestion,
  type HistoryRow,
  type HistorySource,
  type ProfileRow,
} from './history-source.ts';
import type { AskRows, Row } from './source.ts';

type Parameters = Readonly<Record<string, unknown>>;

export class ClickhouseHistory implements HistorySource {
  readonly #rows: AskRows;

  constructor(rows: AskRows) {
    this.#rows = rows;
  }

  async candidates(question: CandidatesQuestion): ReturnType<HistorySource['candidates']> {
    const people = CANDIDATES[question.by](question);
    const parameters = { ...question, names: question.names ?? [], ...bounds(question) };
    const [found, [counted]] = await Promise.all([
      this.#rows(
        `SELECT person_id FROM (${people}) WHERE person_id > {after:String} ORDER BY person_id LIMIT {limit:UInt32}`,
        parameters,
      ),
      this.#rows(`SELECT count() FROM (${people})`, parameters),
    ]);
    return { people: found.map(([id]) => String(id)), of: Number(counted?.[0] ?? 0) };
  }

  async sizes(question: HistoryQuestion): Promise<ReadonlyMap<string, number>> {
    const query = `SELECT today_id, count() FROM resolved_rows WHERE ${theirs(question)} GROUP BY today_id`;
    const rows = await this.#rows(query, parametersOf(question));
    return new Map(rows.map(([id, count]) => [String(id), Number(count)]));
  }

  async histories(question: HistoryQuestion): ReturnType<HistorySource['histories']> {
    const parameters = parametersOf(question);
    const [events, first, identified, moved, profiles] = await Promise.all([
      this.#rows(
        `SELECT ${COLUMNS} FROM resolved_rows WHERE ${theirs(question)} ORDER BY merged_at, _partition, _offset`,
        parameters,
      ),
      question.names === null ? [] : this.#rows(FIRST, parameters),
      this.#rows(IDENTIFIED, parameters),
      question.manual.length === 0 ? [] : this.#rows(MOVED, parameters),
      this.#rows(PROFILES, parameters),
    ]);
    const ids = new Set(events.map(([, , , messageId]) => messageId));
    const beginnings = first.filter(([, , , messageId]) => !ids.has(messageId));
    const happened = [...beginnings, ...events].map(eventRow);
    const rows = [...happened, ...identified.map(identifyRow), ...moved.map(membershipRow)];
    return historiesOf(profiles.map(profileRow), rows);
  }
}

function parametersOf(question: HistoryQuestion): Parameters {
  const { workspace, people, names, manual } = question;
  return { workspace, people, names: names ?? [], manual, ...bounds(question) };
}

/** No time of a view is as late, and none that is sent, since it is clamped. */
const FAR = Date.UTC(2200, 0);

/** ms before which it came to the person, and before which it happened. */
function bounds({ comesBy, to }: { readonly comesBy: ComesBy; readonly to: number }) {
  return comesBy === 'arrival' ? { to, happened_to: FAR } : { to: FAR, happened_to: to };
}

export const TIME = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;
/** The newest fact of a workspace, whose facts lie in one partition, that has had its effect: when, and its number. */
export const ASOF = `
  SELECT toUnixTimestamp64Milli(max(at)), max(number) FROM stored_facts
  WHERE workspace = {workspace:String} AND _offset < {facts_to:UInt64}`;
export const HAPPENS = `type IN ('event', 'page', 'screen')`;

const HAPPENED_IN_TIME = `least(timestamp, received_at) < ${TIME('happened_to')}`;
/** When it comes by its own time: what waited for a claim comes with that, which may be any time before it came. */
const COMES_LATE_ENOUGH = `(previously_anonymous OR
    toUnixTimestamp64Milli(least(timestamp, received_at)) + toUnixTimestamp64Milli(merged_at)
    - toUnixTimestamp64Milli(received_at) >= {from:Int64})`;

function named({ names }: { readonly names: readonly string[] | null }): string {
  return names === null ? '' : 'AND name IN {names:Array(String)}';
}

/** Rows of these people of today, found by the sort key. */
export const OF_PEOPLE = `(
    written_id IN {people:Array(String)}
    OR written_id GLOBAL IN (SELECT person_id FROM stored_today WHERE name_kind = '' AND today_id IN {people:Array(String)})
    OR written_id GLOBAL IN (SELECT person_id FROM stored_moves WHERE today_id IN {people:Array(String)})
  ) AND today_id IN {people:Array(String)}`;

function theirs(question: HistoryQuestion): string {
  return `workspace = {workspace:String} AND ${OF_PEOPLE} AND ${HAPPENS} AND merged_at < ${TIME('to')} AND ${HAPPENED_IN_TIME} ${named(question)}`;
}

export const COLUMNS = `
  today_id, type, name, message_id, anonymous_id, toUnixTimestamp64Milli(timestamp), toUnixTimestamp64Milli(received_at),
  toUnixTimestamp64Milli(merged_at), previously_anonymous, properties, bot`;

/** What a person did first, whatever it was: from there on it counts what they have not done. */
const FIRST = `
  SELECT ${COLUMNS} FROM resolved_rows
  WHERE workspace = {workspace:String} AND ${OF_PEOPLE} AND ${HAPPENS} AND merged_at < ${TIME('to')}
    AND ${HAPPENED_IN_TIME}
  ORDER BY merged_at, _partition, _offset LIMIT 1 BY today_id`;

/** A fact with the person of today. */
const FACTS = `
  SELECT
    if(today.version > 0, today.today_id, assumeNotNull(facts.person_id)) AS person_id,
    facts.kind AS kind, facts.at AS at, assumeNotNull(facts.message_id) AS message_id, facts.identifier AS identifier
  FROM (
    SELECT kind, person_id, at, message_id, identifier FROM stored_facts
    WHERE workspace = {workspace:String} AND kind IN ('person_created', 'anonymous_claimed')
      AND person_id IS NOT NULL AND message_id IS NOT NULL AND at < ${TIME('to')}
  ) AS facts
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON facts.person_id = today.person_id`;
/** An event that made a person is a row of its own. */
const NO_EVENT = `message_id GLOBAL NOT IN (
    SELECT message_id FROM stored_merged WHERE workspace = {workspace:String} AND (
      person_id IN {people:Array(String)}
      OR person_id GLOBAL IN (SELECT person_id FROM stored_today WHERE name_kind = '' AND today_id IN {people:Array(String)})
    ))`;

export const IDENTIFIED = `
  SELECT person_id, message_id, toUnixTimestamp64Milli(min(at)), anyIf(identifier, kind = 'anonymous_claimed')
  FROM (${FACTS}) WHERE person_id IN {people:Array(String)} AND ${NO_EVENT}
  GROUP BY person_id, message_id ORDER BY min(at)`;

export const MOVED = `
  SELECT person_id, segment_id, change, toUnixTimestamp64Milli(at), ifNull(cause_message_id, '')
  FROM segment_changes
  WHERE workspace = {workspace:String} AND person_id IN {people:Array(String)}
    AND segment_id IN {manual:Array(String)} AND at < ${TIME('to')}
  ORDER BY at`;

export const PROFILES = `
  SELECT
    person_id, anyIf(id, aspect = 'graph'), anyIf(email, aspect = 'graph'), anyIf(attributes, aspect = 'profile'),
    anyIf(relationships, aspect = 'profile'), toUnixTimestamp64Milli(min(first_seen_at))
  FROM stored_people FINAL
  WHERE workspace = {workspace:String} AND person_id IN {people:Array(String)}
  GROUP BY person_id HAVING anyIf(state, aspect = 'graph') = 'alive'
  ORDER BY person_id`;

const CANDIDATES: Readonly<Record<CandidatesQuestion['by'], (question: CandidatesQuestion) => string>> = {
  events: (question) => `
    SELECT DISTINCT person_id FROM events
    WHERE workspace = {workspace:String} AND ${HAPPENS} ${named(question)}
      AND merged_at >= ${TIME('from')} AND merged_at < ${TIME('to')} AND ${HAPPENED_IN_TIME}
      ${question.comesBy === 'arrival' ? '' : `AND ${COMES_LATE_ENOUGH}`}`,
  identified: () => `
    SELECT DISTINCT person_id FROM (${FACTS}) WHERE person_id != '' AND at >= ${TIME('from')}`,
  anybody: () => `
    SELECT person_id FROM people
    WHERE workspace = {workspace:String} AND (first_seen_at IS NULL OR first_seen_at < least(${TIME('to')}, ${TIME('happened_to')}))`,
};

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function eventRow(row: Row): HistoryRow {
  const [
    personId,
    type,
    name,
    messageId,
    anonymousId,
    timestamp,
    receivedAt,
    mergedAt,
    wasAnonymous,
    properties,
    bot,
  ] = row;
  return {
    personId: String(personId),
    type: type as HistoryRow['type'], // as asked for
    name: textOf(name),
    messageId: String(messageId),
    anonymousId: textOf(anonymousId),
    timestamp: Number(timestamp),
    receivedAt: Number(receivedAt),
    mergedAt: Number(mergedAt),
    previouslyAnonymous: wasAnonymous === true,
    properties: textOf(properties),
    bot: bot === true,
  };
}

function said(personId: unknown, messageId: unknown, at: unknown) {
  const time = Number(at);
  return {
    ...{ personId: String(personId), messageId: String(messageId), name: null, anonymousId: null },
    ...{ timestamp: time, receivedAt: time, mergedAt: time, previouslyAnonymous: false },
    ...{ properties: null, bot: false },
  };
}

export function identifyRow([personId, messageId, at, anonymousId]: Row): HistoryRow {
  const name = textOf(anonymousId);
  return { ...said(personId, messageId, at), type: 'identify', anonymousId: name === '' ? null : name };
}

export function membershipRow([personId, segmentId, change, at, messageId]: Row): HistoryRow {
  const properties = JSON.stringify({ action: change === 'entered' ? 'add' : 'remove' });
  return { ...said(personId, messageId, at), type: 'membership', name: String(segmentId), properties };
}

export function profileRow([personId, id, email, attributes, relationships, firstSeenAt]: Row): ProfileRow {
  return {
    personId: String(personId),
    id: textOf(id),
    email: textOf(email),
    attributes: textOf(attributes),
    relationships: textOf(relationships),
    firstSeenAt: firstSeenAt === null ? Infinity : Number(firstSeenAt),
  };
}
