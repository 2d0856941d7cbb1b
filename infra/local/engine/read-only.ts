/**
 * What a read-only account may ask. Three walls, since each alone has a hole (tried in read-only.test.ts and
 * conformance.real.test.ts): the statement must start as a question and use no function that reaches a file or the
 * network; settings that it may set are listed; and the engine runs it with readonly = 1, which refuses writes, DDL,
 * SETTINGS clauses and sources, but lets KILL QUERY, INTO OUTFILE, file('…') and DESCRIBE TABLE url('…') pass.
 */
import { EngineException } from './exception.ts';
import { tokensOf, type Token } from './tokens.ts';

const FIRST_WORDS = new Set(['SELECT', 'WITH', 'FROM', 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN']);

/** Table functions that only compute. Every other one that the engine knows is refused. */
const HARMLESS_TABLE_FUNCTIONS = new Set([
  'format',
  'generaterandom',
  'generateseries',
  'generate_series',
  'merge',
  'null',
  'numbers',
  'numbers_mt',
  'primes',
  'values',
  'view',
  'zeros',
  'zeros_mt',
]);

/** Functions that read files, call out, or tell about the machine. Refused by name anywhere: arrayMap(file, […]) calls it too. */
const REFUSED_FUNCTIONS =
  /^(file|catboostevaluate|ai(classify|embed|extract|generate|translate)|reversednsquery|addressto\w+|demangle|getserversetting|getserverport|getmacro|getclienthttpheader|filesystem(available|capacity|unreserved)|sleep|sleepeachrow|__\w+|eval)$/;

/** INTO OUTFILE writes a file even with readonly = 1. */
const REFUSED_WORDS = new Set(['OUTFILE', 'INFILE']);

/** Settings that change how an answer looks or how long a query may take, and nothing else. */
const SETTINGS =
  /^(output_format_(?!schema)\w+|date_time_output_format|extremes|max_block_size|max_execution_time|max_result_bytes|max_result_rows|max_rows_to_read|max_threads|result_overflow_mode|timeout_overflow_mode|union_default_mode|join_use_nulls|session_timezone|use_client_time_zone|log_comment|select_sequential_consistency|readonly|cancel_http_readonly_queries_on_client_close|allow_experimental_\w*analyzer)$/;

export interface ReadOnlyGuard {
  /** The statement as it may run, without its comments. Throws code 164 otherwise. */
  statement(sql: string): string;
  /** Throws code 164 for a setting that a reader may not set. */
  setting(name: string): void;
}

/** @param tableFunctions names in the engine's system.table_functions, any case. */
export function readOnlyGuard(tableFunctions: readonly string[]): ReadOnlyGuard {
  const refusedTableFunctions = new Set(
    tableFunctions.map((name) => name.toLowerCase()).filter((name) => !HARMLESS_TABLE_FUNCTIONS.has(name)),
  );
  return {
    statement(sql) {
      const tokens = [...tokensOf(sql)];
      const first = tokens.find((token) => token.text !== '(');
      if (first?.kind !== 'word' || !FIRST_WORDS.has(first.text.toUpperCase())) {
        throw refused('only SELECT, SHOW, DESCRIBE, EXISTS and EXPLAIN may be asked');
      }
      tokens.forEach((token, index) => {
        check(token, tokens[index + 1]);
      });
      return withoutComments(sql, tokens);
    },
    setting(name) {
      if (!SETTINGS.test(name)) throw refused(`the setting ${name} may not be changed`);
    },
  };

  function check(token: Token, after: Token | undefined): void {
    if (token.kind === 'symbol') {
      // Typographic quotes and spaces mean something to the engine's lexer and nothing to ours.
      if (!/^[\x20-\x7e]$/.test(token.text)) throw refused('characters beyond ASCII belong in quotes');
      return;
    }
    if (token.kind !== 'word' && token.kind !== 'quoted') return;
    const name = token.text.toLowerCase();
    if (REFUSED_FUNCTIONS.test(name)) throw refused(`${token.text} may not be used`);
    if (after?.text === '(' && refusedTableFunctions.has(name))
      throw refused(`${token.text}(…) may not be used`);
    if (token.kind === 'word' && REFUSED_WORDS.has(token.text.toUpperCase())) {
      throw refused(`${token.text} may not be used`);
    }
  }
}

/**
 * The tokens with a space where anything stood between them. What our lexer took for a comment never reaches the
 * engine, so the two cannot disagree about it.
 */
function withoutComments(sql: string, tokens: readonly Token[]): string {
  let text = '';
  let end = 0;
  for (const token of tokens) {
    if (token.start > end && text !== '') text += ' ';
    text += sql.slice(token.start, token.end);
    end = token.end;
  }
  return text;
}

function refused(why: string): EngineException {
  return new EngineException(164, 'READONLY', `Cannot execute query in readonly mode: ${why}`);
}
