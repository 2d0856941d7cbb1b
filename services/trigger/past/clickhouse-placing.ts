/**
 * Histories for the past of a journey's triggers, as they were written in one partition of events.merged below its fence,
 * by who they are today.
 */
import {
  ASOF,
  COLUMNS,
  eventRow,
  HAPPENS,
  identifyRow,
  IDENTIFIED,
  membershipRow,
  MOVED,
  profileRow,
  PROFILES,
  TIME,
} from './clickhouse-history.ts';
import { ClickhouseIdentifies, type AskOf } from './clickhouse-identifies.ts';
import type { WrittenRow } from './inheritance.ts';
import { historiesOf, type HistoryRow } from './history-source.ts';
import { historyEventsMax } from './replayer.ts';
import type { AskRows, HistoriesQuestion, PastHistories, Row, WrittenPerson } from './source.ts';

/** Read at once. */
const pagePeopleMax = 200;
/** Behind every time: what is past is told by the fence. */
const ALL_TIME = Date.UTC(2200, 0, 1);

export class ClickhousePlacing implements PastHistories {
  readonly #ask: AskRows;

  constructor(ask: AskRows) {
    this.#ask = ask;
  }

  async *histories(question: HistoriesQuestion): ReturnType<PastHistories['histories']> {
    const [[facts], [counted]] = await Promise.all([
      this.#rows(ASOF, question, {}),
      this.#rows(`SELECT uniqExact(person_id) FROM (${allOf(question)})`, question, {}),
    ]);
    const [asOf, asOfFact, of] = [Number(facts?.[0]), Number(facts?.[1]), Number(counted?.[0] ?? 0)];
    // The first page begins with the person whose telling was cut.
    let where = 'person_id >= {from:String}';
    let from = question.from;
    for (;;) {
      const found = await this.#rows(pageOf(question, where), question, { from });
      const ids = found.map(([id]) => String(id));
      const last = ids.at(-1);
      if (last === undefined) return;
      yield { people: await this.#people(question, ids), of, asOf, asOfFact };
      if (ids.length < pagePeopleMax) return;
      [where, from] = ['person_id > {from:String}', last];
    }
  }

  async #people(question: HistoriesQuestion, ids: readonly string[]): Promise<readonly WrittenPerson[]> {
    const ask: AskOf = (query, more) => this.#rows(query, question, more);
    const identifies = question.by === 'events' ? undefined : new ClickhouseIdentifies(ask);
    const isAnybody = question.by === 'anybody' && question.manual.length > 0;
    const [sizes, identified = [], put = []] = await Promise.all([
      this.#rows(
        `SELECT written_id, count(), max(today_id) FROM resolved_rows WHERE ${written(question)} GROUP BY written_id`,
        question,
        { ids },
      ),
      identifies?.written(ids, historyEventsMax),
      isAnybody ? this.#rows(PUT, question, { ids }) : [],
    ]);
    const tooMany = new Map([
      ...sizes.flatMap(([id, count, today]) =>
        Number(count) > historyEventsMax ? [[String(id), String(today)] as const] : [],
      ),
      ...whoHasMore(identified, historyEventsMax),
    ]);
    const readable = ids.filter((id) => !tooMany.has(id));
    const own = identified.filter(({ writtenId }) => !tooMany.has(writtenId));
    const [happened, inherited = []] = await Promise.all([
      this.#happened(question, readable),
      identifies?.inherited(own),
    ]);
    // Of a moment what others had said is known first; an identify comes behind its release.
    const byHand = put.map(([writtenId, ...row]) => ({
      writtenId: String(writtenId),
      row: membershipRow(row),
    }));
    const theirOwn = [...happened, ...own, ...byHand.filter(({ writtenId }) => !tooMany.has(writtenId))];
    const whose = byWrittenId([...inherited, ...theirOwn]);
    const today = [...new Set(theirOwn.map(({ row: { personId } }) => personId))];
    const asked = { people: today.filter((id) => id !== ''), manual: question.manual, to: ALL_TIME };
    const [said, moved, profiles] = await Promise.all([
      identifies === undefined ? this.#rows(IDENTIFIED, question, asked) : [],
      question.manual.length === 0 || isAnybody ? [] : this.#rows(MOVED, question, asked),
      this.#rows(PROFILES, question, asked),
    ]);
    const told = [...said.map(identifyRow), ...moved.map(membershipRow)];
    const profilesToday = profiles.map(profileRow);
    return ids.map((writtenId) => {
      const leftOut = tooMany.get(writtenId);
      if (leftOut !== undefined) return { writtenId, histories: [], leftOut };
      const rows = whose.get(writtenId) ?? [];
      const theirs = new Set(rows.map(({ personId }) => personId));
      return {
        writtenId,
        histories: historiesOf(
          profilesToday.filter(({ personId }) => theirs.has(personId)),
          [...rows, ...told.filter(({ personId }) => theirs.has(personId))],
        ),
      };
    });
  }

  /** Events that matter, and the first of each. */
  async #happened(question: HistoriesQuestion, ids: readonly string[]): Promise<readonly WrittenRow[]> {
    const [events, first] = await Promise.all([
      this.#rows(
        `SELECT written_id, ${COLUMNS} FROM resolved_rows WHERE ${written(question)} ORDER BY merged_at, _offset`,
        question,
        { ids },
      ),
      question.names === null ? [] : this.#rows(FIRST, question, { ids }),
    ]);
    const known = new Set(events.map(([, , , , messageId]) => messageId));
    return [...first.filter(([, , , , messageId]) => !known.has(messageId)), ...events].map(
      ([writtenId, ...row]) => ({ writtenId: String(writtenId), row: eventRow(row) }),
    );
  }

  async #rows(query: string, question: HistoriesQuestion, more: object): Promise<readonly Row[]> {
    const { workspace, partition, fence, names, triggerNames, manual, metAt, factsTo } = question;
    const named = { names: names ?? [], trigger_names: triggerNames ?? [], manual };
    const parameters = { workspace, partition, fence, met_at: metAt, facts_to: factsTo, ...named };
    return this.#ask(query, { ...parameters, ...more });
  }
}

function byWrittenId(all: readonly WrittenRow[]): ReadonlyMap<string, readonly HistoryRow[]> {
  const whose = new Map<string, HistoryRow[]>();
  for (const { writtenId, row } of all) {
    const own = whose.get(writtenId);
    if (own === undefined) whose.set(writtenId, [row]);
    else own.push(row);
  }
  return whose;
}

/** With who they are today. */
function whoHasMore(all: readonly WrittenRow[], max: number): readonly (readonly [string, string])[] {
  return [...byWrittenId(all)].flatMap(([writtenId, rows]) =>
    rows.length > max ? [[writtenId, rows.at(-1)?.personId ?? ''] as const] : [],
  );
}

/** Whom the question is of, each behind FROM; a condition may follow. */
function peopleFrom(question: HistoriesQuestion): readonly string[] {
  switch (question.by) {
    case 'events':
      return [`stored_merged WHERE ${triggering(question)}`];
    case 'identified':
      return [`stored_identifies WHERE ${BELOW}`];
    case 'anybody': // who has done nothing is somebody, too
      return [
        `stored_merged WHERE ${triggering(question)}`,
        `stored_identifies WHERE ${BELOW}`,
        ...(question.manual.length > 0 ? [`stored_segment_changes WHERE ${PUT_HERE}`] : []),
      ];
  }
}

function allOf(question: HistoriesQuestion): string {
  return peopleFrom(question)
    .map((from) => `SELECT person_id FROM ${from}`)
    .join(' UNION ALL ');
}

/** The first of all are among the first of each, which are found by the tables' order. */
function pageOf(question: HistoriesQuestion, where: string): string {
  const first = `ORDER BY person_id LIMIT ${String(pagePeopleMax)}`;
  const each = peopleFrom(question).map(
    (from) => `SELECT person_id FROM (SELECT DISTINCT person_id FROM ${from} AND ${where} ${first})`,
  );
  return `SELECT DISTINCT person_id FROM (${each.join(' UNION ALL ')}) ${first}`;
}

const BELOW =
  'workspace = {workspace:String} AND _partition = {partition:UInt16} AND _offset < {fence:UInt64}';
/** By hand; behind the moment at which the journey was met each has come as it came. */
const PUT_HERE = `workspace = {workspace:String} AND _partition = {partition:UInt16}
  AND segment_id IN {manual:Array(String)} AND at < ${TIME('met_at')}`;
const HAPPENED_BELOW = `${BELOW} AND ${HAPPENS}`;

function triggering({ triggerNames }: HistoriesQuestion): string {
  const isAny = triggerNames === null || triggerNames.length === 0;
  return isAny ? HAPPENED_BELOW : `${HAPPENED_BELOW} AND name IN {trigger_names:Array(String)}`;
}

function written({ names }: HistoriesQuestion): string {
  const named = names === null ? '' : 'AND name IN {names:Array(String)}';
  return `${HAPPENED_BELOW} AND written_id IN {ids:Array(String)} ${named}`;
}

/** What a person did first, whatever it was. */
const FIRST = `
  SELECT written_id, ${COLUMNS} FROM resolved_rows WHERE ${HAPPENED_BELOW} AND written_id IN {ids:Array(String)}
  ORDER BY merged_at, _offset LIMIT 1 BY written_id, today_id`;

/** As whose it was written, and who they are. */
const PUT = `
  SELECT
    rows.person_id, if(today.version > 0, today.today_id, rows.person_id), segment_id, change, toUnixTimestamp64Milli(at),
    ifNull(cause_message_id, '')
  FROM stored_segment_changes AS rows
  GLOBAL ANY LEFT JOIN (
    SELECT person_id, today_id, version FROM stored_today FINAL
    WHERE name_kind = '' AND person_id IN {ids:Array(String)}
  ) AS today ON rows.person_id = today.person_id
  WHERE ${PUT_HERE} AND rows.person_id IN {ids:Array(String)}
  ORDER BY at, _offset`;
