/** The embedded engine speaks ClickHouse's protocol to the unmodified client, and its reader can only read. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { eventually } from '../../../services/testing/eventually.ts';
import { cityHash128 } from './city-hash.ts';
import { freePort, startEngineProcess, type EngineProcess } from './engine-process.ts';

let folder: string;
let engine: EngineProcess;
let client: ClickHouseClient;
const log = { level: ClickHouseLogLevel.OFF };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hindsight-engine-'));
  engine = await startEngineProcess({ folder: join(folder, 'data'), port: await freePort() });
  const { url, username, password } = engine;
  const root = createClient({ url, username, password, log });
  await root.command({ query: 'CREATE DATABASE shop' });
  await root.close();
  client = createClient({
    url,
    username,
    password,
    database: 'shop',
    log,
    compression: { request: true, response: true },
  });
});
afterAll(async () => {
  await client.close();
  await engine.kill();
  await rm(folder, { recursive: true, force: true });
});

const ask = async <T>(query: string, query_params?: Record<string, unknown>): Promise<T[]> =>
  (await client.query({ query, format: 'JSONEachRow', ...(query_params && { query_params }) })).json<T>();

/** A raw request, as curl makes it. */
async function raw(
  body: string | Uint8Array,
  options: { query?: string; user?: string; password?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const { query = '', user = engine.username, password = engine.password, headers = {} } = options;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const answer = await fetch(`${engine.url}/?database=shop&${query}`, {
    method: 'POST',
    body,
    headers: { authorization, ...headers },
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

async function bytesOf(sql: string, query: string): Promise<Buffer> {
  const authorization = `Basic ${Buffer.from(`${engine.username}:${engine.password}`).toString('base64')}`;
  const answer = await fetch(`${engine.url}/?${query}`, {
    method: 'POST',
    body: sql,
    headers: { authorization },
  });
  return Buffer.from(await answer.arrayBuffer());
}

/** What drivers do with blocks of LZ4 that are one sequence of literals. Checks the sums and sizes. */
function unpackedBlocks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 16 + bytes.readUInt32LE(at + 17);
    const [low, high] = cityHash128(bytes.subarray(at + 16, end));
    expect([bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8)]).toEqual([low, high]);
    expect(bytes[at + 16]).toBe(0x82);
    const size = bytes.readUInt32LE(at + 21);
    expect(lz4Literals(bytes.subarray(at + 25, end))).toBe(size);
    parts.push(bytes.subarray(end - size, end));
    at = end;
  }
  return Buffer.concat(parts);
}

function lz4Literals(block: Buffer): number {
  let literals = (block[0] ?? 0) >> 4;
  if (literals < 15) return literals;
  for (let at = 1; ; at += 1) {
    literals += block[at] ?? 0;
    if (block[at] !== 255) return literals;
  }
}

test('a request whose address is none is refused, and the engine goes on', async () => {
  const { port } = new URL(engine.url);
  for (const address of ['//', '///', 'http://[', '//?query=SELECT+1']) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`GET ${address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 40[03] /);
    socket.destroy();
  }
  expect((await raw('SELECT 1')).text).toBe('1\n');
});

describe('native compression', () => {
  test.each(['TSV', 'JSON', 'RowBinaryWithNamesAndTypes'])(
    'of an answer in %s holds the plain one',
    async (format) => {
      const sql = `SELECT number, repeat('x', 20) AS text FROM numbers(20000) FORMAT ${format}`;
      const statistics = /"statistics":.*$/s;
      const plain = await bytesOf(sql, '');
      const unpacked = unpackedBlocks(await bytesOf(sql, 'compress=1'));
      expect(unpacked.toString('latin1').replace(statistics, '')).toBe(
        plain.toString('latin1').replace(statistics, ''),
      );
      expect(plain.length).toBeGreaterThan(3 * 65_536);
    },
  );

  test('of an error holds the error, and of nothing is nothing', async () => {
    expect(unpackedBlocks(await bytesOf('SELEC 1', 'compress=1')).toString()).toMatch(/^Code: 62\./);
    expect(unpackedBlocks(await bytesOf('SELECT 1 WHERE 0', 'compress=1'))).toHaveLength(0);
  });

  test('of a body is refused in words', async () => {
    const { status, text } = await raw('SELECT 1', { query: 'decompress=1' });
    expect([status, text]).toEqual([400, expect.stringContaining('decompress=1')]);
  });
});

describe('inserts', () => {
  test('keep every byte: NUL, quotes, semicolons, 64-bit integers, decimals, maps, JSON', async () => {
    await client.command({
      query: `CREATE TABLE kinds (n UInt64, i Int64, d Decimal(18, 4), t DateTime64(3, 'UTC'), s String, o Nullable(String),
        m Map(String, UInt8), a Array(String)) ENGINE = MergeTree ORDER BY n`,
    });
    const row = {
      n: '18446744073709551615',
      i: '-9223372036854775808',
      d: '12345.6789',
      t: '2026-03-31 12:00:00.123',
      s: 'NUL \0; quote \' " ` back\\slash\ttab\nline größe 日本',
      o: null,
      m: { a: 1 },
      a: ['x', ''],
    };
    await client.insert({ table: 'kinds', values: [row], format: 'JSONEachRow' });
    const [back] = await ask(
      'SELECT toString(n) AS n, toString(i) AS i, toString(d) AS d, t, s, o, m, a FROM kinds',
    );
    expect(back).toEqual(row);
  });

  test.each([
    ['JSONEachRow', '{"a":1,"s":"x"}\n{"a":2,"s":"FORMAT;"}\n'],
    ['TSV', '1\tx\n2\tFORMAT;\n'],
    ['CSV', '1,x\n2,"FORMAT;"\n'],
    ['Values', "(1, 'x'), (2, 'FORMAT;')"],
    ['JSONCompactEachRow', '[1,"x"]\n[2,"FORMAT;"]\n'],
  ])('take %s behind the statement, in the body, and in gzip', async (format, data) => {
    await client.command({
      query: 'CREATE OR REPLACE TABLE pairs (a UInt32, s String) ENGINE = MergeTree ORDER BY a',
    });
    const statement =
      format === 'Values' ? 'INSERT INTO pairs VALUES ' : `INSERT INTO pairs FORMAT ${format}\n`;
    const query = `query=${encodeURIComponent(format === 'Values' ? 'INSERT INTO pairs VALUES' : statement)}`;
    expect((await raw(statement + data)).status).toBe(200);
    expect((await raw(data, { query })).status).toBe(200);
    expect((await raw(gzipSync(data), { query, headers: { 'content-encoding': 'gzip' } })).status).toBe(200);
    expect(await ask('SELECT a, s, count() AS n FROM pairs GROUP BY a, s ORDER BY a')).toEqual([
      { a: 1, s: 'x', n: 3 },
      { a: 2, s: 'FORMAT;', n: 3 },
    ]);
  });

  test('of RowBinary with any bytes arrive whole, 50,000 rows in a stream', async () => {
    await client.command({ query: 'CREATE TABLE binary (a UInt32, s String) ENGINE = MergeTree ORDER BY a' });
    const rows = Array.from({ length: 50_000 }, (_, index) => {
      const row = Buffer.alloc(4 + 1 + 16, index % 256);
      row.writeUInt32LE(index, 0);
      row[4] = 16;
      return row;
    });
    const { stream } = await client.exec({
      query: 'INSERT INTO binary FORMAT RowBinary',
      values: Readable.from(rows, { objectMode: false }),
    });
    stream.destroy();
    const [sum] = await ask(
      'SELECT count() AS n, sum(a) AS total, countIf(s = repeat(char(a % 256), 16)) AS same FROM binary',
    );
    expect(sum).toEqual({ n: 50_000, total: 1_249_975_000, same: 50_000 });
  });

  test('whose body is cut short insert nothing', async () => {
    await client.command({ query: 'CREATE TABLE cut (a UInt32) ENGINE = MergeTree ORDER BY a' });
    const { port } = new URL(engine.url);
    const socket = connect(Number(port), '127.0.0.1');
    const path = `/?database=shop&user=${engine.username}&password=${engine.password}&query=INSERT+INTO+cut+FORMAT+TSV`;
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n1\n2\n3\n`);
    await sleep(200);
    socket.destroy();
    await sleep(200);
    expect(await ask('SELECT count() AS n FROM cut')).toEqual([{ n: 0 }]);
  });

  test('under one token are one insert', async () => {
    await client.command({
      query:
        'CREATE TABLE once (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100',
    });
    const clickhouse_settings = { insert_deduplication_token: 'first', async_insert: 0 as const };
    for (let i = 0; i < 2; i++)
      await client.insert({ table: 'once', values: [{ a: 1 }], format: 'JSONEachRow', clickhouse_settings });
    expect(await ask('SELECT count() AS n FROM once')).toEqual([{ n: 1 }]);
  });
});

describe('questions', () => {
  test('take parameters of every kind', async () => {
    const [row] = await ask('SELECT {n:UInt64} AS n, {s:String} AS s, {l:Array(String)} AS l', {
      n: 7,
      s: "it's; \\ \n ok",
      l: ["a'b", 'c'],
    });
    expect(row).toEqual({ n: 7, s: "it's; \\ \n ok", l: ["a'b", 'c'] });
  });

  test('stream a million rows without holding them', async () => {
    const result = await client.query({
      query: 'SELECT number FROM numbers(1000000)',
      format: 'JSONEachRow',
    });
    let rows = 0;
    for await (const chunk of result.stream()) rows += (chunk as unknown[]).length;
    expect(rows).toBe(1_000_000);
  });

  test('fail with the codes of a server, before and within a stream', async () => {
    await expect(ask('SELECT nothing')).rejects.toMatchObject({ code: '47', type: 'UNKNOWN_IDENTIFIER' });
    await expect(ask('SELECT * FROM nowhere')).rejects.toMatchObject({ code: '60' });
    await expect(ask('SELEC 1')).rejects.toMatchObject({ code: '62' });
    const late =
      "SELECT throwIf(number = 900000, 'late') FROM numbers(1000000) SETTINGS max_block_size = 1000";
    await expect(ask(late)).rejects.toThrow(/late/);
  });

  test('of one statement are taken, of two refused', async () => {
    expect((await raw('SELECT 1;')).text).toBe('1\n');
    expect((await raw('SELECT 1; SELECT 2')).text).toContain('Code: 62');
  });

  test('leave no settings, parameters, databases or temporary tables to the next', async () => {
    await raw('SELECT {x:String}', { query: 'param_x=1&max_block_size=7' });
    expect((await raw('SELECT {x:String}')).status).toBe(400);
    expect((await raw("SELECT getSetting('max_block_size')")).text).not.toBe('7\n');
  });

  test('in a named session share temporary tables, and one account’s session is not another’s', async () => {
    const session = { query: 'session_id=s1' };
    await raw('CREATE TEMPORARY TABLE mine (a UInt8)', session);
    await raw('INSERT INTO mine VALUES (5)', session);
    expect((await raw('SELECT a FROM mine', session)).text).toBe('5\n');
    const reader = { user: engine.reader, password: engine.readerPassword };
    expect((await raw('SELECT a FROM mine', { ...session, ...reader })).status).toBe(404);
    expect((await raw('SELECT 1', { query: 'session_id=new&session_check=1' })).text).toContain('Code: 372');
  });

  test('answer in the format that was asked for', async () => {
    const json = await raw('SELECT 1 AS a FORMAT JSON');
    expect(json.headers.get('content-type')).toContain('application/json');
    expect(JSON.parse(json.text)).toMatchObject({ data: [{ a: 1 }], rows: 1 });
    expect((await raw('SELECT 1 AS a', { query: 'default_format=CSVWithNames' })).text).toBe('"a"\n1\n');
  });
});

test('a wrong password, a wrong name and none are refused; the three ways of giving it work', async () => {
  expect((await raw('SELECT 1', { password: 'x' })).status).toBe(403);
  expect((await raw('SELECT 1', { user: 'x' })).text).toContain('Code: 516');
  expect((await fetch(`${engine.url}/?query=SELECT+1`)).status).toBe(403);
  const key = { 'x-clickhouse-user': engine.username, 'x-clickhouse-key': engine.password };
  expect((await fetch(`${engine.url}/?query=SELECT+1`, { headers: key })).status).toBe(200);
  const query = `user=${engine.username}&password=${engine.password}&query=SELECT+1`;
  expect((await fetch(`${engine.url}/?${query}`)).status).toBe(200);
  expect((await fetch(`${engine.url}/ping`)).status).toBe(200);
});

describe('a reader', () => {
  let reached = 0;
  let listener: Server;
  let outside: string;
  beforeAll(async () => {
    listener = createServer((_, response) => {
      reached += 1;
      response.end('a\n1\n');
    });
    const port = await freePort();
    listener.listen(port, '127.0.0.1');
    outside = `http://127.0.0.1:${String(port)}/x.csv`;
    await client.command({
      query: 'CREATE TABLE IF NOT EXISTS secrets (a UInt8) ENGINE = MergeTree ORDER BY a',
    });
  });
  afterAll(() => {
    listener.close();
  });
  const reader = (): { user: string; password: string } => ({
    user: engine.reader,
    password: engine.readerPassword,
  });

  test('reads in a named session, as clickhouse-connect does', async () => {
    const answers = [];
    for (let i = 0; i < 3; i++)
      answers.push((await raw('SELECT 1', { query: 'session_id=r1', ...reader() })).text);
    expect(answers).toEqual(['1\n', '1\n', '1\n']);
  });

  test('reads, with the client and its settings', async () => {
    const own = createClient({
      url: engine.url,
      username: engine.reader,
      password: engine.readerPassword,
      database: 'shop',
      log,
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    const result = await own.query({
      query: 'SELECT count() AS n FROM {t:Identifier}',
      query_params: { t: 'secrets' },
      format: 'JSON',
    });
    expect((await result.json()).data).toEqual([{ n: 0 }]);
    await own.close();
  });

  test.each([
    ['INSERT INTO secrets VALUES (1)', ''],
    ['CREATE TABLE x (a UInt8) ENGINE = Memory', ''],
    ['DROP TABLE secrets', ''],
    ['ALTER TABLE secrets DELETE WHERE 1', ''],
    ['SYSTEM STOP MERGES', ''],
    ['KILL QUERY WHERE 1', ''],
    ['SET readonly = 0', ''],
    ['SELECT 1 SETTINGS readonly = 0', ''],
    ['SELECT 1 SETTINGS max_memory_usage = 0', ''],
    ['SELECT 1', 'output_format_schema=/tmp/hindsight-schema'],
    ["SELECT file('/etc/passwd')", ''],
    ["SELECT arrayMap(file, ['/etc/passwd'])", ''],
    ["SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS x)", ''],
    ["SELECT * FROM file('/etc/passwd', 'LineAsString')", ''],
    ['SELECT * FROM "/etc/passwd"', 'database=default'],
    ['SELECT * FROM default.`/etc/passwd`', ''],
    ['SELECT * FROM {t:Identifier}', 'database=default&param_t=%2Fetc%2Fpasswd'],
    ["SELECT 1 INTO OUTFILE 'OUT'", ''],
    ["SELECT * FROM url('URL', 'CSVWithNames')", ''],
    ["DESCRIBE TABLE url('URL', 'CSVWithNames')", ''],
    ["SELECT * FROM s3('URL', 'CSVWithNames')", ''],
    ["SELECT * FROM remote('127.0.0.1', 'system.one')", ''],
    ["SELECT * FROM executable('id', 'TSV', 'a String')", ''],
    ["SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')", ''],
    ["EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'd', 't', 'u', 'p') PARTITION BY 1", ''],
    ['SELECT * FROM system.users', ''],
    ["BACKUP TABLE secrets TO File('/tmp/x')", ''],
    ['WITH x AS (SELECT 1) INSERT INTO secrets SELECT * FROM x', ''],
  ])('is refused %s %s', async (sql, query) => {
    const file = join(folder, 'out.txt');
    const answer = await raw(sql.replace('OUT', file).replace('URL', outside), { query, ...reader() });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.text).not.toContain('root:');
    expect(existsSync(file)).toBe(false);
    expect(existsSync('/tmp/hindsight-schema')).toBe(false);
    expect(reached).toBe(0);
  });

  test('has changed nothing', async () => {
    expect(await ask('SELECT count() AS n FROM secrets')).toEqual([{ n: 0 }]);
  });
});

test('acknowledged rows survive kill -9; one process has the folder; SIGTERM ends it with 0', async () => {
  const data = join(folder, 'second');
  const port = await freePort();
  let second = await startEngineProcess({ folder: data, port });
  const { url, username, password } = second;
  const own = createClient({ url, username, password, log });
  await own.command({ query: 'CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a' });
  let acknowledged = 0;
  const writing = (async () => {
    for (;;) {
      await own.insert({
        table: 't',
        values: Array.from({ length: 100 }, (_, a) => ({ a })),
        format: 'JSONEachRow',
      });
      acknowledged += 100;
    }
  })().catch(() => undefined);
  await eventually(() => acknowledged >= 1_000);
  await second.kill();
  await writing;
  second = await startEngineProcess({ folder: data, port });
  await expect(startEngineProcess({ folder: data, port: await freePort() })).rejects.toThrow(
    /could not start/,
  );
  const result = await own.query({
    query: 'SELECT count() AS n, count() % 100 AS rest FROM t',
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ n: number; rest: number }>();
  expect(row?.n).toBeGreaterThanOrEqual(acknowledged);
  expect(row?.n).toBeLessThanOrEqual(acknowledged + 100);
  expect(row?.rest).toBe(0);
  await own.close();
  expect(await second.stop()).toBe(0);
});
