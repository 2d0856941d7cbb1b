/** The lists of the reader, on texts as the engine's parser writes them (reader.real.test.ts asks the engine itself). */
import { describe, expect, test } from '@jest/globals';
import { canonicalTokens } from './canonical.ts';
import { readOnlyGuard } from './read-only.ts';
import { readReaderFunctions } from './reader-functions.ts';

const guard = readOnlyGuard(readReaderFunctions(), {
  functions: ['file', 'sum', 'lower', 'brandNew'],
  tableFunctions: ['url', 'file', 's3', 'numbers', 'brandNewTable'],
});
const check = (sql: string, parameters: Record<string, string> = {}): readonly string[] =>
  guard.check(sql, new Map(Object.entries(parameters)));

describe('a read-only account', () => {
  test.each([
    "SELECT count() FROM events WHERE name = 'file(1) -- INTO OUTFILE \\' x'",
    'WITH a AS (SELECT 1) SELECT * FROM a, numbers(3)',
    'SELECT url, path, count() FROM t GROUP BY url',
    'SELECT countIf(a > 1), quantilesTimingState(0.5, 0.9)(x), sumArrayIf(a, b) FROM t FORMAT JSONEachRow',
    'SELECT * FROM (SELECT 1) AS t(a)',
    'SELECT t.file FROM t',
    'SELECT a$'.replace('$', '') + " AS `a$$`, {now:DateTime64(3, 'UTC')}, {list:Array(String)}",
    'SHOW TABLES',
    'SHOW TABLES FROM hindsight',
    'DESCRIBE TABLE events',
    'DESCRIBE TABLE (SELECT 1)',
    'EXPLAIN indexes = 1, actions = 1 SELECT 1',
    'SELECT name FROM system.functions',
    'SELECT settings = 1 FROM t',
    'SELECT name, value, readonly FROM system.settings LIMIT 10000',
    'SELECT settings FROM t',
    'SELECT `é x` FROM t',
  ])('may ask %s', (sql) => {
    expect(check(sql)).toEqual([]);
  });

  test.each([
    'INSERT INTO events SELECT 1',
    'KILL QUERY WHERE 1 ASYNC',
    'SYSTEM SHUTDOWN',
    'SET readonly = 0',
    'SET ROLE owner',
    'EXECUTE AS owner SELECT 1',
    'USE default',
    'SHOW PROCESSLIST',
    'SHOW GRANTS',
    'EXPLAIN TABLE OVERRIDE mysql(1)',
    "SELECT 1 INTO OUTFILE 'x'",
    'SELECT 1 PARALLEL WITH SELECT 2',
    'SELECT 1 SETTINGS max_threads = 8',
    'SELECT 1 FORMAT Template',
    'SELECT 1 FORMAT `Protobuf`',
    "SELECT file('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    'SELECT * APPLY file FROM t',
    "SELECT * FROM url('x')",
    'SELECT brandNew(1)',
    'SELECT arrayMap(brandNew, [1])',
    'SELECT * FROM brandNewTable(1)',
    'SELECT flameGraph(1)',
    'SELECT * FROM system.processes',
    'SELECT * FROM system.`processes`',
    'SELECT sleep(3)',
    "SELECT dictGet('a', 'b', 1)",
    '',
  ])('may not ask %s', (sql) => {
    expect(() => check(sql)).toThrow(/Code: 164/);
  });

  test.each([
    'SELECT arrayLevenshteinDistance(range(120000), range(120000))',
    'SELECT arrayMap(polygonsUnionCartesian, a, b) FROM t',
    "SELECT printf('%300000000d', 1)",
    "SELECT URLHierarchy('http://a/b/c')",
  ])('is told why it may not ask %s', (sql) => {
    expect(() => check(sql)).toThrow(/those that take more time or memory for one row than any limit ends/);
  });

  test('calls a name that nobody knows only where it is a view of theirs', () => {
    expect(check("SELECT * FROM person_events(person = 'x')")).toEqual(['person_events']);
    expect(check('SELECT flameGraphIf(1, 2)')).toEqual(['flameGraphIf']);
  });

  test('cannot bring a name in as a parameter', () => {
    expect(check('SELECT * FROM {t:Identifier}', { param_t: 'secrets' })).toEqual([]);
    for (const param_f of ['file', 'FILE', '\\x66ile', '`file`', '']) {
      expect(() => check("SELECT arrayMap({f:Identifier}, ['x'])", { param_f })).toThrow(/Code: 164/);
    }
    expect(() => check('SELECT * FROM {t:Identifier}', { param_t: 'system.processes' })).toThrow(/164/);
    expect(() => check('SELECT * FROM {d:Identifier}.processes', { param_d: 'system' })).toThrow(/164/);
  });

  test.each(['readonly', 'output_format_json_quote_64bit_integers'])('may set %s', (name) => {
    expect(() => {
      guard.setting(name);
    }).not.toThrow();
  });
  test.each(['output_format_schema', 'format_schema', 'format_template_row', 'allow_ddl', 'dialect'])(
    'may not set %s',
    (name) => {
      expect(() => {
        guard.setting(name);
      }).toThrow(/Code: 164/);
    },
  );
});

test.each(['a$$', '$$a$$', '`a\\`b`', '`\\x66ile`', '"a"', "'a''b'", '1 -- x', '/* x */', '# x', '1a', '“x”', "'open", '`open', '``', ';', '\n', '\\']) // prettier-ignore
('the text %s is not certain', (text) => {
  expect(() => canonicalTokens(text)).toThrow(/Code: 164/);
});
