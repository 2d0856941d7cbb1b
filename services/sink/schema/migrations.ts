/** The numbered migrations of this program, read from their folder. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { CodedError } from '../../runtime/errors.ts';
import { tokensOf } from '../../../infra/local/engine/tokens.ts';

export interface Migration {
  /** 1, 2, 3 … without a gap. */
  readonly number: number;
  readonly name: string;
  readonly statements: readonly string[];
  /** Of the file's text: what has run once must not change. */
  readonly hash: string;
}

const FILE = /^(\d{4})-([a-z0-9-]+)\.sql$/;

export function readMigrations(folder = new URL('./migrations/', import.meta.url)): Migration[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return files.map((file, index) => {
    const match = FILE.exec(file);
    if (match === null || Number(match[1]) !== index + 1) {
      const hint = 'Files are named NNNN-name.sql and numbered from 0001 without a gap.';
      throw new CodedError('migration_misnamed', `could not read the migrations: ${file} is out of line`, {
        hint,
      });
    }
    const text = readFileSync(new URL(file, folder), 'utf8');
    const hash = createHash('sha256').update(text).digest('hex');
    return { number: index + 1, name: match[2] ?? '', statements: statementsOf(text), hash };
  });
}

/** Cuts a text at the semicolons that end a statement: those in strings and comments do not. */
export function statementsOf(text: string): string[] {
  const statements: string[] = [];
  let start: number | undefined;
  let end = 0;
  for (const token of tokensOf(text)) {
    if (token.kind === 'symbol' && token.text === ';') {
      if (start !== undefined) statements.push(text.slice(start, end));
      start = undefined;
    } else {
      start ??= token.start;
      end = token.end;
    }
  }
  if (start !== undefined) statements.push(text.slice(start, end));
  return statements;
}
