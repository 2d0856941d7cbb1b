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
} from './clickhouse-history.ts';
import { historiesOf } from './history-source.ts';
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
      this.#rows(
        `SELECT uniqExact(person_id) FROM stored_merged WHERE ${triggering(question)}`,
        question,
        {},
      ),
    ]);
    const [asOf, asOfFact, of] = [Number(facts?.[0]), Number(facts?.[1]), Number(counted?.[0] ?? 0)];
    // The first page begins with the person whose telling was cut.
    let where = 'person_id >= {from:String}';
    let from = question.from;
    for (;;) {
      const found = await this.#rows(
        `SELECT DISTINCT person_id FROM stored_merged WHERE ${triggering(question)} AND ${where}
         ORDER BY person_id LIMIT ${String(pagePeopleMax)}`,
        question,
        { from },
      );
      const ids = found.map(([id]) => String(id));
      const last = ids.at(-1);
      if (last === undefined) return;
      yield { people: await this.#people(question, ids), of, asOf, asOfFact };
      if (ids.length < pagePeopleMax) return;
      [where, from] = ['person_id > {from:String}', last];
    }
  }

  async #people(question: HistoriesQuestion, ids: readonly string[]): Promise<readonly WrittenPerson[]> {
    const sizes = await this.#rows(
      `SELECT written_id, count(), max(today_id) FROM resolved_rows WHERE ${written(question)} GROUP BY written_id`,
      question,
      { ids },
    );
    const tooMany = new Map(
      sizes.flatMap(([id, count, today]) =>
        Number(count) > historyEventsMax ? [[String(id), String(today)] as const] : [],
      ),
    );
    const readable = ids.filter((id) => !tooMany.has(id));
    const [events, first] = await Promise.all([
      this.#rows(
        `SELECT written_id, ${COLUMNS} FROM resolved_rows WHERE ${written(question)} ORDER BY merged_at, _offset`,
        question,
        { ids: readable },
      ),
      question.names === null ? [] : this.#rows(FIRST, question, { ids: readable }),
    ]);
    const known = new Set(events.map(([, , , , messageId]) => messageId));
    const happened = [...first.filter(([, , , , messageId]) => !known.has(messageId)), ...events];
    const whose = new Map<string, Row[]>();
    for (const row of happened) {
      const id = String(row[0]);
      const own = whose.get(id);
      if (own === undefined) whose.set(id, [row]);
      else own.push(row);
    }
    const today = [...new Set(happened.map(([, id]) => String(id)))].filter((id) => id !== '');
    const asked = { people: today, manual: question.manual, to: ALL_TIME };
    const [identified, moved, profiles] = await Promise.all([
      this.#rows(IDENTIFIED, question, asked),
      question.manual.length === 0 ? [] : this.#rows(MOVED, question, asked),
      this.#rows(PROFILES, question, asked),
    ]);
    const said = [...identified.map(identifyRow), ...moved.map(membershipRow)];
    const profilesToday = profiles.map(profileRow);
    return ids.map((writtenId) => {
      const leftOut = tooMany.get(writtenId);
      if (leftOut !== undefined) return { writtenId, histories: [], leftOut };
      const own = (whose.get(writtenId) ?? []).map(([, ...row]) => eventRow(row));
      const theirs = new Set(own.map(({ personId }) => personId));
      const rows = [...own, ...said.filter(({ personId }) => theirs.has(personId))];
      return {
        writtenId,
        histories: historiesOf(
          profilesToday.filter(({ personId }) => theirs.has(personId)),
          rows,
        ),
      };
    });
  }

  async #rows(query: string, question: HistoriesQuestion, more: object): Promise<readonly Row[]> {
    const { workspace, partition, fence, names, triggerNames, factsTo } = question;
    const named = { names: names ?? [], trigger_names: triggerNames ?? [] };
    const parameters = { workspace, partition, fence, facts_to: factsTo, ...named };
    return this.#ask(query, { ...parameters, ...more });
  }
}

const BELOW = `workspace = {workspace:String} AND _partition = {partition:UInt16} AND _offset < {fence:UInt64} AND ${HAPPENS}`;

function triggering({ triggerNames }: HistoriesQuestion): string {
  const isAny = triggerNames === null || triggerNames.length === 0;
  return isAny ? BELOW : `${BELOW} AND name IN {trigger_names:Array(String)}`;
}

function written({ names }: HistoriesQuestion): string {
  const named = names === null ? '' : 'AND name IN {names:Array(String)}';
  return `${BELOW} AND written_id IN {ids:Array(String)} ${named}`;
}

/** What a person did first, whatever it was. */
const FIRST = `
  SELECT written_id, ${COLUMNS} FROM resolved_rows WHERE ${BELOW} AND written_id IN {ids:Array(String)}
  ORDER BY merged_at, _offset LIMIT 1 BY written_id, today_id`;
