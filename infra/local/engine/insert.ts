/**
 * INSERT statements whose data comes with the request. Data behind the SQL text is cut by the engine without an error
 * at some byte sequences, so data always goes into a file and the statement becomes INSERT … FROM INFILE.
 */
import { quoteString } from './quote.ts';
import { tokensOf } from './tokens.ts';

export interface InsertWithData {
  /** Where FROM INFILE belongs: before SETTINGS, or FORMAT or VALUES. */
  readonly infileAt: number;
  /** Where FORMAT or VALUES stands. */
  readonly formatAt: number;
  readonly format: string;
  /** Where the data starts in the text, if any of it is there. */
  readonly dataStart: number;
}

/** The parts of an insert with data; undefined for every other statement (INSERT … SELECT among them). */
export function insertWithData(text: string): InsertWithData | undefined {
  let index = 0;
  let infileAt: number | undefined;
  let formatAt: number | undefined;
  for (const token of tokensOf(text)) {
    const word = token.kind === 'word' ? token.text.toUpperCase() : '';
    if (index === 0 && word !== 'INSERT') return undefined;
    index += 1;
    if (formatAt !== undefined) {
      if (token.kind !== 'word') return undefined;
      return {
        infileAt: infileAt ?? formatAt,
        formatAt,
        format: token.text,
        dataStart: afterLine(text, token.end),
      };
    }
    if (token.depth > 0 || index < 3) continue;
    if (word === 'SELECT' || word === 'WITH' || word === 'FROM') return undefined;
    if (token.text === '(' && opensSelect(text, token.end)) return undefined;
    if (word === 'SETTINGS') infileAt ??= token.start;
    if (word === 'VALUES') {
      return {
        infileAt: infileAt ?? token.start,
        formatAt: token.start,
        format: 'Values',
        dataStart: token.end,
      };
    }
    if (word === 'FORMAT') formatAt = token.start;
  }
  return undefined;
}

/** The statement that reads its data from a file instead. */
export function fromInfile(text: string, insert: InsertWithData, file: string, gzip: boolean): string {
  const compression = gzip ? " COMPRESSION 'gzip'" : '';
  const settings = text.slice(insert.infileAt, insert.formatAt);
  return `${text.slice(0, insert.infileAt)} FROM INFILE ${quoteString(file)}${compression} ${settings} FORMAT ${insert.format}`;
}

/** ClickHouse takes the data to start after the white space up to and with the first line feed. */
function afterLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && (text[at] === ' ' || text[at] === '\t' || text[at] === '\r')) at += 1;
  if (text[at] === ';') at += 1;
  return text[at] === '\n' ? at + 1 : at;
}

function opensSelect(text: string, from: number): boolean {
  return /^\s*(SELECT|WITH)\b/i.test(text.slice(from, from + 200));
}
