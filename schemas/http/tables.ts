/** Tables of a shop's own (contract, *On-site messages*): bodies, and the routes as routes.ts publishes them. */
import Type from 'typebox';
import { badBody, missing, type RouteDescription } from './route-description.ts';

export const rowFieldsMax = 50;
export const rowsACallMax = 1_000;
export const tableKeyCharsMax = 150;
/** Of the JSON of a row. */
export const rowCharsMax = 2_000;

const name = Type.String({ minLength: 1, maxLength: 100 });
const scalar = Type.Union([
  Type.String({ maxLength: rowCharsMax }),
  Type.Number(),
  Type.Boolean(),
  Type.Null(),
]);

export const TableRowBody = Type.Record(name, scalar, { maxProperties: rowFieldsMax });
export const TableRowsBody = Type.Object(
  {
    rows: Type.Record(
      Type.String({ minLength: 1, maxLength: tableKeyCharsMax }),
      Type.Union([TableRowBody, Type.Null()]),
      { maxProperties: rowsACallMax, description: 'By key; null deletes.' },
    ),
  },
  { additionalProperties: false },
);

export const tableRoutes: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/v1/tables',
    summary: 'Tables of the workspace: how many rows and bytes each has, and how many there may be.',
    auth: 'app',
  },
  {
    method: 'post',
    path: '/v1/tables/{table}/rows',
    summary: 'Put and delete rows, all or none of them.',
    auth: 'app',
    body: TableRowsBody,
    answers: badBody,
  },
  {
    method: 'get',
    path: '/v1/tables/{table}/rows/{key}',
    summary: 'A row.',
    auth: 'app',
    answers: { ...badBody, ...missing },
  },
  {
    method: 'put',
    path: '/v1/tables/{table}/rows/{key}',
    summary: 'Put a row in the place of the one that is there.',
    auth: 'app',
    body: TableRowBody,
    answers: badBody,
  },
  {
    method: 'delete',
    path: '/v1/tables/{table}/rows/{key}',
    summary: 'Delete a row.',
    auth: 'app',
    answers: { ...badBody, ...missing },
  },
];
