/** Errors in the words and codes of ClickHouse, since its clients read both. */

/** A fault that the facade itself finds. Name and number as in ClickHouse's ErrorCodes. */
export class EngineException extends Error {
  readonly number: number;
  constructor(number: number, name: string, message: string) {
    super(`Code: ${String(number)}. DB::Exception: ${message}. (${name})`);
    this.name = 'EngineException';
    this.number = number;
  }
}

/** What a read-only account hears of what it may not do. */
export function onlyReads(why: string): EngineException {
  return new EngineException(164, 'READONLY', `Cannot execute query in readonly mode: ${why}`);
}

export interface WireException {
  readonly code: number;
  readonly status: number;
  readonly text: string;
}

const UNKNOWN_EXCEPTION = 1002;
/** HTTP status by exception code, as ClickHouse's HTTPHandler answers; 500 for the others. */
const STATUS: Readonly<Record<number, number>> = {
  6: 400,
  27: 400,
  36: 400,
  41: 400,
  46: 404,
  47: 404,
  53: 400,
  60: 404,
  62: 400,
  81: 404,
  115: 404,
  158: 400,
  159: 408,
  164: 403,
  202: 503,
  307: 413,
  372: 404,
  452: 403,
  456: 400,
  497: 403,
  516: 403,
};

/** What an error looks like on the wire. The engine puts words of its own before `Code:`; they are cut. */
export function wireException(error: unknown): WireException {
  const message = error instanceof Error ? error.message : String(error);
  const match = /Code: (\d+)\./.exec(message);
  if (match === null) {
    const text = `Code: ${String(UNKNOWN_EXCEPTION)}. DB::Exception: ${message}. (UNKNOWN_EXCEPTION)\n`;
    return { code: UNKNOWN_EXCEPTION, status: 500, text };
  }
  const code = Number(match[1]);
  return { code, status: STATUS[code] ?? 500, text: `${message.slice(match.index).trimEnd()}\n` };
}

/** The engine knows one user, `default`: its errors name the account that asked instead. */
export function inNameOf(account: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineException) return error;
  const message = error.message.replaceAll(
    /(DB::Exception: )default(: )/g,
    (_, before: string, after: string) => {
      return before + account + after;
    },
  );
  return message === error.message ? error : new Error(message, { cause: error });
}
