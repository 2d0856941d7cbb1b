import { describe, expect, test } from '@jest/globals';
import { statementsFor } from './layout.ts';
import { readMigrations, statementsOf } from './migrations.ts';
import { pendingMigrations } from './plan.ts';

const table = `CREATE TABLE IF NOT EXISTS stored_x (a Int8) ENGINE = ReplacingMergeTree(version)
ORDER BY a SETTINGS non_replicated_deduplication_window = 10`;

const plainShards = { type: 'sharded', cluster: 'main', replicated: false } as const;

describe('the layout of an installation', () => {
  test('single: the text as it stands', () => {
    expect(statementsFor(table, { type: 'single' })).toEqual([table]);
  });
  test('replicated: replicated engines on the cluster', () => {
    const [text] = statementsFor(table, { type: 'replicated', cluster: 'main' });
    expect(text).toContain("CREATE TABLE IF NOT EXISTS stored_x ON CLUSTER 'main'");
    expect(text).toContain(
      "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/stored_x', '{replica}', version)",
    );
    expect(text).toContain('SETTINGS replicated_deduplication_window');
  });
  test('sharded: a table on each shard, and one over all for those who read', () => {
    const [shard, all] = statementsFor(table, { type: 'sharded', cluster: 'main', replicated: true });
    expect(shard).toContain("stored_x_shard ON CLUSTER 'main'");
    expect(shard).toContain('ReplicatedReplacingMergeTree');
    expect(all).toContain("Distributed('main', currentDatabase(), 'stored_x_shard')");
  });
  test('sharded without replicas: plain tables, and each server is told by itself', () => {
    const [shard, all] = statementsFor(table, plainShards);
    expect(shard).toBe(table.replace('stored_x', 'stored_x_shard'));
    expect(all).not.toContain('ON CLUSTER');
  });
  test('a change of columns reaches the table of the shard and the one over all; others the first alone', () => {
    expect(statementsFor('ALTER TABLE stored_x ADD COLUMN IF NOT EXISTS b Int8', plainShards)).toEqual([
      'ALTER TABLE stored_x_shard ADD COLUMN IF NOT EXISTS b Int8',
      'ALTER TABLE stored_x ADD COLUMN IF NOT EXISTS b Int8',
    ]);
    expect(statementsFor('ALTER TABLE stored_x ADD INDEX i a TYPE minmax', plainShards)).toHaveLength(1);
    expect(statementsFor('DROP TABLE IF EXISTS stored_x', plainShards)).toHaveLength(2);
  });
  test('refuses what it does not know, rather than leave a shard without it', () => {
    expect(() => statementsFor('CREATE DICTIONARY d', plainShards)).toThrow(
      /for a cluster: CREATE DICTIONARY/,
    );
  });
  test('knows every statement of the migrations, and every table', () => {
    const all = readMigrations().flatMap(({ statements }) => statements);
    for (const text of all) expect(statementsFor(text, plainShards).length).toBeGreaterThan(0);
    const tables = readMigrations()
      .flatMap(({ statements }) => statements)
      .filter((text) => text.startsWith('CREATE TABLE'));
    expect(tables.length).toBeGreaterThan(5);
    for (const text of tables) {
      const [replicated] = statementsFor(text, { type: 'replicated', cluster: 'main' });
      expect(replicated).toMatch(/ENGINE = Replicated(Replacing)?MergeTree\(/);
    }
  });
});

describe('migrations', () => {
  const migration = (number: number, hash = 'h') => ({
    number,
    name: `m${String(number)}`,
    hash,
    statements: [],
  });
  test('are cut at semicolons that end a statement, not at those in strings and comments', () => {
    expect(statementsOf("-- a;\nSELECT ';' /* ; */;\n\nSELECT 2;\n;")).toEqual(["SELECT ';'", 'SELECT 2']);
  });
  test('run when they have not run, in order', () => {
    expect(pendingMigrations([migration(1), migration(2), migration(3)], [migration(1)])).toEqual([
      migration(2),
      migration(3),
    ]);
  });
  test('of a newer program are refused', () => {
    expect(() => pendingMigrations([migration(1)], [migration(1), migration(2)])).toThrow(/newer Hindsight/);
  });
  test('are not changed once they have run', () => {
    expect(() => pendingMigrations([migration(1)], [migration(1, 'other')])).toThrow(/another text/);
  });
  test('leave no gap', () => {
    expect(() => pendingMigrations([migration(1), migration(2)], [migration(2)])).toThrow(/has not run/);
  });
});
