/**
 * Whose rows are whose today, in stored_today and stored_moves: all of it worked out by the views, or, after a batch of
 * facts, only what these change. Working all of it out takes seconds where hundreds of thousands of people have been
 * merged and deleted; the facts of a batch concern a few.
 *
 * What cannot be followed for all workspaces at once is worked out for each by itself (moves-today.ts): one workspace's
 * history may be too long to follow, and stops nobody's rows.
 *
 * A row's version is the number of facts that there were before anything was read, so of two who write at once the one
 * who knew more wins, and those who knew as much write the same.
 */
import { movesToday, peopleToday, type HistoryFact } from './moves-today.ts';
import type { Range } from './ranges.ts';

/** Facts after which rows are another person's, or nobody's. */
const resolvingKinds = ['person_absorbed', 'person_deleted', 'anonymous_moved', 'identifier_moved'] as const;
const RESOLVING_FACTS = resolvingKinds.map((kind) => `'${kind}'`).join(', ');
/** More than this is worked out by the views. */
const factsMax = 20_000;
/** Of one workspace, of those that it is worked out from. */
const workspaceFactsMax = 200_000;
/** Followed at once: the names of two people each stand in a question. */
const factsAtOnceMax = 1_000;

const TODAY = 'stored_today';
const MOVES = 'stored_moves';

export interface TodayTables {
  /** Of the tables as a whole. */
  rows<Row>(question: string): Promise<readonly Row[]>;
  /** Of a table under the name that its server has for it. */
  insert(table: string, values: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  /** Inserts a question's answer. False: it is more than the engine follows or holds. */
  fill(table: string, columns: string, question: string): Promise<boolean>;
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

/**
 * Brings the tables to what the facts say. @param since ranges of identity.log whose rows are new; all: whatever changed.
 * Returns the workspaces whose histories are too long to follow.
 */
export async function refreshToday(
  tables: TodayTables,
  since: readonly Range[] | 'all',
): Promise<readonly string[]> {
  const [counted] = await tables.rows<{ facts: string }>(
    `SELECT toString(count()) AS facts FROM stored_facts WHERE kind IN (${RESOLVING_FACTS})`,
  );
  const version = counted?.facts ?? '0';
  const followed = since === 'all' ? undefined : await followFacts(tables, since, version);
  if (followed !== undefined) return followed;
  const people = await resolveAll(tables, TODAY, version);
  return [...new Set([...people, ...(await resolveAll(tables, MOVES, version))])];
}

const views = {
  [TODAY]: { view: 'person_resolutions', columns: 'person_id, today_id', of: peopleOf },
  [MOVES]: { view: 'move_resolutions', columns: 'person_id, name_key, before, today_id', of: movesOf },
} as const;

async function resolveAll(
  tables: TodayTables,
  table: keyof typeof views,
  version: string,
): Promise<readonly string[]> {
  const { view, columns, of } = views[table];
  const filled = await tables.fill(
    table,
    `${columns}, version`,
    `SELECT ${columns}, ${version} FROM ${view} WHERE (${columns}) NOT IN (SELECT ${columns} FROM ${tables.nameOf(table)} FINAL)`,
  );
  if (filled) return [];
  const found = await tables.rows<{ workspace: string }>(
    `SELECT DISTINCT toString(workspace) AS workspace FROM stored_facts WHERE kind IN (${RESOLVING_FACTS})`,
  );
  return await ofWorkspaces(tables, of, { workspaces: found.map(({ workspace }) => workspace), version });
}

type Row = Readonly<Record<string, string | number>>;

async function ofWorkspaces(
  tables: TodayTables,
  of: typeof peopleOf,
  { workspaces, version }: { readonly workspaces: readonly string[]; readonly version: string },
): Promise<readonly string[]> {
  const leftOut: string[] = [];
  for (const workspace of workspaces) {
    const found = await of(tables, workspace);
    if (found === undefined) leftOut.push(workspace);
    else await insertChanged(tables, found, version);
  }
  return leftOut;
}

interface Found {
  readonly table: keyof typeof views;
  readonly rows: readonly Row[];
}

async function peopleOf(tables: TodayTables, workspace: string): Promise<Found | undefined> {
  const facts = await factsOf(tables, workspace, ['person_absorbed', 'person_deleted']);
  if (facts === undefined) return undefined;
  return {
    table: TODAY,
    rows: [...peopleToday(facts)].map(([personId, to]) => ({ person_id: personId, today_id: to })),
  };
}

async function movesOf(tables: TodayTables, workspace: string): Promise<Found | undefined> {
  const kinds = ['person_split', 'anonymous_moved', 'identifier_moved', 'person_absorbed'];
  const facts = await factsOf(tables, workspace, kinds);
  const rows = facts === undefined ? undefined : movesToday(facts);
  if (rows === undefined) return undefined;
  const deleted = await deletedOf(tables, [...new Set(rows.map(({ today_id: to }) => to))]);
  return {
    table: MOVES,
    rows: rows.map((row) => ({ ...row, today_id: deleted.has(row.today_id) ? '' : row.today_id })),
  };
}

/** undefined: there are more of them than one workspace may have followed. */
async function factsOf(
  tables: TodayTables,
  workspace: string,
  kinds: readonly string[],
): Promise<readonly HistoryFact[] | undefined> {
  const rows = await tables.rows<Omit<HistoryFact, 'number'> & { readonly number: number | string }>(
    `SELECT kind, number, person_id, other_person_id, toString(name_digest) AS name_key FROM stored_facts
      WHERE kind IN (${kinds.map(literal).join(', ')}) AND workspace = ${literal(workspace)} AND person_id IS NOT NULL
      ORDER BY stored_facts.number LIMIT ${String(workspaceFactsMax + 1)}`,
  );
  if (rows.length > workspaceFactsMax) return undefined;
  return rows.map((row) => ({ ...row, number: Number(row.number) })); // 64 bits may come as text
}

async function deletedOf(tables: TodayTables, personIds: readonly string[]): Promise<ReadonlySet<string>> {
  const deleted = new Set<string>();
  for (let from = 0; from < personIds.length; from += factsAtOnceMax) {
    const named = personIds
      .slice(from, from + factsAtOnceMax)
      .map(literal)
      .join(', ');
    const rows = await tables.rows<{ person_id: string }>(
      `SELECT DISTINCT person_id FROM stored_facts WHERE kind = 'person_deleted' AND person_id IN (${named})`,
    );
    for (const { person_id: personId } of rows) deleted.add(personId);
  }
  return deleted;
}

async function insertChanged(tables: TodayTables, { table, rows }: Found, version: string): Promise<void> {
  const columns = views[table].columns.split(', ');
  const textOf = (row: Row): string => columns.map((column) => String(row[column])).join(' ');
  for (let from = 0; from < rows.length; from += factsAtOnceMax) {
    const part = rows.slice(from, from + factsAtOnceMax);
    const people = [...new Set(part.map((row) => literal(String(row['person_id']))))].join(', ');
    const stored = await tables.rows<Row>(
      `SELECT ${columns.map((column) => `toString(${column}) AS ${column}`).join(', ')}
        FROM ${tables.nameOf(table)} AS t FINAL WHERE t.person_id IN (${people})`,
    );
    const known = new Set(stored.map(textOf));
    const changed = part.filter((row) => !known.has(textOf(row))).map((row) => ({ ...row, version }));
    if (changed.length > 0) await tables.insert(table, changed);
  }
}

type PlacedFact = ResolvingFact & { readonly workspace: string };

/** The workspaces that are left out; undefined when there are too many facts. */
async function followFacts(
  tables: TodayTables,
  since: readonly Range[],
  version: string,
): Promise<readonly string[] | undefined> {
  // Whatever came after the ranges, too: a sink that was paused then writes no older state under the newer number.
  const behind = since.map(
    ({ partition, from }) => `_partition = ${String(partition)} AND _offset >= ${String(from)}`,
  );
  if (behind.length === 0) return [];
  const facts = await tables.rows<PlacedFact>(
    `SELECT kind, person_id, other_person_id, workspace FROM stored_facts
      WHERE kind IN (${RESOLVING_FACTS}) AND (${behind.join(' OR ')}) ORDER BY number LIMIT ${String(factsMax + 1)}`,
  );
  if (facts.length > factsMax) return undefined;
  const withMoves = new Set<string>();
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
    for (const workspace of await withMovesIn(tables, part, concerned)) withMoves.add(workspace);
  }
  return await ofWorkspaces(tables, movesOf, { workspaces: [...withMoves], version });
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

/** Workspaces whose moves come to something else: by another move, or by what becomes of those whom rows have moved to. */
async function withMovesIn(
  tables: TodayTables,
  facts: readonly PlacedFact[],
  concerned: string,
): Promise<readonly string[]> {
  const moving = facts.filter(({ kind }) => kind.endsWith('_moved'));
  const receivers = await tables.rows<{ today_id: string }>(
    `SELECT DISTINCT today_id FROM ${tables.nameOf(MOVES)} FINAL WHERE today_id IN (${concerned})`,
  );
  const received = new Set(receivers.map(({ today_id: to }) => to));
  const concerning = facts.filter(
    ({ person_id: id, other_person_id: other }) =>
      received.has(id) || (other !== null && received.has(other)),
  );
  return [...moving, ...concerning].map(({ workspace }) => workspace);
}

/**
 * The resolutions that these facts change, in their order.
 * @param before those of all people whom a fact names, and of all whose rows are theirs today. Facts may be in it already.
 */
export function resolutionsAfter(
  before: readonly Resolution[],
  facts: readonly ResolvingFact[],
): readonly Resolution[] {
  const groups = new Groups();
  for (const { person_id: personId, today_id: to } of before) groups.put(personId, to);
  const had = new Map(before.map((row) => [row.person_id, row.today_id]));
  for (const { kind, person_id: personId, other_person_id: other } of facts) {
    const to = kind === 'person_deleted' ? '' : kind === 'person_absorbed' ? other : null;
    if (to === null) continue;
    const survivor = groups.todayOf(to) ?? to;
    groups.join(personId, survivor);
    groups.put(personId, survivor);
  }
  return [...groups.all()]
    .filter(([personId, to]) => had.get(personId) !== to)
    .map(([personId, to]) => ({ person_id: personId, today_id: to }));
}

interface Group {
  today: string;
  readonly people: Set<string>;
}

/** People by whose they are today. Of two groups the smaller goes into the larger, so that a chain of merges costs its length. */
class Groups {
  readonly #groupOf = new Map<string, Group>();
  readonly #byToday = new Map<string, Group>();

  todayOf(personId: string): string | undefined {
    return this.#groupOf.get(personId)?.today;
  }

  put(personId: string, to: string): void {
    this.#groupOf.get(personId)?.people.delete(personId);
    const group = this.#byToday.get(to) ?? { today: to, people: new Set<string>() };
    this.#byToday.set(to, group);
    group.people.add(personId);
    this.#groupOf.set(personId, group);
  }

  /** Whoever is `from` today is `to`. */
  join(from: string, to: string): void {
    const left = this.#byToday.get(from);
    if (left === undefined || from === to) return;
    const other = this.#byToday.get(to);
    const [small, large] =
      other === undefined || other.people.size < left.people.size ? [other, left] : [left, other];
    for (const personId of small?.people ?? []) {
      large.people.add(personId);
      this.#groupOf.set(personId, large);
    }
    large.today = to;
    this.#byToday.delete(from);
    this.#byToday.set(to, large);
  }

  *all(): Generator<readonly [string, string]> {
    for (const [personId, { today }] of this.#groupOf) yield [personId, today];
  }
}
