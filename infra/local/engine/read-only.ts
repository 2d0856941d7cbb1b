/**
 * What a read-only account may ask. The engine's parser says what a text means (read-canonical.ts); this looks at the
 * text that it wrote back: the kind of statement, the functions, the format. It refuses what is not on a list. The
 * engine's role (access.ts) and readonly = 1 refuse other databases, sources, writes and settings by themselves; they
 * let INTO OUTFILE, KILL QUERY, SYSTEM, SET ROLE and the function file('…') pass, which is why the lists are here.
 */
import { canonicalTokens, type CanonicalToken } from './canonical.ts';
import { onlyReads as refused } from './exception.ts';
import type { ReaderFunctions } from './reader-functions.ts';

/** How a statement may begin. */
const BEGINNINGS = [
  /^(SELECT|WITH) /,
  /^\( ?SELECT /,
  /^SHOW (TABLES|DATABASES|COLUMNS|FUNCTIONS|SETTINGS|CHANGED SETTINGS|CREATE TABLE|CREATE VIEW|CREATE DATABASE)( |$)/,
  /^DESCRIBE TABLE /,
  /^EXISTS (TABLE|VIEW|DATABASE) /,
  /^EXPLAIN (AST |SYNTAX |PLAN |PIPELINE |ESTIMATE |QUERY TREE )?(\w+ = \d+(, \w+ = \d+)* )?(SELECT|WITH) /,
];

const MAY_BE_ASKED =
  'a statement is SELECT, WITH … SELECT, SHOW (TABLES, DATABASES, COLUMNS, FUNCTIONS, SETTINGS, CREATE TABLE, CREATE VIEW or ' +
  'CREATE DATABASE), DESCRIBE, EXISTS or EXPLAIN of a SELECT';

/** Words that may stand before a bracket and are no functions. */
const BEFORE_BRACKET = new Set(
  (
    'ALL AND ANY APPLY ARRAY AS BY COLUMNS CUBE DISTINCT ELSE EXCEPT FROM GLOBAL HAVING ILIKE IN INTERPOLATE INTERSECT IS JOIN ' +
    'LIKE LIMIT NOT OFFSET ON OR OVER PARTITION PREWHERE QUALIFY REPLACE ROLLUP SELECT SETS STEP TABLE THEN TO UNION USING WHEN WHERE WITH'
  ).split(' '),
);

/** Tables of `system` that only tell what the engine can do, or what the reader may see anyway. */
const SYSTEM_TABLES = new Set(
  (
    'aggregate_function_combinators codecs collations columns data_type_families databases formats functions keywords licenses ' +
    'numbers numbers_mt one primes settings table_engines table_functions tables time_zones zeros zeros_mt'
  ).split(' '),
);
const SYSTEM_DATABASES = new Set(['system', 'information_schema']);

/** Formats that write rows and read nothing. */
const FORMATS =
  /^((JSON|JSONCompact|JSONStrings|JSONCompactStrings)((EachRow)?(WithNames|WithNamesAndTypes|WithProgress)?)|JSONColumns\w*|JSONCompactColumns|JSONObjectEachRow|JSONLines|JSONL|NDJSON|Pretty\w*|(CSV|TSV|TSVRaw|TabSeparated|TabSeparatedRaw|RowBinary)(WithNames|WithNamesAndTypes)?|TSKV|Native|Parquet|Arrow|ArrowStream|ORC|Avro|MsgPack|BSONEachRow|Npy|XML|Markdown|Vertical|Values|LineAsString|RawBLOB|Null|Hash|SQLInsert)$/;

/** Settings that change how an answer looks or how long a query may take, and nothing else. */
const SETTINGS =
  /^(output_format_(?!schema)\w+|date_time_output_format|extremes|max_result_bytes|max_result_rows|max_rows_to_read|result_overflow_mode|timeout_overflow_mode|union_default_mode|join_use_nulls|session_timezone|use_client_time_zone|log_comment|select_sequential_consistency|readonly|cancel_http_readonly_queries_on_client_close|allow_experimental_\w*analyzer)$/;

export interface ReadOnlyGuard {
  /**
   * @param parameters values of `{name:Type}` by `param_name`; one of type Identifier counts as its value.
   * @returns names that are called and on no list: it may run if each is a view of the reader's.
   * @throws EngineException 164.
   */
  check(canonical: string, parameters: ReadonlyMap<string, string>): readonly string[];
  /** @throws EngineException 164 for a setting that a reader may not set. */
  setting(name: string): void;
  /** @throws EngineException 164 for a format that reads more than rows. */
  format(name: string): void;
  /** @throws EngineException 164 for a database whose names need no list of ours but one of the engine. */
  database(name: string): void;
}

/** Names in system.functions and system.table_functions. */
export interface EngineNames {
  readonly functions: readonly string[];
  readonly tableFunctions: readonly string[];
}

export function readOnlyGuard(functions: ReaderFunctions, engine: EngineNames): ReadOnlyGuard {
  const unlisted = (names: readonly string[]): string[] =>
    names.filter((name) => !functions.mayCall(name)).map((name) => name.toLowerCase());
  const reason = (name: string): string => {
    const why = functions.whyRefused(name);
    return why === undefined ? '' : `: it is of those that ${why}`;
  };
  // A function is called without a bracket, too: arrayMap(file, […]). A column may be named as a table function is
  // (url, merge): those matter only where they are called.
  const refusedAnywhere = new Set(unlisted([...functions.refused, ...engine.functions]));
  const refusedCalls = new Set([...refusedAnywhere, ...unlisted(engine.tableFunctions)]);
  return {
    check(canonical, parameters) {
      if (!BEGINNINGS.some((beginning) => beginning.test(canonical))) {
        throw refused(MAY_BE_ASKED);
      }
      const tokens = withIdentifiers(canonicalTokens(canonical), parameters);
      const views: string[] = [];
      tokens.forEach((token, index) => {
        const before = tokens[index - 1];
        const after = tokens[index + 1];
        if (token.kind !== 'name') return;
        if (!isShowSettings(tokens, index)) checkWord(token, after);
        checkSystem(tokens, index);
        if (after?.text === '(' && after.kind === 'symbol') {
          if (token.bare && BEFORE_BRACKET.has(token.text)) return;
          if (before?.bare === true && before.text === 'AS') return; // an alias and its columns
          if (functions.mayCall(token.text)) return;
          if (refusedCalls.has(token.text.toLowerCase()))
            throw refused(`${token.text}(…) may not be used${reason(token.text)}`);
          views.push(token.text);
        } else if (!isDot(before) && refusedAnywhere.has(token.text.toLowerCase())) {
          throw refused(
            `${token.text} may not be used${reason(token.text)}; of a column write table.${token.text}`,
          );
        }
      });
      return views;
    },
    setting(name) {
      if (!SETTINGS.test(name)) throw refused(`the setting ${name} may not be changed`);
    },
    format: checkFormat,
    database(name) {
      if (SYSTEM_DATABASES.has(name.toLowerCase()))
        throw refused(`${name} is not to be the current database; write ${name}.table`);
    },
  };
}

function checkFormat(name: string): void {
  if (!FORMATS.test(name)) throw refused(`FORMAT ${name} may not be used`);
}

function checkWord(token: CanonicalToken, after: CanonicalToken | undefined): void {
  if (!token.bare) return;
  const word = token.text.toUpperCase();
  if (word === 'INTO' || word === 'OUTFILE' || word === 'INFILE') throw refused(`${word} may not be used`);
  if (word === 'PARALLEL' && after?.text.toUpperCase() === 'WITH')
    throw refused('PARALLEL WITH may not be used');
  // A clause is written back in capitals; system.settings and a column of that name are not.
  if (token.text === 'SETTINGS' && after?.kind === 'name')
    throw refused('settings go into the URL, not into a clause');
  // A column named format may stand before the clause; then the next word is the one that is looked at.
  const isClause = word === 'FORMAT' && after?.kind === 'name' && !(after.bare && after.text === 'FORMAT');
  if (isClause) checkFormat(after.text);
}

/** The word of SHOW [CHANGED] SETTINGS, which begins no clause. */
function isShowSettings(tokens: readonly CanonicalToken[], index: number): boolean {
  const before = tokens.slice(0, Math.min(index, 3)).map(({ text }) => text);
  return tokens[index]?.text === 'SETTINGS' && ['SHOW', 'SHOW CHANGED'].includes(before.join(' '));
}

/** `system.x` only for tables of the list. */
function checkSystem(tokens: readonly CanonicalToken[], index: number): void {
  const [token, dot, table] = tokens.slice(index, index + 3);
  if (token?.text.toLowerCase() === 'system' && isDot(dot) && !SYSTEM_TABLES.has(table?.text ?? '')) {
    throw refused(`system.${table?.text ?? ''} may not be read`);
  }
}

const isDot = (token: CanonicalToken | undefined): boolean => token?.kind === 'symbol' && token.text === '.';

/** Parameters of type Identifier as the names that they stand for: the engine takes them for tables, columns and lambdas. */
function withIdentifiers(
  tokens: readonly CanonicalToken[],
  parameters: ReadonlyMap<string, string>,
): CanonicalToken[] {
  return tokens.flatMap((token) => {
    if (token.kind !== 'parameter') return [token];
    const [name = '', type = ''] = token.text.split(':').map((part) => part.trim());
    if (type.toLowerCase() !== 'identifier') return [token];
    const value = parameters.get(`param_${name}`) ?? '';
    if (!/^\w+(\.\w+)*$/.test(value)) throw refused(`param_${name} has to be a plain name`);
    return value
      .split('.')
      .flatMap((part, at): CanonicalToken[] => [
        ...(at > 0 ? [{ kind: 'symbol', text: '.', bare: false } as const] : []),
        { kind: 'name', text: part, bare: false },
      ]);
  });
}
