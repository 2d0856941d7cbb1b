import { describe, expect, test } from '@jest/globals';
import { readOnlyGuard } from './read-only.ts';

const guard = readOnlyGuard([
  'url',
  'file',
  's3',
  'remote',
  'executable',
  'numbers',
  'view',
  'mysql',
  'urlCluster',
]);

describe('a read-only account', () => {
  test.each([
    'SELECT count() FROM events WHERE name = \'file(1)\' -- file("x")',
    'WITH a AS (SELECT 1) SELECT * FROM a, numbers(3)',
    'SELECT url, count() FROM t GROUP BY url',
    'SHOW TABLES',
    'DESCRIBE TABLE events',
    'EXPLAIN SELECT 1',
    '(SELECT 1) UNION ALL (SELECT 2)',
    'SELECT `système` FROM t',
  ])('may ask %s', (sql) => {
    expect(() => guard.statement(sql)).not.toThrow();
  });

  test.each([
    'INSERT INTO events VALUES (1)',
    'KILL QUERY WHERE 1',
    'SYSTEM SHUTDOWN',
    'SET readonly = 0',
    'USE default',
    'CREATE TABLE x (a Int8) ENGINE = Memory',
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS x)",
    "SELECT `file`('/etc/passwd')",
    "SELECT FILE /* x */ ('/etc/passwd')",
    "SELECT * FROM url('http://127.0.0.1/', 'CSV')",
    "SELECT * FROM \"url\"('http://127.0.0.1/', 'CSV')",
    "SELECT * FROM urlcluster('c', 'http://127.0.0.1/', 'CSV')",
    "WITH x AS (SELECT * FROM remote('h', 'd', 't')) SELECT * FROM x",
    "DESCRIBE TABLE s3('http://127.0.0.1/b', 'CSV')",
    "EXPLAIN TABLE OVERRIDE mysql('h:1', 'd', 't', 'u', 'p') PARTITION BY 1",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT aiGenerate('x')",
    'SELECT sleep(3)',
    'SELECT “file”(1)',
    '',
  ])('may not ask %s', (sql) => {
    expect(() => guard.statement(sql)).toThrow(/Code: 164/);
  });

  test('asks without its comments, so that nobody reads them as something else', () => {
    expect(guard.statement("SELECT 1 /* ; */ -- it's\n, '--' # x\n")).toBe("SELECT 1 , '--'");
  });

  test.each(['readonly', 'max_execution_time', 'output_format_json_quote_64bit_integers'])(
    'may set %s',
    (name) => {
      expect(() => {
        guard.setting(name);
      }).not.toThrow();
    },
  );
  test.each([
    'output_format_schema',
    'format_schema',
    'format_template_row',
    'allow_experimental_eval_table_function',
    'max_memory_usage',
  ])('may not set %s', (name) => {
    expect(() => {
      guard.setting(name);
    }).toThrow(/Code: 164/);
  });
});
