/**
 * SQL cut into tokens as ClickHouse's lexer does, as far as the facade needs it: to find where an insert's data starts,
 * to see an owner's second statement, and to find the format. Nothing that protects rests on it: what a read-only
 * account asks for is read by the engine's parser (read-canonical.ts). Positions are indices of the text.
 */
export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  /** As written; for a quoted identifier without quotes and escapes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Number of open brackets around it; an opening and its closing bracket count as outside. */
  readonly depth: number;
}

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[0-9][A-Za-z0-9_.]*/y;
const HEREDOC = /\$([A-Za-z0-9_]*)\$/y;

/** Tokens of the text in order, comments and white space left out. An unclosed quote ends with the text. */
export function* tokensOf(text: string): Generator<Token> {
  let depth = 0;
  let at = 0;
  for (;;) {
    at = afterSpace(text, at);
    const start = at;
    const char = text[at];
    if (char === undefined) return;
    if (char === "'" || char === '"' || char === '`') {
      at = afterQuote(text, at, char);
      const kind = char === "'" ? 'string' : 'quoted';
      yield {
        kind,
        text: kind === 'quoted' ? unquoted(text.slice(start, at)) : text.slice(start, at),
        start,
        end: at,
        depth,
      };
      continue;
    }
    const heredoc = char === '$' ? matchAt(HEREDOC, text, at) : undefined;
    if (heredoc !== undefined) {
      const close = text.indexOf(heredoc, at + heredoc.length);
      at = close < 0 ? text.length : close + heredoc.length;
      yield { kind: 'string', text: text.slice(start, at), start, end: at, depth };
      continue;
    }
    const word = matchAt(WORD, text, at);
    const piece = word ?? matchAt(NUMBER, text, at) ?? char;
    const kind: TokenKind =
      word !== undefined ? 'word' : piece !== char || /[0-9]/.test(char) ? 'number' : 'symbol';
    at += piece.length;
    if (char === ')' || char === ']' || char === '}') depth = Math.max(0, depth - 1);
    yield { kind, text: piece, start, end: at, depth };
    if (char === '(' || char === '[' || char === '{') depth += 1;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function afterSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < text.length && /\s/.test(text[at] ?? '')) at += 1;
    if (text.startsWith('--', at) || text.startsWith('#!', at) || text.startsWith('# ', at)) {
      const newline = text.indexOf('\n', at);
      at = newline < 0 ? text.length : newline + 1;
    } else if (text.startsWith('/*', at)) {
      const close = text.indexOf('*/', at + 2);
      at = close < 0 ? text.length : close + 2;
    } else return at;
  }
}

function afterQuote(text: string, from: number, quote: string): number {
  let at = from + 1;
  while (at < text.length) {
    const char = text[at];
    if (char === '\\') at += 2;
    else if (char === quote && text[at + 1] === quote) at += 2;
    else if (char === quote) return at + 1;
    else at += 1;
  }
  return text.length;
}

function unquoted(text: string): string {
  const quote = text[0] ?? '';
  return text
    .slice(1, -1)
    .replaceAll(quote + quote, quote)
    .replaceAll(/\\(.)/gs, '$1');
}
