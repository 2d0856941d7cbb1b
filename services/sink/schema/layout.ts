/**
 * One text of the tables for every layout of an installation. `single`: as written. `replicated`: every table a
 * replicated one on the cluster. `sharded`: a table `<name>_shard` on each shard, plain or replicated, and a Distributed
 * table under the plain name for those who read; the sink writes to the shards itself. Views are the same everywhere.
 * Where tables are replicated, statements go to the whole cluster (ON CLUSTER, by its Keeper); plain shards need no
 * Keeper, and each server is told by itself. Pure.
 */
import { CodedError } from '../../runtime/errors.ts';
import { isReplicated, type Layout } from '../../runtime/clickhouse-settings.ts';

const CREATE_TABLE = /^(CREATE TABLE IF NOT EXISTS )([a-z_]+)/;
const ALTER_TABLE = /^(ALTER TABLE )([a-z_]+)/;
const CREATE_VIEW = /^(CREATE OR REPLACE VIEW )([a-z_]+)/;
const DROP = /^(DROP (?:TABLE|VIEW) IF EXISTS )([a-z_]+)/;
/** A Distributed table has columns, and nothing else that an ALTER could change. */
const OF_COLUMNS = /\b(ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN\b/;
const ENGINE = /\bENGINE = ((?:Replacing)?MergeTree)(\([a-z_]*\))?/;
/** Means nothing to a replicated table, which has a window of its own. */
const PLAIN_WINDOW = 'non_replicated_deduplication_window';
const REPLICATED_WINDOW = 'replicated_deduplication_window';

/** The name under which a table's rows are stored. */
export function storedName(table: string, layout: Layout): string {
  return layout.type === 'sharded' ? `${table}_shard` : table;
}

/** Makes one server pass a statement on to all of them; without it each has to be told. */
export function onCluster(layout: Layout): string {
  return layout.type !== 'single' && isReplicated(layout) ? ` ON CLUSTER '${layout.cluster}'` : '';
}

/** The statements for the layout, in order. Throws `migration_not_rewritable` for one that it does not know. */
export function statementsFor(statement: string, layout: Layout): string[] {
  if (layout.type === 'single') return [statement];
  const on = onCluster(layout);
  if (CREATE_VIEW.test(statement)) return [statement.replace(CREATE_VIEW, `$1$2${on}`)];
  if (CREATE_TABLE.test(statement)) return tableStatements(statement, layout);
  const alter = ALTER_TABLE.exec(statement)?.[2];
  if (alter !== undefined) {
    const stored = statement.replace(ALTER_TABLE, `$1${storedName(alter, layout)}${on}`);
    const both = layout.type === 'sharded' && OF_COLUMNS.test(statement);
    return both ? [stored, statement.replace(ALTER_TABLE, `$1$2${on}`)] : [stored];
  }
  const drop = DROP.exec(statement)?.[2];
  if (drop !== undefined) {
    const own = statement.replace(DROP, `$1$2${on}`);
    const sharded = layout.type === 'sharded' && statement.startsWith('DROP TABLE');
    return sharded ? [own, statement.replace(DROP, `$1${storedName(drop, layout)}${on}`)] : [own];
  }
  throw new CodedError(
    'migration_not_rewritable',
    `could not write a migration for a cluster: ${statement.slice(0, 80)}`,
  );
}

function tableStatements(statement: string, layout: Exclude<Layout, { type: 'single' }>): string[] {
  const on = onCluster(layout);
  const table = CREATE_TABLE.exec(statement)?.[2] ?? '';
  const stored = storedName(table, layout);
  const named = statement.replace(CREATE_TABLE, `$1${stored}${on}`);
  const own = isReplicated(layout) ? replicated(named, stored) : named;
  if (layout.type === 'replicated') return [own];
  const distributed =
    `CREATE TABLE IF NOT EXISTS ${table}${on} AS ${stored} ` +
    `ENGINE = Distributed('${layout.cluster}', currentDatabase(), '${stored}')`;
  return [own, distributed];
}

function replicated(statement: string, stored: string): string {
  const path = `/clickhouse/tables/{shard}/{database}/${stored}`;
  return statement
    .replace(ENGINE, (_, engine: string, argument: string | undefined) => {
      const rest = argument === undefined ? '' : `, ${argument.slice(1, -1)}`;
      return `ENGINE = Replicated${engine}('${path}', '{replica}'${rest})`;
    })
    .replaceAll(PLAIN_WINDOW, REPLICATED_WINDOW);
}
