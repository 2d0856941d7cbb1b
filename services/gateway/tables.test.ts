/** `/v1/tables` over a log in memory: what is answered is on the topic, bounds hold, and another gateway has it too. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import { silentLogger } from '../runtime/logger.ts';
import { systemTime } from '../runtime/time.ts';
import { eventually } from '../testing/eventually.ts';
import { appAuth, testServer, type TestServer } from '../testing/gateway-server.ts';
import { MemoryBroker } from '../testing/memory/memory-broker.ts';
import { MemoryLog } from '../testing/memory/memory-log.ts';
import { TablesLog, type TableBounds } from './tables-log.ts';

const codecs = localCodecs();
const shop = toWorkspace('shop');
const small: TableBounds = { tablesMax: 2, rowsMax: 4, bytesMax: 200, installationBytesMax: 300 };

let broker: MemoryBroker;
let tables: TablesLog;
let under: TestServer;
let opened: TablesLog[];

async function tablesOn(bounds?: TableBounds): Promise<TablesLog> {
  const log = new MemoryLog(broker);
  const made = new TablesLog(
    {
      log,
      producer: await log.producer(),
      logger: silentLogger,
      learnSchema: () => Promise.resolve(),
      now: () => 5,
      codec: codecs.TableRow,
    },
    bounds,
  );
  await made.open();
  opened.push(made);
  return made;
}

async function serve(bounds?: TableBounds): Promise<void> {
  tables = await tablesOn(bounds);
  under = testServer({ tables });
}
beforeEach(async () => {
  broker = new MemoryBroker(systemTime, 1);
  opened = [];
  await serve();
});
afterEach(async () => {
  await under.server.close();
  for (const each of opened) await each.close();
});

async function call(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown, key = appAuth) {
  const response = await under.server.inject({
    method,
    url: `/v1/tables${path}`,
    headers: { authorization: key },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

const records = () =>
  broker
    .committed('tablesChanged')
    .map(({ record }) => [
      record.key?.toString(),
      codecs.TableRow.decode(record.value ?? Buffer.alloc(0)).row,
    ]);

describe('rows of a table', () => {
  test('are put, read, put again and deleted, and the topic has each', async () => {
    expect(await call('PUT', '/stock/rows/boots', { left: 3 })).toEqual({
      status: 200,
      body: { table: 'stock', key: 'boots', row: { left: 3 } },
    });
    expect(await call('GET', '/stock/rows/boots')).toMatchObject({ status: 200, body: { row: { left: 3 } } });
    await call('PUT', '/stock/rows/boots', { left: 2, price: '89.00', sale: true, note: null });
    expect(await call('GET', '')).toMatchObject({
      body: { tables: [{ table: 'stock', rows: 1 }], tables_max: 20, rows_max: 20_000, bytes_max: 8_388_608 },
    });
    expect(await call('DELETE', '/stock/rows/boots')).toMatchObject({ status: 200, body: { deleted: true } });
    expect(await call('GET', '/stock/rows/boots')).toMatchObject({ status: 404 });
    expect(await call('DELETE', '/stock/rows/boots')).toMatchObject({ status: 404 });
    expect(await call('GET', '')).toMatchObject({ body: { tables: [] } });
    expect(records()).toEqual([
      ['shop/stock/boots', '{"left":3}'],
      ['shop/stock/boots', '{"left":2,"price":"89.00","sale":true,"note":null}'],
      ['shop/stock/boots', null],
    ]);
  });

  test('many come in one call, null deletes, and what was not there leaves no record', async () => {
    await call('PUT', '/stock/rows/hat', { left: 1 });
    const rows = { boots: { left: 3 }, 'a/b ä': { left: 0 }, hat: null, nobody: null };
    expect(await call('POST', '/stock/rows', { rows })).toEqual({
      status: 200,
      body: { table: 'stock', put: 2, deleted: 2 },
    });
    expect(await call('GET', `/stock/rows/${encodeURIComponent('a/b ä')}`)).toMatchObject({
      body: { key: 'a/b ä', row: { left: 0 } },
    });
    expect(records().map(([key]) => key)).toEqual([
      'shop/stock/hat',
      'shop/stock/boots',
      'shop/stock/a/b ä',
      'shop/stock/hat',
    ]);
  });

  test('are had by another gateway, and by one that starts later', async () => {
    const other = await tablesOn();
    await call('PUT', '/stock/rows/boots', { left: 3 });
    await eventually(() => other.text(shop, 'stock', 'boots') === '{"left":3}');
    expect((await tablesOn()).used(shop)).toMatchObject([{ table: 'stock', rows: 1 }]);
  });

  test.each<[string, 'PUT' | 'POST', string, unknown, string]>([
    ['a row that is a list', 'PUT', '/stock/rows/boots', [1], 'wrong_type'],
    ['a field that is an object', 'PUT', '/stock/rows/boots', { a: {} }, ''],
    ['a row that is too long', 'PUT', '/stock/rows/boots', { a: 'x'.repeat(1_990), b: 'y' }, 'too_long'],
    ['a table of another name', 'PUT', '/a%20b/rows/boots', {}, 'invalid_id'],
    ['a key that is too long', 'PUT', `/stock/rows/${'x'.repeat(151)}`, {}, 'invalid_id'],
    ['no rows', 'POST', '/stock/rows', {}, ''],
    ['one bad row of two', 'POST', '/stock/rows', { rows: { a: { n: 1 }, b: 7 } }, ''],
    ['a key that is no text', 'POST', '/stock/rows', { rows: { 'half \ud800': { n: 1 } } }, 'invalid_id'],
  ])('%s is refused, and nothing of it is kept', async (...[, method, path, body, code]) => {
    const answer = await call(method, path, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(code);
    expect(records()).toEqual([]);
  });

  test('are for holders of an app key, each those of their workspace', async () => {
    expect((await call('PUT', '/stock/rows/boots', { left: 3 }, 'Bearer nobody')).status).toBe(401);
    expect((await call('GET', '', undefined, 'Bearer nobody')).status).toBe(401);
    await tables.write(toWorkspace('other'), 'stock', [{ key: 'boots', row: '{}' }]);
    expect((await call('GET', '/stock/rows/boots')).status).toBe(404);
    expect(await call('GET', '')).toMatchObject({ body: { tables: [] } });
  });
});

describe('what a workspace may have', () => {
  beforeEach(async () => {
    await under.server.close();
    await serve(small);
  });

  test('no more rows than that, all of a call or none of it, and what shrinks always may', async () => {
    const rows = Object.fromEntries([1, 2, 3, 4].map((n) => [`k${String(n)}`, { n }]));
    expect((await call('POST', '/stock/rows', { rows: { ...rows, k5: {} } })).status).toBe(400);
    expect(tables.used(shop)).toEqual([]);
    expect((await call('POST', '/stock/rows', { rows })).status).toBe(200);
    expect(await call('PUT', '/stock/rows/k5', {})).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'too_many' }] },
    });
    expect((await call('PUT', '/stock/rows/k4', { n: 5 })).status).toBe(200);
    expect((await call('POST', '/stock/rows', { rows: { k1: null, k5: {} } })).status).toBe(200);
  });

  test('no more tables and bytes, and no more bytes of all together', async () => {
    await call('PUT', '/one/rows/k', {});
    await call('PUT', '/two/rows/k', {});
    expect((await call('PUT', '/three/rows/k', {})).status).toBe(400);
    expect((await call('PUT', '/one/rows/k', { text: 'x'.repeat(250) })).status).toBe(400);
    expect((await call('PUT', '/one/rows/k', { text: 'x'.repeat(150) })).status).toBe(200);
    const other = toWorkspace('other');
    const row = JSON.stringify({ text: 'x'.repeat(150) });
    expect(await tables.write(other, 't', [{ key: 'k', row }])).toBe(false);
    expect(await tables.write(other, 't', [{ key: 'k', row: '{}' }])).toBe(true);
  });

  test('no more rows deleted on a day, since the topic keeps for ever that they were; what stays is put again as often as one likes', async () => {
    await under.server.close();
    await serve({ ...small, deletedRowsDayMax: 3 });
    const round = async (n: number) => {
      await call('PUT', `/stock/rows/k${String(n)}`, { n });
      return await call('DELETE', `/stock/rows/k${String(n)}`);
    };
    for (const n of [1, 2, 3]) expect(await round(n)).toMatchObject({ status: 200 });
    expect(await round(4)).toMatchObject({ status: 429, body: { meta: { code: 'tables_day_full' } } });
    for (const n of [5, 6]) expect(await call('PUT', '/stock/rows/k4', { n })).toMatchObject({ status: 200 });
    expect((await call('POST', '/stock/rows', { rows: { k4: null } })).status).toBe(429);
    const other = await tablesOn({ ...small, deletedRowsDayMax: 3 });
    await expect(other.write(shop, 'stock', [{ key: 'k4', row: null }])).rejects.toMatchObject({
      retryAfterS: 86_400,
    });
    await other.write(toWorkspace('other'), 'stock', [{ key: 'k', row: '{}' }]);
    expect(await other.write(toWorkspace('other'), 'stock', [{ key: 'k', row: null }])).toBe(true);
  });
});
