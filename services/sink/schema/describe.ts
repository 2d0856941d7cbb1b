/**
 * Puts the sentences of the dictionary on the views of a database, and makes the views ask for themselves: whoever may
 * read a view needs no right to what it rests on. After each run of the migrations, since a view that a migration makes
 * anew has lost both. What is right already is left alone.
 */
import type { Layout } from '../../runtime/clickhouse-settings.ts';
import type { ViewEntry } from './dictionary/entry.ts';
import { analystViews } from './dictionary/views.ts';
import { onCluster } from './layout.ts';

/** What it asks of a database. */
export interface Database {
  rows<Row>(sql: string): Promise<Row[]>;
  command(sql: string): Promise<unknown>;
}

interface Described {
  readonly comment: string;
  readonly isDefiner: boolean;
  /** Comments by column; a view that takes an argument has none. */
  readonly columns: ReadonlyMap<string, string>;
}

export async function describeViews(database: Database, layout: Layout): Promise<void> {
  const described = await readViews(database);
  for (const view of analystViews) {
    const now = described.get(view.name); // a database of fewer migrations has fewer
    if (now === undefined) continue;
    for (const change of changesOf(view, now)) {
      await database.command(`ALTER TABLE ${view.name}${onCluster(layout)} ${change}`);
    }
  }
}

/** What ALTER has to say; nothing where all is as the dictionary says. */
function changesOf(view: ViewEntry, now: Described): string[] {
  const comments = view.columns.flatMap(([name, , comment]) => {
    const had = now.columns.get(name);
    return had === undefined || had === comment ? [] : [`COMMENT COLUMN ${name} ${quoted(comment)}`];
  });
  return [
    ...(comments.length === 0 ? [] : [comments.join(', ')]),
    ...(now.comment === view.comment ? [] : [`MODIFY COMMENT ${quoted(view.comment)}`]),
    ...(now.isDefiner ? [] : ['MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER']),
  ];
}

async function readViews(database: Database): Promise<ReadonlyMap<string, Described>> {
  const columns = await database.rows<{ table: string; name: string; comment: string }>(
    'SELECT table, name, comment FROM system.columns WHERE database = currentDatabase()',
  );
  const views = await database.rows<{ name: string; comment: string; create_table_query: string }>(
    "SELECT name, comment, create_table_query FROM system.tables WHERE database = currentDatabase() AND engine = 'View'",
  );
  return new Map(
    views.map(({ name, comment, create_table_query }) => [
      name,
      {
        comment,
        isDefiner: / SQL SECURITY DEFINER/.test(create_table_query),
        columns: new Map(
          columns.filter(({ table }) => table === name).map((column) => [column.name, column.comment]),
        ),
      },
    ]),
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
