import { describe, expect, test } from '@jest/globals';
import { insertWithData, fromInfile } from './insert.ts';
import { formatOf } from './execute.ts';
import { tokensOf } from './tokens.ts';

const texts = (sql: string) => [...tokensOf(sql)].map(({ text }) => text);

describe('tokens', () => {
  test('leave comments out and keep quotes whole', () => {
    expect(texts("SELECT /* x; */ 'a;''b\\'c' -- d\n, `e``f` # g\n;")).toEqual([
      'SELECT',
      "'a;''b\\'c'",
      ',',
      'e`f',
      ';',
    ]);
    expect(texts('SELECT $q$ it\'s ; $q$, "col"')).toEqual(['SELECT', "$q$ it's ; $q$", ',', 'col']);
  });
  test('know how deep they stand', () => {
    const depths = [...tokensOf('a(b[c]) d')].map(({ text, depth }) => [text, depth]);
    expect(depths).toEqual([['a', 0], ['(', 0], ['b', 1], ['[', 1], ['c', 2], [']', 1], [')', 0], ['d', 0]]); // prettier-ignore
  });
});

describe('an insert with data', () => {
  const dataOf = (text: string) => {
    const insert = insertWithData(text);
    return insert === undefined ? undefined : [insert.format, text.slice(insert.dataStart)];
  };
  test('is cut after its format and one line feed', () => {
    expect(dataOf('INSERT INTO t (a, format) FORMAT TSV\n1\t2\n')).toEqual(['TSV', '1\t2\n']);
    expect(dataOf("INSERT INTO t VALUES (1, ';'), (2, 'x')")).toEqual(['Values', " (1, ';'), (2, 'x')"]);
    expect(dataOf("-- note\nINSERT INTO `FORMAT x` SETTINGS a = 'FORMAT' FORMAT RowBinary\n\n\0")).toEqual([
      'RowBinary',
      '\n\0',
    ]);
  });
  test('is not an INSERT … SELECT, nor a question', () => {
    expect(dataOf('INSERT INTO t SELECT 1 FORMAT TSV')).toBeUndefined();
    expect(dataOf('INSERT INTO t (a) (SELECT 1)')).toBeUndefined();
    expect(dataOf("SELECT 'INSERT INTO t FORMAT TSV'")).toBeUndefined();
  });
  test('reads its data from a file instead, with its settings', () => {
    const text = 'INSERT INTO t (a) SETTINGS b = 1 FORMAT CSV\n1';
    const insert = insertWithData(text);
    if (insert === undefined) throw new Error('no insert');
    expect(fromInfile(text, insert, "/x/it's", true).replaceAll(/\s+/g, ' ')).toBe(
      "INSERT INTO t (a) FROM INFILE '/x/it\\'s' COMPRESSION 'gzip' SETTINGS b = 1 FORMAT CSV",
    );
  });
});

test('the format of a question is its last FORMAT outside of brackets', () => {
  expect(formatOf("SELECT 'FORMAT x', (SELECT 1 FORMAT Null) FORMAT JSONCompact SETTINGS a = 1")).toBe(
    'JSONCompact',
  );
  expect(formatOf('SELECT format FROM t')).toBeUndefined();
});
