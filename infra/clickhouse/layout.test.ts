import { describe, expect, test } from '@jest/globals';
import { statementsFor } from './layout.ts';
import { readMigrations, statementsOf } from './migrations.ts';
import { pendingMigrations } from './plan.ts';

const table = `CREATE TABLE IF NOT EXISTS stored_x (a Int8) ENGINE = ReplacingMergeTree(version)
ORDER BY a SETTINGS non_replicated_deduplication_window = 10`;

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
    const [shard, all] = statementsFor(table, { type: 'sharded', cluster: 'main' });
    expect(shard).toContain('stored_x_shard ON CLUSTER');
    expect(all).toContain("Distributed('main', currentDatabase(), 'stored_x_shard')");
  });
  test('rewrites every table of the migrations', () => {
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
