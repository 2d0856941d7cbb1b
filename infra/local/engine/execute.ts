/** Runs one request on a connection and writes its answer: row by row where the format allows it, else whole. */
import type { ServerResponse } from 'node:http';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Writable } from 'node:stream';
import type { Session } from 'chdb';
import type { Connections } from './connections.ts';
import { withAccount } from './account-functions.ts';
import { EngineException, inNameOf, wireException } from './exception.ts';
import { nativeBlocks } from './native-blocks.ts';
import { becomeReader, preparation, type Asked } from './prepare.ts';
import { quoteString } from './quote.ts';
import { readCanonical } from './read-canonical.ts';
import type { ReaderThreads } from './reader-threads.ts';
import { tokensOf } from './tokens.ts';

/** Formats whose chunks put together are the one-shot answer. Others repeat a header or a document in each chunk. */
export const STREAMED: ReadonlySet<string> = new Set(
  'JSONEachRow JSONStringsEachRow JSONCompactEachRow JSONCompactStringsEachRow CSV TSV TabSeparated RowBinary Native'.split(
    ' ',
  ),
);

export interface Execution extends Asked {
  readonly response: ServerResponse;
  readonly connections: Connections;
  readonly threads: ReaderThreads;
  readonly timezone: string;
}

export async function execute(connection: Session, execution: Execution): Promise<void> {
  const { request, response, account, connections } = execution;
  let over = false;
  // Nobody knows it but we: a client chooses its query id, and could choose another's.
  const tag = quoteString(randomUUID());
  let isQuestion = account.readOnly;
  // An insert whose body has arrived runs on when its client is gone, as on a server; a question is stopped.
  const onClose = (): void => {
    if (!over && isQuestion) connections.kill(tag);
  };
  response.once('close', onClose);
  try {
    if (account.readOnly) becomeReaderOn(connection, execution, tag);
    const sql = account.readOnly ? await readerStatement(connection, execution) : ownerStatement(execution);
    const format = request.isInsertWithData
      ? 'TabSeparated'
      : (formatOf(sql) ?? request.format ?? 'TabSeparated');
    isQuestion = asks(sql);
    const streamed = STREAMED.has(format) && isQuestion && !request.wholeAnswer;
    const before = preparation(execution, { streamed, tag });
    if (response.destroyed && isQuestion) return; // gone while it was read
    if (streamed && account.readOnly) {
      const query = { before: [...becomeReader(tag), ...before], sql, format };
      await stream(execution.threads.run(query), format, execution);
      return;
    }
    for (const statement of before) connection.query(statement);
    if (streamed) await stream(ownerChunks(connection, sql, format), format, execution);
    else await answerWhole(connection, sql, format, execution);
  } catch (error) {
    throw inNameOf(account.name, error);
  } finally {
    over = true;
    response.off('close', onClose);
  }
}

const asks = (sql: string): boolean => /^[\s(]*(SELECT|WITH|FROM)\b/i.test(firstWords(sql));

/** A view that an owner makes keeps the function: whoever asks it later may be another. */
function ownerStatement({ request, account }: Execution): string {
  return asks(request.sql) ? withAccount(request.sql, account.name) : request.sql;
}

function becomeReaderOn(connection: Session, { request, guard }: Execution, tag: string): void {
  for (const statement of becomeReader(tag)) connection.query(statement);
  if (request.database !== undefined) guard.database(request.database);
  if (request.format !== undefined) guard.format(request.format);
}

/** The statement as the engine spells it, checked. */
async function readerStatement(connection: Session, execution: Execution): Promise<string> {
  const { request, guard, account } = execution;
  const canonical = withAccount(await readCanonical(connection, request.sql), account.name);
  for (const name of guard.check(canonical, request.parameters)) {
    // The role sees its own databases only.
    const [database, view] = name.includes('.') ? name.split('.') : [request.database ?? 'default', name];
    const where = `database = ${quoteString(database ?? '')} AND name = ${quoteString(view ?? '')} AND engine = 'View'`;
    const found = await connection.queryAsync(`SELECT count() FROM system.tables WHERE ${where}`, {
      format: 'TSV',
    });
    if (found.text().trim() !== '1') {
      throw new EngineException(
        164,
        'READONLY',
        `Cannot execute query in readonly mode: ${name}(…) may not be used`,
      );
    }
  }
  return canonical;
}

/** Begins on the event loop: an owner is a service, and its statements are of this project. A reader's begin in a thread. */
async function* ownerChunks(connection: Session, sql: string, format: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of connection.queryStream(sql, { format })) yield chunk.raw();
}

async function stream(
  chunks: AsyncGenerator<Uint8Array>,
  format: string,
  execution: Execution,
): Promise<void> {
  const { response } = execution;
  const tag = randomBytes(8).toString('hex');
  let out: Writable | undefined;
  try {
    for await (const chunk of chunks) {
      out ??= open(execution, format, { 'X-ClickHouse-Exception-Tag': tag });
      if (response.destroyed) return;
      if (!out.write(chunk)) await drained(out, response);
    }
    out ??= open(execution, format, {});
    out.end();
  } catch (error) {
    if (out === undefined) throw error;
    // Rows are on their way: the error follows them in the form that servers use since 25.11.
    const text = `${wireException(inNameOf(execution.account.name, error)).text.trimEnd()}\n`;
    out.end(
      `\r\n__exception__\r\n${tag}\r\n${text}${String(Buffer.byteLength(text))} ${tag}\r\n__exception__\r\n`,
    );
  }
}

async function answerWhole(
  connection: Session,
  sql: string,
  format: string,
  execution: Execution,
): Promise<void> {
  const result = await connection.queryAsync(sql, { format });
  const bytes = Buffer.from(result.bytes());
  const rows = String(result.rowsRead);
  const written = execution.request.isInsertWithData;
  const summary = {
    read_rows: rows,
    read_bytes: String(result.bytesRead),
    written_rows: written ? rows : '0',
    written_bytes: written ? String(result.bytesRead) : '0',
    total_rows_to_read: '0',
    result_rows: written ? rows : '0',
    result_bytes: String(bytes.length),
    elapsed_ns: String(Math.round(result.elapsed * 1e9)),
  };
  open(execution, format, { 'X-ClickHouse-Summary': JSON.stringify(summary) }).end(bytes);
}

function open(
  { request, response, timezone }: Execution,
  format: string,
  extra: Record<string, string>,
): Writable {
  const headers: Record<string, string> = {
    'X-ClickHouse-Query-Id': request.queryId,
    'X-ClickHouse-Format': format,
    'X-ClickHouse-Timezone': timezone,
    'X-ClickHouse-Server-Display-Name': 'hindsight',
    'Content-Type': contentType(format),
    ...extra,
  };
  response.writeHead(200, { ...headers, ...(request.wantsGzip && { 'Content-Encoding': 'gzip' }) });
  let out: Writable = response;
  const packers = [
    ...(request.wantsGzip ? [createGzip({ level: 1 })] : []),
    ...(request.wantsBlocks ? [nativeBlocks()] : []),
  ];
  for (const packer of packers) {
    packer.pipe(out);
    out = packer;
  }
  return out;
}

function contentType(format: string): string {
  if (/^JSON(Compact|Strings|CompactStrings|ColumnsWithMetadata)?$/.test(format))
    return 'application/json; charset=UTF-8';
  if (format.startsWith('JSON')) return 'application/x-ndjson; charset=UTF-8';
  return /^(Native|RowBinary|Parquet|Arrow)/.test(format)
    ? 'application/octet-stream'
    : 'text/plain; charset=UTF-8';
}

/** Waits until the peer takes more, or is gone. */
async function drained(out: Writable, response: ServerResponse): Promise<void> {
  const stop = new AbortController();
  const onClose = (): void => {
    stop.abort();
  };
  response.once('close', onClose);
  if (response.destroyed) return;
  await once(out, 'drain', { signal: stop.signal }).catch(() => undefined);
  response.off('close', onClose);
}

/** Name in the statement's FORMAT clause: the last one outside of brackets, at the end or before SETTINGS. */
export function formatOf(sql: string): string | undefined {
  let after: 'other' | 'format' | 'name' = 'other';
  let name: string | undefined;
  for (const token of tokensOf(sql)) {
    if (token.depth > 0) continue;
    const word = token.kind === 'word' ? token.text.toUpperCase() : '';
    if (after === 'name' && word === 'SETTINGS') return name;
    name = after === 'format' && word !== '' ? token.text : undefined;
    after = name !== undefined ? 'name' : word === 'FORMAT' ? 'format' : 'other';
  }
  return name;
}

/** The statement from its first word on. */
function firstWords(sql: string): string {
  for (const token of tokensOf(sql)) return sql.slice(token.start, token.start + 200);
  return '';
}
