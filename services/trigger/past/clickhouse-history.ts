/**
 * Histories of people from ClickHouse, by who they are today: whoever was merged or split since counts as they are now.
 */
import { DEVICE_GONE, DEVICE_TOLD } from '../../rules/device-names.ts';
import type { ComesBy } from './as-it-happened.ts';
import {
  historiesOf,
  type CandidatesQuestion,
  type HistoryQuestion,
  type HistoryRow,
  type HistorySource,
  type ProfileRow,
} from './history-source.ts';
import { historyEventsMax } from './reading-chunks.ts';
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

  /** What comes from then on, and happened before the end: neither way has more. */
  async eitherWay(question: CandidatesQuestion): Promise<number> {
    const both = { ...question, comesBy: 'either' } as const;
    const parameters = { ...question, names: question.names ?? [], ...bounds(both) };
    const [counted] = await this.#rows(`SELECT count() FROM (${CANDIDATES[question.by](both)})`, parameters);
    return Number(counted?.[0] ?? 0);
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
function bounds({ comesBy, to }: { readonly comesBy: ComesBy | 'either'; readonly to: number }) {
  return comesBy === 'arrival' ? { to, happened_to: FAR } : { to: FAR, happened_to: to };
}

export const TIME = (name: string) => `fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;
/** The newest fact of a workspace, whose facts lie in one partition, that has had its effect: when, and its number. */
export const ASOF = `
  SELECT toUnixTimestamp64Milli(max(at)), max(number) FROM stored_facts
  WHERE workspace = {workspace:String} AND _offset < {facts_to:UInt64}`;
/** What lies before its partition's fence. */
export const BEFORE = `_partition IN {partitions:Array(UInt16)}
    AND _offset < transform(_partition, {partitions:Array(UInt16)}, {fences:Array(UInt64)}, toUInt64(0))`;
export const HAPPENS = `type IN ('event', 'page', 'screen')`;

const HAPPENED_IN_TIME = `least(timestamp, received_at) < ${TIME('happened_to')}`;
/** When it comes by its own time: what waited for a claim comes with that, which may be any time before it came. */
const COMES_LATE_ENOUGH = `(previously_anonymous OR
    toUnixTimestamp64Milli(least(timestamp, received_at)) + toUnixTimestamp64Milli(merged_at)
    - toUnixTimestamp64Milli(received_at) >= {from:Int64})`;

export function named({ names }: { readonly names: readonly string[] | null }): string {
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

/** Others' is read by nobody, and may be long. */
export const CONTEXT_OF_DEVICES = `if(name IN ('${DEVICE_TOLD}', '${DEVICE_GONE}'), context, NULL)`;
export const COLUMNS = `
  today_id, type, name, message_id, anonymous_id, toUnixTimestamp64Milli(timestamp), toUnixTimestamp64Milli(received_at),
  toUnixTimestamp64Milli(merged_at), previously_anonymous, properties, bot, ${CONTEXT_OF_DEVICES}`;

/** What a person did first, whatever it was: from there on it counts what they have not done. */
const FIRST = `
  SELECT ${COLUMNS} FROM resolved_rows
  WHERE workspace = {workspace:String} AND ${OF_PEOPLE} AND ${HAPPENS} AND merged_at < ${TIME('to')}
    AND ${HAPPENED_IN_TIME}
  ORDER BY merged_at, _partition, _offset LIMIT 1 BY today_id`;

export const IDENTIFY_COLUMNS = `
  today_id, message_id, anonymous_id, toUnixTimestamp64Milli(timestamp), toUnixTimestamp64Milli(received_at),
  toUnixTimestamp64Milli(merged_at)`;

/** About which identity was asked: the others say nothing new. Of whoever has more than are read the first. */
export const IDENTIFIED = `
  SELECT ${IDENTIFY_COLUMNS} FROM resolved_identifies
  WHERE workspace = {workspace:String} AND ${OF_PEOPLE} AND merged_at < ${TIME('to')}
  ORDER BY merged_at, _partition, _offset LIMIT ${String(historyEventsMax)} BY today_id`;

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

type Asked = Pick<CandidatesQuestion, 'names'> & { readonly comesBy: ComesBy | 'either' };
const CANDIDATES: Readonly<Record<CandidatesQuestion['by'], (question: Asked) => string>> = {
  events: (question) => `
    SELECT DISTINCT person_id FROM events
    WHERE workspace = {workspace:String} AND ${HAPPENS} ${named(question)}
      AND merged_at >= ${TIME('from')} AND merged_at < ${TIME('to')} AND ${HAPPENED_IN_TIME}
      ${question.comesBy === 'event_time' ? `AND ${COMES_LATE_ENOUGH}` : ''}`,
  identified: () => `
    SELECT DISTINCT today_id AS person_id FROM resolved_identifies
    WHERE workspace = {workspace:String} AND today_id != ''
      AND merged_at >= ${TIME('from')} AND merged_at < ${TIME('to')}`,
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
    context,
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
    context: textOf(context),
  };
}

const SAYS_NO_MORE = { name: null, previouslyAnonymous: false, properties: null, bot: false } as const;

export function identifyRow([
  personId,
  messageId,
  anonymousId,
  timestamp,
  receivedAt,
  mergedAt,
]: Row): HistoryRow {
  const times = {
    timestamp: Number(timestamp),
    receivedAt: Number(receivedAt),
    mergedAt: Number(mergedAt),
  };
  const whose = { personId: String(personId), anonymousId: textOf(anonymousId) };
  return { ...SAYS_NO_MORE, type: 'identify', messageId: String(messageId), ...whose, ...times };
}

export function membershipRow([personId, segmentId, change, at, messageId]: Row): HistoryRow {
  const properties = JSON.stringify({ action: change === 'entered' ? 'add' : 'remove' });
  const time = Number(at);
  return {
    ...{ ...SAYS_NO_MORE, type: 'membership', name: String(segmentId), properties },
    ...{ personId: String(personId), anonymousId: null, messageId: String(messageId) },
    ...{ timestamp: time, receivedAt: time, mergedAt: time },
  };
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
