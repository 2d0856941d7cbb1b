/** `/v1/tables`: what a shop keeps by key for the texts of its on-site messages (contract, *On-site messages*). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Compile, type Validator } from 'typebox/compile';
import type { Fault } from '../../schemas/http/app.ts';
import { rowCharsMax, TableRowBody, TableRowsBody, tableKeyCharsMax } from '../../schemas/http/tables.ts';
import type { Workspace } from '../../schemas/ids.ts';
import { pointerTo } from '../rules/faults.ts';
import { answer, badRequest, notFound, readBody, unauthorized, workspaceOf } from './answers.ts';
import type { AppKeys, RowChange, TableStore } from './ports.ts';
import { shapeFaults } from './shape-faults.ts';

export interface TablesRouteOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly tables: TableStore;
}

type RowRequest = FastifyRequest<{ Params: { table: string; key?: string } }>;

const TABLE = /^[A-Za-z0-9_-]{1,100}$/;
const bodyBytesMax = 4 * 1_024 * 1_024;
const rowShape = Compile(TableRowBody);
const rowsShape = Compile(TableRowsBody);

export function mountTables(app: FastifyInstance, options: TablesRouteOptions): void {
  const { keys, tables } = options;
  app.get('/v1/tables', (request, reply) => {
    const workspace = workspaceOf(keys, request);
    if (workspace === undefined) return unauthorized(reply);
    const { tablesMax, rowsMax, bytesMax } = tables.bounds;
    const may = { tables_max: tablesMax, rows_max: rowsMax, bytes_max: bytesMax };
    return answer(reply, 200, { tables: tables.used(workspace), ...may });
  });
  const path = '/v1/tables/:table/rows';
  app.post(path, (request: RowRequest, reply) => putMany(options, request, reply));
  app.get(`${path}/:key`, (request: RowRequest, reply) => get(options, request, reply));
  app.put(`${path}/:key`, (request: RowRequest, reply) => putOne(options, request, reply));
  app.delete(`${path}/:key`, (request: RowRequest, reply) => remove(options, request, reply));
}

interface Place {
  readonly workspace: Workspace;
  readonly table: string;
  /** Empty where the route has none. */
  readonly key: string;
}

/** undefined: the reply says why there is none. */
function placeOf({ keys }: TablesRouteOptions, request: RowRequest, reply: FastifyReply): Place | undefined {
  const workspace = workspaceOf(keys, request);
  const { table, key = '' } = request.params;
  if (workspace === undefined) void unauthorized(reply);
  else if (!TABLE.test(table)) {
    const message = 'a table is 1 to 100 of A-Z, a-z, 0-9, _ and -';
    void badRequest(reply, [{ pointer: '', code: 'invalid_id', message }]);
  } else if (key.length > tableKeyCharsMax) {
    const message = `a key has at most ${String(tableKeyCharsMax)} characters`;
    void badRequest(reply, [{ pointer: '', code: 'invalid_id', message }]);
  } else return { workspace, table, key };
  return undefined;
}

function get(options: TablesRouteOptions, request: RowRequest, reply: FastifyReply): FastifyReply {
  const place = placeOf(options, request, reply);
  if (place === undefined) return reply;
  const { workspace, table, key } = place;
  const text = options.tables.text(workspace, table, key);
  if (text === undefined) return notFound(reply, `row ${key} of table ${table}`);
  return answer(reply, 200, { table, key, row: JSON.parse(text) as unknown });
}

async function putOne(
  options: TablesRouteOptions,
  request: RowRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const place = placeOf(options, request, reply);
  if (place === undefined) return reply;
  const row = bodyAs(rowShape, request);
  if (!row.ok) return badRequest(reply, row.faults);
  const { table, key } = place;
  const change = { key, row: JSON.stringify(row.value) };
  const faults = await write(options, place, [change], () => '');
  return faults.length > 0 ? badRequest(reply, faults) : answer(reply, 200, { table, key, row: row.value });
}

async function putMany(
  options: TablesRouteOptions,
  request: RowRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const place = placeOf(options, request, reply);
  if (place === undefined) return reply;
  const body = bodyAs(rowsShape, request);
  if (!body.ok) return badRequest(reply, body.faults);
  const changes = Object.entries(body.value.rows).map(([key, row]) => ({
    key,
    row: row === null ? null : JSON.stringify(row),
  }));
  // On the topic it would be another key, and whoever waits for this one to come back would keep all writers waiting.
  const noText = changes.filter(({ key }) => hasHalfPair(key));
  if (noText.length > 0) {
    const message = 'a key is text: half of a pair of UTF-16 is none';
    const faults = noText.map(
      ({ key }) => ({ pointer: pointerTo('/rows', key), code: 'invalid_id', message }) as const,
    );
    return badRequest(reply, faults);
  }
  const faults = await write(options, place, changes, (key) => pointerTo('/rows', key));
  if (faults.length > 0) return badRequest(reply, faults);
  const put = changes.filter(({ row }) => row !== null).length;
  return answer(reply, 200, { table: place.table, put, deleted: changes.length - put });
}

function hasHalfPair(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

async function remove(
  options: TablesRouteOptions,
  request: RowRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const place = placeOf(options, request, reply);
  if (place === undefined) return reply;
  const { workspace, table, key } = place;
  if (options.tables.text(workspace, table, key) === undefined) {
    return notFound(reply, `row ${key} of table ${table}`);
  }
  await options.tables.write(workspace, table, [{ key, row: null }]);
  return answer(reply, 200, { table, key, deleted: true });
}

async function write(
  { tables }: TablesRouteOptions,
  { workspace, table }: Place,
  changes: readonly RowChange[],
  pointerOf: (key: string) => string,
): Promise<readonly Fault[]> {
  const long = changes.filter(({ row }) => row !== null && row.length > rowCharsMax);
  if (long.length > 0) {
    const message = `a row has at most ${String(rowCharsMax)} characters of JSON`;
    return long.map(({ key }) => ({ pointer: pointerOf(key), code: 'too_long', message }));
  }
  if (await tables.write(workspace, table, changes)) return [];
  const { tablesMax, rowsMax, bytesMax } = tables.bounds;
  const most = `${String(tablesMax)} tables, ${String(rowsMax)} rows and ${String(bytesMax)} bytes`;
  const message = `the workspace would have more than ${most}, or the installation more than it holds`;
  return [{ pointer: '', code: 'too_many', message }];
}

type Body<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly Fault[] };

function bodyAs<T>(
  shape: Pick<Validator, 'Errors'> & { Check(value: unknown): value is T },
  request: FastifyRequest,
): Body<T> {
  const read = readBody(request, bodyBytesMax);
  if (!read.ok) return { ok: false, faults: [read.fault] };
  return shape.Check(read.value)
    ? { ok: true, value: read.value }
    : { ok: false, faults: shapeFaults(shape, read.value) };
}
