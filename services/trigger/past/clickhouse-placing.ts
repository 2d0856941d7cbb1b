/**
 * Histories for the past of a journey's triggers, as they were written in one partition of events.merged below its fence,
 * by who they are today.
 */
import { chunksOf, historyEventsMax } from './reading-chunks.ts';
import { ClickhouseFamily, familyEventsMax, type AskOf } from './clickhouse-family.ts';
import {
  ASOF,
  COLUMNS,
  eventRow,
  HAPPENS,
  identifyRow,
  IDENTIFIED,
  IDENTIFY_COLUMNS,
  membershipRow,
  MOVED,
  named,
  profileRow,
  PROFILES,
  TIME,
} from './clickhouse-history.ts';
import { historiesOf, type HistoryRow } from './history-source.ts';
import type { WrittenRow } from './inheritance.ts';
import type { AskRows, HistoriesQuestion, PastHistories, Row, WrittenPerson } from './source.ts';

/** Asked for at once; read in chunks. */
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
      const sizes = await this.#sizes(question, ids);
      const counts = new Map([...sizes].map(([id, { count }]) => [id, count]));
      const tooMany = new Map(
        [...sizes].flatMap(([id, { count, today }]) =>
          count > historyEventsMax ? [[id, today] as const] : [],
        ),
      );
      for (const chunk of chunksOf(ids, counts)) {
        for await (const people of this.#chunk(question, chunk, tooMany)) {
          yield { people, of, asOf, asOfFact };
        }
      }
      if (ids.length < pagePeopleMax) return;
      [where, from] = ['person_id > {from:String}', last];
    }
  }

  /** Together, or one by one where those whom they became have done too much. */
  async *#chunk(
    question: HistoriesQuestion,
    ids: readonly string[],
    tooMany: ReadonlyMap<string, string>,
  ): AsyncGenerator<readonly WrittenPerson[]> {
    const together = await this.#people(question, ids, tooMany);
    if (together !== undefined) {
      yield together;
      return;
    }
    for (const id of ids) {
      const one = await this.#people(question, [id], tooMany);
      if (one !== undefined) yield one;
    }
  }

  /** How many events that matter each has, and who they are today; of whoever has none there is nothing. */
  async #sizes(question: HistoriesQuestion, ids: readonly string[]): Promise<ReadonlyMap<string, Size>> {
    const from = [`resolved_rows WHERE ${written(question)}`];
    if (question.by !== 'events') from.push(`resolved_identifies WHERE ${SAID}`);
    const counted = await Promise.all(
      from.map((rows) =>
        this.#rows(`SELECT written_id, count(), max(today_id) FROM ${rows} GROUP BY written_id`, question, {
          ids,
        }),
      ),
    );
    const sizes = new Map<string, Size>();
    for (const [written, count, today] of counted.flat()) {
      const id = String(written);
      const most = Math.max(sizes.get(id)?.count ?? 0, Number(count));
      sizes.set(id, { count: most, today: String(today) });
    }
    return sizes;
  }

  /**
   * undefined: together, those whom they became have done too much.
   * @param tooMany who has more events than are read, with who they are today.
   */
  async #people(
    question: HistoriesQuestion,
    ids: readonly string[],
    tooMany: ReadonlyMap<string, string>,
  ): Promise<readonly WrittenPerson[] | undefined> {
    const { by, names, manual } = question;
    const readable = ids.filter((id) => !tooMany.has(id));
    const ask: AskOf = (query, more) => this.#rows(query, question, more);
    const [identified, happened, put] = await Promise.all([
      by === 'events' ? [] : ask(IDENTIFIES, { ids: readable }),
      this.#happened(question, readable),
      by === 'anybody' && manual.length > 0 ? ask(PUT, { ids: readable }) : [],
    ]);
    const own = [
      ...happened,
      ...identified.map((row) => writtenRow(row, identifyRow)),
      ...put.map((row) => writtenRow(row, membershipRow)),
    ];
    const family = by === 'events' ? undefined : await ClickhouseFamily.of(own, ask); // each event triggers whom it came to
    const [said = [], done = []] = await Promise.all([
      family?.identifies(by === 'identified' ? own.filter(isIdentify) : own),
      by === 'anybody' ? family?.events(own, { names, max: historyEventsMax }) : [],
    ]);
    if (done.length > familyEventsMax && ids.length > 1) return undefined;
    // Of a moment what others had said is known first; an identify comes behind its release.
    const whose = byWrittenId([...said, ...done, ...own]);
    const leftOut = new Map([...tooMany, ...whoHasMore(whose, historyEventsMax)]);
    const told = await this.#told(question, own);
    return ids.map((writtenId): WrittenPerson => {
      const today = leftOut.get(writtenId);
      if (today !== undefined) {
        return { writtenId, histories: [], ...(today !== '' && { leftOut: today }) }; // else it is nobody's any more
      }
      const rows = whose.get(writtenId) ?? [];
      const theirs = new Set(rows.map(({ personId }) => personId));
      const histories = historiesOf(
        told.profiles.filter(({ personId }) => theirs.has(personId)),
        [...rows, ...told.rows.filter(({ personId }) => theirs.has(personId))],
      );
      const endsAt = by === 'anybody' ? family?.endOf.get(writtenId) : undefined;
      return { writtenId, histories, ...(endsAt !== undefined && { endsAt }) };
    });
  }

  /** What is known of the people of today, whoever they were. */
  async #told(question: HistoriesQuestion, own: readonly WrittenRow[]) {
    const today = [...new Set(own.map(({ row: { personId } }) => personId))].filter((id) => id !== '');
    const asked = { people: today, to: ALL_TIME };
    const { by, manual } = question;
    const [said, moved, profiles] = await Promise.all([
      by === 'events' ? this.#rows(IDENTIFIED, question, asked) : [],
      manual.length === 0 || by === 'anybody' ? [] : this.#rows(MOVED, question, asked),
      this.#rows(PROFILES, question, asked),
    ]);
    return {
      rows: [...said.map(identifyRow), ...moved.map(membershipRow)],
      profiles: profiles.map(profileRow),
    };
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
    const beginnings = first.filter(([, , , , messageId]) => !known.has(messageId));
    return [...beginnings, ...events].map((row) => writtenRow(row, eventRow));
  }

  async #rows(query: string, question: HistoriesQuestion, more: object): Promise<readonly Row[]> {
    const { workspace, partition, fence, fences, names, manual, metAt, factsTo } = question;
    const { triggerNames, answers } = question;
    return this.#ask(query, {
      ...{ workspace, partition, fence, fences, manual, met_at: metAt, facts_to: factsTo },
      ...{
        partitions: fences.map((_, index) => index),
        names: names ?? [],
        trigger_names: triggerNames ?? [],
      },
      ...{ answer_names: answers?.names ?? [], answers_since: answers?.since ?? 0 },
      ...more,
    });
  }
}

interface Size {
  readonly count: number;
  readonly today: string;
}

function writtenRow([writtenId, ...row]: Row, toRow: (row: Row) => HistoryRow): WrittenRow {
  return { writtenId: String(writtenId), row: toRow(row) };
}
function isIdentify({ row }: WrittenRow): boolean {
  return row.type === 'identify';
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
function whoHasMore(
  whose: ReadonlyMap<string, readonly HistoryRow[]>,
  max: number,
): readonly (readonly [string, string])[] {
  return [...whose].flatMap(([writtenId, rows]) =>
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
const SAID = `${BELOW} AND written_id IN {ids:Array(String)}`;
const HAPPENED_BELOW = `${BELOW} AND ${HAPPENS}`;

function triggering({ triggerNames, answers }: HistoriesQuestion): string {
  if (triggerNames === null || triggerNames.length === 0) return HAPPENED_BELOW;
  const named = 'name IN {trigger_names:Array(String)}';
  if (answers === undefined) return `${HAPPENED_BELOW} AND ${named}`;
  const answering = answers.names === null ? '' : 'name IN {answer_names:Array(String)} AND';
  const recent = `least(timestamp, received_at) >= ${TIME('answers_since')}`;
  return `${HAPPENED_BELOW} AND (${named} OR (${answering} ${recent}))`;
}

function written(question: HistoriesQuestion): string {
  return `${HAPPENED_BELOW} AND written_id IN {ids:Array(String)} ${named(question)}`;
}

/** What a person did first, whatever it was. */
const FIRST = `
  SELECT written_id, ${COLUMNS} FROM resolved_rows WHERE ${HAPPENED_BELOW} AND written_id IN {ids:Array(String)}
  ORDER BY merged_at, _offset LIMIT 1 BY written_id, today_id`;

/** About which identity was asked, as they were written. */
const IDENTIFIES = `
  SELECT written_id, ${IDENTIFY_COLUMNS} FROM resolved_identifies WHERE ${SAID} ORDER BY merged_at, _offset`;

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
