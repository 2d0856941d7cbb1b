/**
 * When people were identified, of one partition of events.merged below a fence: each identify about which identity was
 * asked, as it was written; and what was said of somebody who has been merged with the person since, which triggered then
 * and there, and no more.
 */
import { identifyRow, IDENTIFY_COLUMNS } from './clickhouse-history.ts';
import { inheritedOf, type WrittenRow } from './inheritance.ts';
import type { Row } from './source.ts';

/** Of a person of today: who has more is known by these, and some may trigger once more. */
const mergedPeopleMax = 1_000;
const inheritedMax = 1_000;

/** Rows of a query that gets the parameters of a question, and these. */
export type AskOf = (query: string, more: Readonly<Record<string, unknown>>) => Promise<readonly Row[]>;

export class ClickhouseIdentifies {
  readonly #ask: AskOf;

  constructor(ask: AskOf) {
    this.#ask = ask;
  }

  /** As they were written, in their order; of each person one more than `max` at most. */
  async written(ids: readonly string[], max: number): Promise<readonly WrittenRow[]> {
    return (await this.#ask(WRITTEN, { ids, max: max + 1 })).map(writtenRow);
  }

  /** What the people of today of these rows had inherited, by whom of them a row was written. */
  async inherited(own: readonly WrittenRow[]): Promise<readonly WrittenRow[]> {
    const today = [...new Set(own.map(({ row }) => row.personId))].filter((id) => id !== '');
    const family = await this.#ask(FAMILY, { today, max: mergedPeopleMax });
    if (family.length === 0) return [];
    const todayOf = new Map([
      ...today.map((id) => [id, id] as const),
      ...family.map(([id, todayId]) => [String(id), String(todayId)] as const),
    ]);
    const people = [...todayOf.keys()];
    const [merged, said] = await Promise.all([
      this.#ask(MERGES, { people }),
      this.#ask(OF_PEOPLE, { people, max: inheritedMax }),
    ]);
    const merges = merged.map(([id, into, at]) => ({
      ...{ personId: String(id), into: String(into), at: Number(at) },
    }));
    return inheritedOf(own, said.map(writtenRow), { todayOf, merges });
  }
}

function writtenRow([writtenId, ...row]: Row): WrittenRow {
  return { writtenId: String(writtenId), row: identifyRow(row) };
}

const WRITTEN = `
  SELECT written_id, ${IDENTIFY_COLUMNS} FROM resolved_identifies
  WHERE workspace = {workspace:String} AND _partition = {partition:UInt16} AND _offset < {fence:UInt64}
    AND written_id IN {ids:Array(String)}
  ORDER BY merged_at, _offset LIMIT {max:UInt32} BY written_id`;

/** Who became one of these people. */
const FAMILY = `
  SELECT person_id, today_id FROM stored_today FINAL
  WHERE name_kind = '' AND today_id IN {today:Array(String)}
  ORDER BY person_id LIMIT {max:UInt32} BY today_id`;

const MERGES = `
  SELECT assumeNotNull(person_id), assumeNotNull(other_person_id), toUnixTimestamp64Milli(at) FROM stored_facts
  WHERE kind = 'person_absorbed' AND workspace = {workspace:String} AND person_id IN {people:Array(String)}`;

const OF_PEOPLE = `
  SELECT written_id, ${IDENTIFY_COLUMNS} FROM resolved_identifies
  WHERE workspace = {workspace:String} AND written_id IN {people:Array(String)}
  ORDER BY merged_at, _offset LIMIT {max:UInt32} BY today_id`;
