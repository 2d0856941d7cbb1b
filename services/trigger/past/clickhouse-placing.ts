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
import { chunksOf, historyEventsMax } from './reading-chunks.ts';
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
      this.#rows(
        `SELECT uniqExact(person_id) FROM (${peopleOf(question).join(' UNION ALL ')})`,
        question,
        {},
      ),
    ]);
    const [asOf, asOfFact, of] = [Number(facts?.[0]), Number(facts?.[1]), Number(counted?.[0] ?? 0)];
    // The first page begins with the person whose telling was cut.
    let where = 'person_id >= {from:String}';
    let from = question.from;
    for (;;) {
      const page = `ORDER BY person_id LIMIT ${String(pagePeopleMax)}`;
      const pages = peopleOf(question).map((people) => `SELECT * FROM (${people} AND ${where} ${page})`);
      const found = await this.#rows(
        `SELECT DISTINCT person_id FROM (${pages.join(' UNION ALL ')}) ${page}`,
        question,
        { from },
      );
      const ids = found.map(([id]) => String(id));
      const last = ids.at(-1);
      if (last === undefined) return;
      const sizes = await this.#sizes(question, ids);
      const counts = new Map([...sizes].map(([id, { count }]) => [id, count]));
      for (const chunk of chunksOf(ids, counts)) {
        yield { people: await this.#people(question, chunk, sizes), of, asOf, asOfFact };
      }
      if (ids.length < pagePeopleMax) return;
      [where, from] = ['person_id > {from:String}', last];
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

  async #people(
    question: HistoriesQuestion,
    ids: readonly string[],
    sizes: ReadonlyMap<string, Size>,
  ): Promise<readonly WrittenPerson[]> {
    const ask: AskOf = (query, more) => this.#rows(query, question, more);
    const identifies = question.by === 'events' ? undefined : new ClickhouseIdentifies(ask);
    const isTooMuch = (id: string) => (sizes.get(id)?.count ?? 0) > historyEventsMax;
    const readable = ids.filter((id) => !isTooMuch(id));
    const own = (await identifies?.written(readable, historyEventsMax)) ?? [];
    const [happened, inherited = []] = await Promise.all([
      this.#happened(question, readable),
      question.by === 'identified' ? identifies?.inherited(own) : [],
    ]);
    // Of a moment what others had said is known first; an identify comes behind its release.
    const whose = byWrittenId([...inherited, ...happened, ...own]);
    const today = [...new Set([...happened, ...own].map(({ row: { personId } }) => personId))];
    const asked = { people: today.filter((id) => id !== ''), manual: question.manual, to: ALL_TIME };
    const [said, moved, profiles] = await Promise.all([
      question.by === 'identified' ? [] : this.#rows(IDENTIFIED, question, asked),
      question.manual.length === 0 ? [] : this.#rows(MOVED, question, asked),
      this.#rows(PROFILES, question, asked),
    ]);
    const told = [...said.map(identifyRow), ...moved.map(membershipRow)];
    const profilesToday = profiles.map(profileRow);
    return ids.map((writtenId) => {
      if (isTooMuch(writtenId)) {
        const leftOut = sizes.get(writtenId)?.today ?? '';
        return { writtenId, histories: [], ...(leftOut !== '' && { leftOut }) }; // else it is nobody's any more
      }
      const rows = whose.get(writtenId) ?? [];
      const theirs = new Set(rows.map(({ personId }) => personId));
      const known = new Set(rows.map(placeOf));
      return {
        writtenId,
        histories: historiesOf(
          profilesToday.filter(({ personId }) => theirs.has(personId)),
          [...rows, ...told.filter((row) => theirs.has(row.personId) && !known.has(placeOf(row)))],
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
    const { workspace, partition, fence, names, triggerNames, factsTo, answers } = question;
    const named = {
      names: names ?? [],
      trigger_names: triggerNames ?? [],
      answer_names: answers?.names ?? [],
    };
    const parameters = { workspace, partition, fence, facts_to: factsTo, ...named };
    return this.#ask(query, { ...parameters, answers_since: answers?.since ?? 0, ...more });
  }
}

/** Of a row of a person. */
function placeOf({ type, messageId, mergedAt }: HistoryRow): string {
  return `${type} ${messageId} ${String(mergedAt)}`;
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

interface Size {
  readonly count: number;
  readonly today: string;
}

/** Whom the question is of: queries behind which a condition may follow. Whoever was only identified did something, too. */
function peopleOf(question: HistoriesQuestion): readonly string[] {
  const identified = `SELECT DISTINCT person_id FROM stored_identifies WHERE ${BELOW}`;
  const happened = `SELECT DISTINCT person_id FROM stored_merged WHERE ${triggering(question)}`;
  if (question.by === 'identified') return [identified];
  return question.by === 'anybody' ? [happened, identified] : [happened];
}

const BELOW =
  'workspace = {workspace:String} AND _partition = {partition:UInt16} AND _offset < {fence:UInt64}';
const HAPPENED_BELOW = `${BELOW} AND ${HAPPENS}`;

const SAID = `${BELOW} AND written_id IN {ids:Array(String)}`;

function triggering({ triggerNames, answers }: HistoriesQuestion): string {
  if (triggerNames === null || triggerNames.length === 0) return HAPPENED_BELOW;
  const named = 'name IN {trigger_names:Array(String)}';
  if (answers === undefined) return `${HAPPENED_BELOW} AND ${named}`;
  const answering = answers.names === null ? '' : 'name IN {answer_names:Array(String)} AND';
  const recent = `least(timestamp, received_at) >= ${TIME('answers_since')}`;
  return `${HAPPENED_BELOW} AND (${named} OR (${answering} ${recent}))`;
}

function written({ names }: HistoriesQuestion): string {
  const named = names === null ? '' : 'AND name IN {names:Array(String)}';
  return `${HAPPENED_BELOW} AND written_id IN {ids:Array(String)} ${named}`;
}

/** What a person did first, whatever it was. */
const FIRST = `
  SELECT written_id, ${COLUMNS} FROM resolved_rows WHERE ${HAPPENED_BELOW} AND written_id IN {ids:Array(String)}
  ORDER BY merged_at, _offset LIMIT 1 BY written_id, today_id`;
