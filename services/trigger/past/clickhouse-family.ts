/**
 * What people have of each other who became one: what was said of somebody who has been merged with the person since
 * triggered then and there, and no more; and of a segment what they did together counts, from then on.
 */
import {
  BEFORE,
  COLUMNS,
  eventRow,
  HAPPENS,
  identifyRow,
  IDENTIFY_COLUMNS,
  named,
} from './clickhouse-history.ts';
import { inheritedOf, type Merge, type WrittenRow } from './inheritance.ts';
import type { Row } from './source.ts';

/** Of a person of today: who has more is known by these, and some may trigger once more. */
const mergedPeopleMax = 1_000;
const inheritedMax = 1_000;

/** Of all who are asked about together. */
export const familyEventsMax = 100_000;

/** Rows of a query that gets the parameters of a question, and these. */
export type AskOf = (query: string, more: Readonly<Record<string, unknown>>) => Promise<readonly Row[]>;

export class ClickhouseFamily {
  readonly #ask: AskOf;
  /** Everybody who is one of them today, with who that is. */
  readonly #todayOf: ReadonlyMap<string, string>;
  readonly #merges: readonly Merge[];
  /** ms; when somebody's own stream ended, since they became another. */
  readonly endOf: ReadonlyMap<string, number>;

  /** Of the people of today of these rows. */
  static async of(rows: readonly WrittenRow[], ask: AskOf): Promise<ClickhouseFamily> {
    const today = [...new Set(rows.map(({ row }) => row.personId))].filter((id) => id !== '');
    const family = today.length === 0 ? [] : await ask(FAMILY, { today, max: mergedPeopleMax });
    const todayOf = new Map([
      ...today.map((id) => [id, id] as const),
      ...family.map(([id, todayId]) => [String(id), String(todayId)] as const),
    ]);
    const merged = family.length === 0 ? [] : await ask(MERGES, { people: [...todayOf.keys()] });
    const merges = merged.map(([id, into, at]) => ({
      ...{ personId: String(id), into: String(into), at: Number(at) },
    }));
    return new ClickhouseFamily(ask, { todayOf, merges });
  }

  private constructor(
    ask: AskOf,
    { todayOf, merges }: { readonly todayOf: ReadonlyMap<string, string>; readonly merges: readonly Merge[] },
  ) {
    this.#ask = ask;
    this.#todayOf = todayOf;
    this.#merges = merges;
    this.endOf = new Map(merges.map(({ personId, at }) => [personId, at]));
  }

  /** By whom of them a row of `own` was written: identifies of the others. */
  async identifies(own: readonly WrittenRow[]): Promise<readonly WrittenRow[]> {
    return this.#inherited(own, OF_PEOPLE, { max: inheritedMax });
  }

  /** Likewise: what the others did below the fences. @param max of a person of today, and one more. */
  async events(
    own: readonly WrittenRow[],
    { names, max }: { readonly names: readonly string[] | null; readonly max: number },
  ): Promise<readonly WrittenRow[]> {
    const query = `
      SELECT written_id, ${COLUMNS} FROM resolved_rows
      WHERE workspace = {workspace:String} AND ${BEFORE} AND written_id IN {people:Array(String)} AND ${HAPPENS}
        ${named({ names })}
      ORDER BY merged_at, _offset LIMIT {max:UInt32} BY today_id LIMIT {all:UInt32}`;
    return this.#inherited(own, query, { max: max + 1, all: familyEventsMax + 1 });
  }

  async #inherited(own: readonly WrittenRow[], query: string, more: object): Promise<readonly WrittenRow[]> {
    if (this.#merges.length === 0) return [];
    const said = await this.#ask(query, { people: [...this.#todayOf.keys()], ...more });
    const toRow = query === OF_PEOPLE ? identifyRow : eventRow;
    const rows = said.map(([writtenId, ...row]) => ({ writtenId: String(writtenId), row: toRow(row) }));
    return inheritedOf(own, rows, { todayOf: this.#todayOf, merges: this.#merges });
  }
}

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
