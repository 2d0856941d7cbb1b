/** Asks the engine's parser for the one statement that a text is, and writes it as the engine writes it. */
import type { Session } from 'chdb';
import { EngineException } from './exception.ts';
import { limits } from './limits.ts';
import { quoteString } from './quote.ts';

/**
 * @returns the statement in the engine's own spelling. It is this text that is checked and run, never the original.
 * @throws the engine's code 62 for what it cannot parse as one statement; EngineException 164 for a statement that it
 * reads differently when it is given its own text, or that has bytes outside of UTF-8.
 */
export async function readCanonical(connection: Session, text: string): Promise<string> {
  const sql =
    `SELECT formatQuerySingleLine(${quoteString(text)}) AS canonical, formatQuerySingleLine(canonical) = canonical, ` +
    'isValidUTF8(canonical)';
  const result = await connection
    .queryAsync(sql, { format: 'JSONCompactEachRow' })
    .catch((error: unknown): never => {
      // Its words about the statement that we put around it help nobody.
      const words = (error instanceof Error ? error.message : String(error)).replace(
        /: In scope SELECT formatQ.*(?= \(\w+\))/s,
        '',
      );
      throw new Error(words, { cause: error });
    });
  const [canonical, same, valid] = JSON.parse(result.text()) as [string, number, number]; // the three columns above
  if (same !== 1 || valid !== 1) {
    const why = 'the statement has no certain form; write it in a simpler way, bytes as unhex(…)';
    throw new EngineException(164, 'READONLY', `Cannot execute query in readonly mode: ${why}`);
  }
  if (Buffer.byteLength(canonical) > limits.readerStatementBytesMax * 2) {
    throw new EngineException(62, 'SYNTAX_ERROR', 'the statement is too long');
  }
  return canonical;
}
