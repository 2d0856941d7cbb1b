/** A request as the HTTP protocol of ClickHouse spells it: its statement, settings, parameters and spooled data. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { EngineException, onlyReads } from './exception.ts';
import { fromInfile, insertWithData, type InsertWithData } from './insert.ts';
import { limits } from './limits.ts';
import { partsOf } from './multipart.ts';
import { tooLarge, type Spool, type SpooledBody } from './spool.ts';
import { tokensOf } from './tokens.ts';

export interface EngineRequest {
  readonly sql: string;
  readonly queryId: string;
  readonly database: string | undefined;
  readonly format: string | undefined;
  /** Settings of the URL, in its order. */
  readonly settings: readonly (readonly [string, string])[];
  /** Values of `{name:Type}`, by `param_name`. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly data: SpooledBody | undefined;
  readonly isInsertWithData: boolean;
  readonly wantsGzip: boolean;
  /** The answer in ClickHouse's own compressed blocks (native-blocks.ts). */
  readonly wantsBlocks: boolean;
  readonly wholeAnswer: boolean;
  readonly session:
    { readonly id: string; readonly idleSeconds: number; readonly mustExist: boolean } | undefined;
}

/** What the URL says that is not a setting. */
const RESERVED = new Set(
  (
    'query database query_id session_id session_timeout session_check default_format user password role compress decompress quota_key ' +
    'enable_http_compression http_zlib_compression_level wait_end_of_query send_progress_in_http_headers ' +
    'http_headers_progress_interval_ms buffer_size cancel_http_readonly_queries_on_client_close client_protocol_version stacktrace'
  ).split(' '),
);

/** Whether the answer, an error too, comes in native compression. */
export function wantsBlocks(query: URLSearchParams): boolean {
  return isOn(query, 'compress');
}

const isOn = (query: URLSearchParams, name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '');

/** Reads the request to its end. The caller removes `data`. */
export async function readRequest(
  request: IncomingMessage,
  query: URLSearchParams,
  { spool, readOnly }: { readonly spool: Spool; readonly readOnly: boolean },
): Promise<EngineRequest> {
  if (isOn(query, 'decompress')) {
    const why =
      'a body in native compression (decompress=1) is not offered; send it plain, or with Content-Encoding gzip or br';
    throw new EngineException(36, 'BAD_ARGUMENTS', why);
  }
  const parameters = new Map([...query].filter(([name]) => name.startsWith('param_')));
  const fromUrl = query.get('query') ?? '';
  const { sql, data, isInsertWithData } = readOnly
    ? await readQuestion(request, fromUrl, parameters)
    : await readStatement(request, fromUrl, parameters, spool);
  const sessionId = query.get('session_id');
  const idle = Number(query.get('session_timeout') ?? 60);
  return {
    sql,
    data,
    isInsertWithData,
    parameters,
    queryId: query.get('query_id') ?? randomUUID(),
    database: query.get('database') ?? headerOf(request, 'x-clickhouse-database'),
    format: query.get('default_format') ?? headerOf(request, 'x-clickhouse-format'),
    settings: [...query].filter(([name]) => !RESERVED.has(name) && !name.startsWith('param_')),
    wantsGzip:
      query.get('enable_http_compression') === '1' &&
      /\bgzip\b/.test(headerOf(request, 'accept-encoding') ?? ''),
    wantsBlocks: wantsBlocks(query),
    wholeAnswer: isOn(query, 'wait_end_of_query'),
    session:
      sessionId === null
        ? undefined
        : {
            id: sessionId,
            idleSeconds: Math.min(
              Math.max(Number.isFinite(idle) ? idle : 60, 1),
              limits.sessionIdleSecondsMax,
            ),
            mustExist: query.get('session_check') === '1',
          },
  };
}

interface Statement {
  readonly sql: string;
  readonly data: SpooledBody | undefined;
  readonly isInsertWithData: boolean;
}

/** A reader inserts nothing: its whole text is one question, of a bounded length, and takes no room in the spool. */
async function readQuestion(
  request: IncomingMessage,
  fromUrl: string,
  parameters: Map<string, string>,
): Promise<Statement> {
  // Before its body is read: how that is packed is of no interest to who may not send it.
  const packed = request.headers['content-encoding'] ?? 'identity';
  if (/^\s*INSERT\b/i.test(fromUrl) || !['identity', 'gzip', 'br'].includes(packed)) {
    throw onlyReads('it inserts nothing, and a question comes plain, in gzip or in br');
  }
  const chunks: Buffer[] = [];
  let bytes = Buffer.byteLength(fromUrl);
  for await (const chunk of decoded(request)) {
    bytes += chunk.length;
    if (bytes > limits.readerStatementBytesMax)
      throw tooLarge('a question of a read-only account', limits.readerStatementBytesMax);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data')) {
    const parts = partsOf(body, type);
    for (const [name, value] of parts) if (name.startsWith('param_')) parameters.set(name, value);
    return { sql: fromUrl + (parts.get('query') ?? ''), data: undefined, isInsertWithData: false };
  }
  const sql =
    fromUrl === '' || body.length === 0 ? fromUrl + body.toString() : `${fromUrl}\n${body.toString()}`;
  return { sql, data: undefined, isInsertWithData: false };
}

async function readStatement(
  request: IncomingMessage,
  fromUrl: string,
  parameters: Map<string, string>,
  spool: Spool,
): Promise<Statement> {
  const insert = insertWithData(fromUrl);
  if (insert !== undefined) {
    const inline = Buffer.from(fromUrl.slice(insert.dataStart));
    const gzip = inline.length === 0 && request.headers['content-encoding'] === 'gzip';
    return spooled({ text: fromUrl, insert, gzip }, concat(inline, gzip ? request : decoded(request)), spool);
  }
  const type = request.headers['content-type'] ?? '';
  const body = decoded(request)[Symbol.asyncIterator]();
  const head = await readHead(body);
  if (type.startsWith('multipart/form-data')) {
    if (!head.ended) throw tooLarge('a form', limits.statementBytesMax);
    const parts = partsOf(head.bytes, type);
    for (const [name, value] of parts) if (name.startsWith('param_')) parameters.set(name, value);
    return plain(fromUrl + (parts.get('query') ?? ''));
  }
  if (fromUrl === '') {
    // latin1 keeps one character a byte, so that positions of the text are positions of the body.
    const text = head.bytes.subarray(0, limits.insertStatementBytesMax).toString('latin1');
    const inBody = insertWithData(text);
    if (inBody !== undefined) {
      const statement = head.bytes.subarray(0, inBody.dataStart).toString();
      const again = insertWithData(statement);
      if (again !== undefined) {
        const rest = head.bytes.subarray(inBody.dataStart);
        const chunks = concat(rest, { [Symbol.asyncIterator]: () => body });
        return spooled({ text: statement, insert: again, gzip: false }, chunks, spool);
      }
    }
  }
  if (!head.ended) throw tooLarge('a statement', limits.statementBytesMax);
  return plain(fromUrl === '' ? head.bytes.toString() : `${fromUrl}\n${head.bytes.toString()}`);
}

interface SpooledInsert {
  readonly text: string;
  readonly insert: InsertWithData;
  readonly gzip: boolean;
}

async function spooled(
  { text, insert, gzip }: SpooledInsert,
  chunks: AsyncIterable<Buffer>,
  spool: Spool,
): Promise<Statement> {
  const data = await spool.write(chunks);
  return { sql: fromInfile(text, insert, data.file, gzip), data, isInsertWithData: true };
}

/** One statement without its closing semicolon. The engine would run several; a server refuses them, and so do we. */
function plain(text: string): Statement {
  let end = 0;
  let semicolon = -1;
  for (const token of tokensOf(text)) {
    if (token.text === ';' && token.kind === 'symbol') {
      if (semicolon < 0) semicolon = token.start;
      continue;
    }
    if (semicolon >= 0) throw new EngineException(62, 'SYNTAX_ERROR', 'Multi-statements are not allowed');
    end = token.end;
  }
  if (end === 0) throw new EngineException(62, 'SYNTAX_ERROR', 'Syntax error: Empty query');
  return { sql: text.slice(0, end), data: undefined, isInsertWithData: false };
}

/** The body's first bytes: all of it, or more than a statement may have. */
async function readHead(body: AsyncIterator<Buffer>): Promise<{ bytes: Buffer; ended: boolean }> {
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    const next = await body.next();
    if (next.done === true) return { bytes: Buffer.concat(parts), ended: true };
    parts.push(next.value);
    length += next.value.length;
    if (length > limits.statementBytesMax) return { bytes: Buffer.concat(parts), ended: false };
    // An insert's data may be long: as soon as its statement is complete, the rest is spooled as it comes.
    if (
      parts.length === 1 &&
      length >= 32_768 &&
      insertWithData(next.value.toString('latin1')) !== undefined
    ) {
      return { bytes: next.value, ended: false };
    }
  }
}

/** The body without its Content-Encoding. */
function decoded(request: IncomingMessage): AsyncIterable<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return request as AsyncIterable<Buffer>; // no encoding set: Buffers
  if (encoding !== 'gzip' && encoding !== 'br') {
    throw new EngineException(
      36,
      'BAD_ARGUMENTS',
      `Content-Encoding ${encoding} is not offered; use gzip or br`,
    );
  }
  const unpack = encoding === 'gzip' ? createGunzip() : createBrotliDecompress();
  request.on('error', (error) => unpack.destroy(error));
  request.on('aborted', () => unpack.destroy(new Error('the body was cut short')));
  return request.pipe(unpack) as AsyncIterable<Buffer>; // zlib streams give Buffers
}

async function* concat(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  yield* rest;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
