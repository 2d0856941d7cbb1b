/**
 * A whole installation: what an identify claims and identity refuses is believed by nobody; relationships of a visitor
 * come with the claim; a split takes a merge apart everywhere.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack, type Keys, type Stack } from '../testing/stack.ts';

const startMsMax = 300_000;
const testMsMax = 600_000;
const settleAttemptsMax = 480;

let stack: Stack;
let keys: Keys;
beforeAll(async () => {
  stack = await startStack();
  keys = stack.credentials.default;
}, startMsMax);
afterAll(() => stack.stop(), startMsMax);

async function call(method: string, path: string, authorization: string, body?: object): Promise<unknown> {
  const response = await fetch(`${stack.http}${path}`, {
    method,
    headers: { authorization },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(120_000),
  });
  const text = await response.text();
  expect({ path, status: response.status, text }).toMatchObject({ path, status: 200 });
  return JSON.parse(text);
}
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
const track = (method: string, path: string, body: object) =>
  call(method, `/api${path}`, basic(`${keys.site_id}:${keys.api_key}`), body);
const app = (method: string, path: string, body?: object) =>
  call(method, `/v1${path}`, `Bearer ${keys.app_key}`, body);

async function settled(): Promise<void> {
  let last = '';
  for (let attempt = 0; attempt < settleAttemptsMax; attempt += 1) {
    const response = await fetch(`${stack.http}/health/settled`, { signal: AbortSignal.timeout(120_000) });
    last = await response.text();
    if (response.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`not settled: ${last}`);
}

/** Rows as lists. */
async function ask(sql: string): Promise<unknown[]> {
  const { url, user, password, database } = stack.clickhouse;
  const response = await fetch(`${url}/?database=${database}&default_format=JSONCompactEachRow`, {
    method: 'POST',
    headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password },
    body: sql,
    signal: AbortSignal.timeout(120_000),
  });
  const text = await response.text();
  expect({ sql, ok: response.ok, text: response.ok ? '' : text }).toMatchObject({ ok: true });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}
/** Who has it, by id or email. */
const NAME = `transform(person_id,
  (SELECT groupArray(person_id) FROM people), (SELECT groupArray(coalesce(id, email, 'nameless')) FROM people), person_id)`;
const members = (segment: string) =>
  ask(`SELECT ${NAME} AS who FROM segment_memberships WHERE segment_id = '${segment}' ORDER BY who`);
const carts = () =>
  ask(
    `SELECT anonymous_id, ${NAME}, count() FROM events GROUP BY anonymous_id, person_id ORDER BY anonymous_id`,
  );

const cart = (anonymousId: string) =>
  track('POST', '/v1/events', { name: 'Cart', anonymous_id: anonymousId });

test(
  'two people, wrongly merged and taken apart',
  async () => {
    const rule = (when: object) => ({ name: 'S', type: 'data_driven', when });
    await app('PUT', '/definitions/segments/keen', rule({ event: 'Cart', count: { at_least: 2 } }));
    await app('PUT', '/definitions/segments/mail', rule({ attribute: 'email', operator: 'exists' }));

    await cart('phone');
    await track('POST', '/v2/entity', {
      type: 'object',
      action: 'identify_anonymous',
      identifiers: { object_type_id: '1', object_id: 'acme' },
      cio_relationships: [{ identifiers: { anonymous_id: 'phone' } }],
    });
    await cart('laptop');
    await settled();
    expect(await ask('SELECT count() FROM relationships')).toEqual([[0]]);

    await track('PUT', '/v1/customers/1', { anonymous_id: 'phone' });
    await track('PUT', '/v1/customers/two@example.com', { anonymous_id: 'laptop', id: '2' });
    await settled();
    await track('PUT', '/v1/customers/3', { email: 'TWO@example.com', plan: 'pro' });
    await settled();
    expect(await ask(`SELECT ${NAME}, object_id FROM relationships`)).toEqual([['1', 'acme']]);
    expect(await ask('SELECT id, email FROM people ORDER BY id')).toEqual([
      ['1', null],
      ['2', 'two@example.com'],
      ['3', null],
    ]);
    expect(await members('mail')).toEqual([['2']]);

    await track('POST', '/v1/merge_customers', { primary: { id: '1' }, secondary: { id: '2' } });
    await settled();
    expect(await carts()).toEqual([
      ['laptop', '1', 1],
      ['phone', '1', 1],
    ]);
    expect(await members('keen')).toEqual([['1']]);
    expect(await members('mail')).toEqual([['1']]);

    const names = { anonymous_ids: ['laptop'], identifiers: ['two@example.com'] };
    await app('POST', '/people/1/split', { ...names, by: 'support', why: 'two customers' });
    await settled();
    expect(await carts()).toEqual([
      ['laptop', 'two@example.com', 1],
      ['phone', '1', 1],
    ]);
    expect(await members('keen')).toEqual([]);
    expect(await members('mail')).toEqual([['two@example.com']]);
    expect(
      await ask(`SELECT ${NAME}, change FROM segment_changes WHERE segment_id = 'keen' ORDER BY at`),
    ).toEqual([
      ['1', 'entered'],
      ['1', 'left'],
    ]);
    const told = `JSONExtractString(ifNull(detail, ''),`;
    expect(
      await ask(
        `SELECT ${NAME} AS who, ${told} 'by'), ${told} 'why'), ${told} 'rules')
         FROM activities WHERE kind = 'Person Split' ORDER BY who`,
      ),
    ).toEqual([
      ['1', 'support', 'two customers', 'cleared'],
      ['two@example.com', 'support', 'two customers', 'cleared'],
    ]);

    await cart('laptop');
    await cart('phone');
    await cart('phone');
    await settled();
    expect(await carts()).toEqual([
      ['laptop', 'two@example.com', 2],
      ['phone', '1', 3],
    ]);
    expect(await members('keen')).toEqual([['1'], ['two@example.com']]); // what was the other's counts again

    expect(await app('GET', '/workspaces/default/fragmentation')).toMatchObject({
      canonical_identifier: 'id',
      people: 3,
      people_without_canonical_identifier: { count: 1, cases: [{ id: null, email: 'two@example.com' }] },
    });
  },
  testMsMax,
);

test(
  'an object that is deleted is nobody’s, for analysts and rules, and what it is told of itself is so for all',
  async () => {
    const isPro = { relationship: '7', object: [{ property: 'plan', operator: 'eq', value: 'pro' }] };
    await app('PUT', '/definitions/segments/pro', { name: 'S', type: 'data_driven', when: isPro });
    const object = { type: 'object', identifiers: { object_type_id: '7', object_id: 'globex' } };
    const of = (identifiers: object) => [{ identifiers }];
    const all = `SELECT object_attributes FROM relationships WHERE object_type_id = '7' ORDER BY person_id`;

    const people = ['11', '12', '13', '14'];
    await track('POST', '/v2/batch', {
      batch: people.map((id) => ({ ...object, action: 'add_relationships', cio_relationships: of({ id }) })),
    });
    await track('POST', '/v2/entity', { ...object, action: 'identify', attributes: { plan: 'pro' } });
    await settled();
    expect(await ask(all)).toEqual(people.map(() => ['{"plan":"pro"}']));
    expect(await members('pro')).toEqual(people.map((id) => [id]));

    const anew = { ...object, action: 'add_relationships', cio_relationships: of({ id: '15' }) };
    await track('POST', '/v2/batch', { batch: [{ ...object, action: 'delete' }, anew] });
    await settled();
    expect(await ask(all)).toEqual([['{}']]);
    expect(await members('pro')).toEqual([]);
    const told = await ask(
      `SELECT kind, JSONExtractString(detail, 'object_id') FROM activities WHERE kind LIKE 'Object%' ORDER BY timestamp`,
    );
    expect(told.slice(-2)).toEqual([
      ['Object Created or Updated', 'globex'],
      ['Object Deleted', 'globex'],
    ]);
  },
  testMsMax,
);
