/**
 * Whose rows are whose today, in stored_today and stored_moves: all of it worked out by the views, or, after a batch of
 * facts, only what these change. Working all of it out takes seconds where hundreds of thousands of people have been
 * merged and deleted; the facts of a batch concern a few.
 *
 * A row's version is the number of facts that there were before anything was read, so of two who write at once the one
 * who knew more wins, and those who knew as much write the same.
 */
import type { Range } from './ranges.ts';

/** Facts after which rows are another person's, or nobody's. */
const resolvingKinds = ['person_absorbed', 'person_deleted', 'anonymous_moved', 'identifier_moved'] as const;
const RESOLVING_FACTS = resolvingKinds.map((kind) => `'${kind}'`).join(', ');
/** More than this is worked out by the views. */
const factsMax = 20_000;
/** Followed at once: the names of two people each stand in a question. */
const factsAtOnceMax = 1_000;

const TODAY = 'stored_today';
const MOVES = 'stored_moves';

export interface TodayTables {
  /** Of the tables as a whole. */
  rows<Row>(question: string): Promise<readonly Row[]>;
  /** Of a table under the name that its server has for it. */
  insert(table: string, values: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  /** Inserts a question's answer. */
  fill(table: string, columns: string, question: string): Promise<void>;
  /** The name that the server which keeps both tables has for one of them. */
  nameOf(table: string): string;
}

export interface ResolvingFact {
  readonly kind: string;
  readonly person_id: string;
  readonly other_person_id: string | null;
}
/** Whose a person's rows are: the survivor's, or nobody's, which is an empty text. */
export interface Resolution {
  readonly person_id: string;
  readonly today_id: string;
}

/** Most facts name somebody new or claim a visitor: after those every row is whose it was. */
export function isResolving(kind: string): boolean {
  return (resolvingKinds as readonly string[]).includes(kind);
}

/** Brings the tables to what the facts say. @param since ranges of identity.log whose rows are new; all: whatever changed. */
export async function refreshToday(tables: TodayTables, since: readonly Range[] | 'all'): Promise<void> {
  const [counted] = await tables.rows<{ facts: string }>(
    `SELECT toString(count()) AS facts FROM stored_facts WHERE kind IN (${RESOLVING_FACTS})`,
  );
  const version = counted?.facts ?? '0';
  if (since === 'all' || !(await followFacts(tables, since, version))) {
    await resolveAll(tables, TODAY, version);
    await resolveAll(tables, MOVES, version);
  }
}

const views = {
  [TODAY]: { view: 'person_resolutions', columns: 'person_id, today_id' },
  [MOVES]: { view: 'move_resolutions', columns: 'person_id, name_key, before, today_id' },
} as const;

async function resolveAll(tables: TodayTables, table: keyof typeof views, version: string): Promise<void> {
  const { view, columns } = views[table];
  await tables.fill(
    table,
    `${columns}, version`,
    `SELECT ${columns}, ${version} FROM ${view} WHERE (${columns}) NOT IN (SELECT ${columns} FROM ${tables.nameOf(table)} FINAL)`,
  );
}

/** False when there are too many facts. */
async function followFacts(tables: TodayTables, since: readonly Range[], version: string): Promise<boolean> {
  // Whatever came after the ranges, too: a sink that was paused then writes no older state under the newer number.
  const behind = since.map(
    ({ partition, from }) => `_partition = ${String(partition)} AND _offset >= ${String(from)}`,
  );
  if (behind.length === 0) return true;
  const facts = await tables.rows<ResolvingFact>(
    `SELECT kind, person_id, other_person_id FROM stored_facts
      WHERE kind IN (${RESOLVING_FACTS}) AND (${behind.join(' OR ')}) ORDER BY number LIMIT ${String(factsMax + 1)}`,
  );
  if (facts.length > factsMax) return false;
  let moves = false;
  for (let from = 0; from < facts.length; from += factsAtOnceMax) {
    const part = facts.slice(from, from + factsAtOnceMax);
    const people = part.flatMap(({ person_id: id, other_person_id: other }) =>
      other === null ? [id] : [id, other],
    );
    const concerned = [...new Set(people)].map(literal).join(', ');
    const before = await resolutionsOf(tables, concerned);
    const changed = resolutionsAfter(before, part);
    if (changed.length > 0) {
      await tables.insert(
        TODAY,
        changed.map((row) => ({ ...row, version })),
      );
    }
    moves ||= await concernsMoves(tables, part, concerned);
  }
  if (moves) await resolveAll(tables, MOVES, version);
  return true;
}

/** Identity makes the names of people, but a table takes what it is given. */
function literal(personId: string): string {
  return `'${personId.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Of these people, and of whoever is theirs today. */
async function resolutionsOf(tables: TodayTables, concerned: string): Promise<readonly Resolution[]> {
  const table = tables.nameOf(TODAY);
  // FINAL over all of the table costs a tenth of a second for each 400,000 people; by the sort key, nothing.
  return await tables.rows<Resolution>(
    `SELECT person_id, today_id FROM ${table} FINAL WHERE name_kind = '' AND (
      person_id IN (${concerned}) OR person_id IN (SELECT person_id FROM ${table} WHERE today_id IN (${concerned}))
    )`,
  );
}

/** Moves are few. What they come to changes by another move, and by what becomes of those whom rows have moved to. */
async function concernsMoves(
  tables: TodayTables,
  facts: readonly ResolvingFact[],
  concerned: string,
): Promise<boolean> {
  if (facts.some(({ kind }) => kind.endsWith('_moved'))) return true;
  const [moves] = await tables.rows<{ rows: string }>(
    `SELECT toString(count()) AS rows FROM ${tables.nameOf(MOVES)} FINAL WHERE today_id IN (${concerned})`,
  );
  return moves !== undefined && moves.rows !== '0';
}

/**
 * The resolutions that these facts change, in their order.
 * @param before those of all people whom a fact names, and of all whose rows are theirs today. Facts may be in it already.
 */
export function resolutionsAfter(
  before: readonly Resolution[],
  facts: readonly ResolvingFact[],
): readonly Resolution[] {
  const today = new Map(before.map((row) => [row.person_id, row.today_id]));
  const had = new Map(today);
  const peopleOf = new Map<string, Set<string>>();
  const put = (personId: string, to: string): void => {
    today.set(personId, to);
    const people = peopleOf.get(to);
    if (people === undefined) peopleOf.set(to, new Set([personId]));
    else people.add(personId);
  };
  for (const [personId, to] of had) put(personId, to);
  for (const { kind, person_id: personId, other_person_id: other } of facts) {
    const to = kind === 'person_deleted' ? '' : kind === 'person_absorbed' ? other : null;
    if (to === null) continue;
    const survivor = today.get(to) ?? to;
    const moved = peopleOf.get(personId) ?? [];
    peopleOf.delete(personId);
    for (const each of [personId, ...moved]) put(each, survivor);
  }
  return [...today]
    .filter(([personId, to]) => had.get(personId) !== to)
    .map(([personId, to]) => ({ person_id: personId, today_id: to }));
}
