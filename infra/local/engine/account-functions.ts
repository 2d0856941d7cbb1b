/**
 * The engine knows one user and this machine's name; who asks is an account of ours. So the functions that tell either are
 * replaced by what is true of the account before the statement runs. The column keeps the function's name.
 */
import { quoteIdentifier, quoteString } from './quote.ts';
import { tokensOf, type Token } from './tokens.ts';

const USER = new Set(['currentuser', 'user', 'current_user']);
const HOST = new Set(['hostname']);
const HOST_NAME = 'hindsight';

/** Words that begin a clause; a result column can stand only behind the first. */
const CLAUSE =
  /^(SELECT|FROM|PREWHERE|WHERE|GROUP|HAVING|WINDOW|QUALIFY|ORDER|LIMIT|OFFSET|SETTINGS|FORMAT)$/i;
const BEFORE_COLUMN = /^(SELECT|DISTINCT|,)$/i;
const AFTER_COLUMN =
  /^(FROM|WHERE|PREWHERE|GROUP|HAVING|ORDER|LIMIT|UNION|INTERSECT|EXCEPT|SETTINGS|FORMAT|INTO|,|\)|;)$/i;

/** @param sql of any account; of a read-only one in the engine's own spelling. */
export function withAccount(sql: string, account: string): string {
  if (!/user|hostname/i.test(sql)) return sql;
  const tokens = [...tokensOf(sql)];
  const clause: string[] = [];
  let out = '';
  let from = 0;
  tokens.forEach((token, index) => {
    if (token.text === '(') clause[token.depth + 1] = '';
    if (token.kind === 'word' && CLAUSE.test(token.text)) clause[token.depth] = token.text.toUpperCase();
    const value = valueOf(token, account);
    const [open, close, next] = tokens.slice(index + 1, index + 4);
    const before = tokens[index - 1];
    if (value === undefined || open?.text !== '(' || close?.text !== ')' || before?.text === '.') return;
    const isColumn =
      clause[token.depth] === 'SELECT' &&
      BEFORE_COLUMN.test(before?.text ?? '') &&
      (next === undefined || AFTER_COLUMN.test(next.text));
    const name = isColumn ? ` AS ${quoteIdentifier(`${token.text}()`)}` : '';
    out += sql.slice(from, token.start) + quoteString(value) + name;
    from = close.end;
  });
  return out + sql.slice(from);
}

function valueOf({ kind, text }: Token, account: string): string | undefined {
  if (kind !== 'word') return undefined;
  const name = text.toLowerCase();
  return USER.has(name) ? account : HOST.has(name) ? HOST_NAME : undefined;
}
