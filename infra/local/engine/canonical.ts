/**
 * The text of a statement as the engine's own parser writes it back (formatQuerySingleLine): one statement, without
 * comments and heredocs, every quote in one known form. Only such a text is cut into tokens here, and what this small
 * lexer does not know for certain is refused: there is nothing on which it and the engine could differ.
 */
import { EngineException } from './exception.ts';

export interface CanonicalToken {
  /** `name`: an identifier, or a keyword where `bare`. `parameter`: `{name:Type}`. */
  readonly kind: 'name' | 'string' | 'number' | 'parameter' | 'symbol';
  /** Without quotes; for a parameter `name:Type`. */
  readonly text: string;
  /** Without quotes in the statement, so that it may be a keyword. */
  readonly bare: boolean;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED_NAME = /`([^`\\]+)`/y;
const STRING = /'(?:[^'\\]|\\.)*'/sy;
const NUMBER = /[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?/y;
const PARAMETER = /\{([A-Za-z_][A-Za-z0-9_]*:(?:[A-Za-z0-9_ (),.=-]|'[^'\\{}]*')+)\}/y;
const SYMBOL = /->|::|<=>|<=|>=|!=|[-+*/%=<>()[\],.:?^@]/y;

/** @throws EngineException 164 where the text is not certain. */
export function canonicalTokens(text: string): CanonicalToken[] {
  const tokens: CanonicalToken[] = [];
  for (let at = 0; at < text.length;) {
    if (text[at] === ' ') {
      at += 1;
      continue;
    }
    if (text.startsWith('--', at) || text.startsWith('/*', at)) throw uncertain(text, at);
    const [token, length] = tokenAt(text, at);
    tokens.push(token);
    at += length;
  }
  return tokens;
}

function tokenAt(text: string, at: number): readonly [CanonicalToken, number] {
  const name = matchAt(NAME, text, at);
  if (name !== undefined) return [{ kind: 'name', text: name[0], bare: true }, name[0].length];
  const quoted = matchAt(QUOTED_NAME, text, at);
  if (quoted !== undefined) {
    if (text[at + quoted[0].length] === '`') throw uncertain(text, at);
    return [{ kind: 'name', text: quoted[1] ?? '', bare: false }, quoted[0].length];
  }
  const string = matchAt(STRING, text, at);
  if (string !== undefined) {
    if (text[at + string[0].length] === "'") throw uncertain(text, at);
    return [{ kind: 'string', text: string[0].slice(1, -1), bare: false }, string[0].length];
  }
  const number = matchAt(NUMBER, text, at);
  if (number !== undefined) {
    if (/[A-Za-z0-9_$]/.test(text[at + number[0].length] ?? '')) throw uncertain(text, at);
    return [{ kind: 'number', text: number[0], bare: false }, number[0].length];
  }
  const parameter = matchAt(PARAMETER, text, at);
  if (parameter !== undefined) {
    return [{ kind: 'parameter', text: parameter[1] ?? '', bare: false }, parameter[0].length];
  }
  const symbol = matchAt(SYMBOL, text, at);
  if (symbol === undefined) throw uncertain(text, at);
  return [{ kind: 'symbol', text: symbol[0], bare: false }, symbol[0].length];
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function uncertain(text: string, at: number): EngineException {
  const near = text.slice(at, at + 20);
  const why = `a read-only account may not write ${near}. Names: letters, digits and most signs in backquotes, no backslash`;
  return new EngineException(164, 'READONLY', `Cannot execute query in readonly mode: ${why}`);
}
