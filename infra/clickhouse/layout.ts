/**
 * One text of the tables for three kinds of installation. `single`: as written. `replicated`: every table a replicated
 * one on the cluster. `sharded`: that under `<table>_shard` on each shard, and a Distributed table under the plain name
 * for those who read; the sink writes to the shards itself. Views are the same everywhere. Pure.
 */
export type Layout =
  | { readonly type: 'single' }
  | { readonly type: 'replicated'; readonly cluster: string }
  | { readonly type: 'sharded'; readonly cluster: string };

const CREATE_TABLE = /^(CREATE TABLE IF NOT EXISTS )([a-z_]+)/;
const CREATE_VIEW = /^(CREATE OR REPLACE VIEW )([a-z_]+)/;
const ENGINE = /\bENGINE = ((?:Replacing)?MergeTree)(\([a-z_]*\))?/;
/** Means nothing to a replicated table, which has a window of its own. */
const PLAIN_WINDOW = 'non_replicated_deduplication_window';
const REPLICATED_WINDOW = 'replicated_deduplication_window';

/** The statements for the layout, in order. A statement that the rewriting does not know stays as it is. */
export function statementsFor(statement: string, layout: Layout): string[] {
  if (layout.type === 'single') return [statement];
  const on = ` ON CLUSTER '${layout.cluster}'`;
  if (CREATE_VIEW.test(statement)) return [statement.replace(CREATE_VIEW, `$1$2${on}`)];
  const table = CREATE_TABLE.exec(statement)?.[2];
  if (table === undefined) return [statement];
  const stored = layout.type === 'sharded' ? `${table}_shard` : table;
  const path = `/clickhouse/tables/{shard}/{database}/${stored}`;
  const replicated = statement
    .replace(CREATE_TABLE, `$1${stored}${on}`)
    .replace(ENGINE, (_, engine: string, argument: string | undefined) => {
      const rest = argument === undefined ? '' : `, ${argument.slice(1, -1)}`;
      return `ENGINE = Replicated${engine}('${path}', '{replica}'${rest})`;
    })
    .replaceAll(PLAIN_WINDOW, REPLICATED_WINDOW);
  if (layout.type === 'replicated') return [replicated];
  const distributed =
    `CREATE TABLE IF NOT EXISTS ${table}${on} AS ${stored} ` +
    `ENGINE = Distributed('${layout.cluster}', currentDatabase(), '${stored}')`;
  return [replicated, distributed];
}
