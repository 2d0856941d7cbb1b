/** The App API of a whole installation: definitions and settings outlive a restart, the clock is everybody's, the story is whole. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Keys, type Stack } from '../testing/stack.ts';

const startMsMax = 300_000;
const testMsMax = 600_000;
const settleMsMax = 240_000;
const run = promisify(execFile);

let stack: Stack;
let keys: Keys;
beforeAll(async () => {
  stack = await startStack({ env: { HINDSIGHT_TEST_CLOCK: 'on' } });
  keys = stack.credentials.default;
}, startMsMax);
afterAll(() => stack.stop(), startMsMax);

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Call {
  readonly authorization: string;
  readonly body?: unknown;
  /** Receive time. */
  readonly at?: string | undefined;
}

async function call(method: string, path: string, { authorization, body, at }: Call): Promise<Answer> {
  const response = await fetch(`${stack.http}${path}`, {
    method,
    headers: { authorization, ...(at === undefined ? {} : { 'x-hindsight-received-at': at }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(120_000),
  });
  return { status: response.status, body: await response.json() };
}
const app = (method: string, path: string, body?: unknown) =>
  call(method, path, { authorization: `Bearer ${keys.app_key}`, body });
const open = (path: string) => call('GET', path, { authorization: '' });
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
const track = (method: string, path: string, body: unknown, at?: string) =>
  call(method, path, { authorization: basic(`${keys.site_id}:${keys.api_key}`), body, at });

async function settled(): Promise<void> {
  const deadline = performance.now() + settleMsMax;
  for (;;) {
    const answer = await open('/health/settled');
    if (answer.status === 200) return;
    if (performance.now() > deadline) throw new Error(`not settled: ${JSON.stringify(answer.body)}`);
  }
}

interface Step {
  readonly at: string;
  readonly stage: string;
  readonly message_id?: string;
  readonly name?: string;
  readonly reason?: string;
}
async function story(query: string): Promise<readonly Step[]> {
  const { status, body } = await app('GET', `/v1/trace?${query}`);
  expect(status).toBe(200);
  return (body as { steps: readonly Step[] }).steps;
}
const told = (steps: readonly Step[]) =>
  steps
    .filter(({ stage, name }) => stage !== 'segment' || name === 'carts') // other tests store others
    .map(({ stage, name }) => (name === undefined ? stage : `${stage} ${name}`));

/** Of every test that sets it, whichever comes first; after the receive times of all. */
const CLOCK = '2027-01-10T11:00:00.000Z';
const segment = { name: 'Carts', type: 'data_driven', when: { event: 'Added to Cart', within: 'P7D' } };

describe('a visitor, told by /v1/trace', () => {
  test(
    'waits while anonymous; the claim, the merge, the segment and the repeat are in the story, in order',
    async () => {
      expect((await app('PUT', '/v1/definitions/segments/carts', segment)).status).toBe(200);
      const page = { type: 'page', name: 'https://shop.example/p', anonymous_id: 'visitor-1', id: 'm-page' };
      await track('POST', '/api/v1/events', page, '2027-01-10T10:00:00Z');
      const cart = { name: 'Added to Cart', anonymous_id: 'visitor-1', id: 'm-cart' };
      await track('POST', '/api/v1/events', cart, '2027-01-10T10:01:00Z');
      await settled();
      const before = await story('anonymous_id=visitor-1');
      expect(told(before)).toEqual([
        'received https://shop.example/p',
        'waiting https://shop.example/p',
        'received Added to Cart',
        'waiting Added to Cart',
      ]);
      expect(before[0]).toMatchObject({ at: '2027-01-10T10:00:00.000Z', message_id: 'm-page' });
      await track('POST', '/api/v1/events', cart, '2027-01-10T10:02:00Z');
      const person = { email: 'ann@shop.example', anonymous_id: 'visitor-1' };
      await track('PUT', '/api/v1/customers/ann', person, '2027-01-10T10:03:00Z');
      await settled();
      const after = told(await story('anonymous_id=visitor-1'));
      expect(after).toEqual([
        'received https://shop.example/p',
        'waiting https://shop.example/p',
        'received Added to Cart',
        'waiting Added to Cart',
        'dropped',
        'asked',
        'claimed',
        'merged https://shop.example/p',
        'merged Added to Cart',
        'segment carts',
      ]);
      for (const name of ['ann', 'ANN@shop.example']) {
        expect(told(await story(`person=${encodeURIComponent(name)}`))).toEqual(after);
      }
    },
    testMsMax,
  );

  test(
    'a name that only identity knows to be nobody’s is refused, with the reason',
    async () => {
      const person = { anonymous_id: 'visitor-3' };
      await track('PUT', '/api/v1/customers/a%01b', person, '2027-01-10T10:04:00Z');
      await settled();
      const refused = (await story('anonymous_id=visitor-3')).find(({ stage }) => stage === 'refused');
      expect(refused).toMatchObject({ at: '2027-01-10T10:04:00.000Z', reason: 'identifier_illegal' });
    },
    testMsMax,
  );
});

describe('the test clock', () => {
  test(
    'a PUT answers when every task has taken it, and all is settled at the new time',
    async () => {
      const now = CLOCK;
      expect(await app('PUT', '/v1/test-clock', { now })).toEqual({ status: 200, body: { now } });
      await settled();
      await track('POST', '/api/v1/events', { name: 'late', anonymous_id: 'visitor-2' });
      await settled();
      const steps = await story('anonymous_id=visitor-2');
      expect(steps[0]).toMatchObject({ at: now, stage: 'received' });
    },
    testMsMax,
  );
});

describe('what is stored outlives the gateway', () => {
  test(
    'definitions, settings, keys and the clock are there after a kill',
    async () => {
      const made = await call('PUT', '/v1/workspaces/second', {
        authorization: `Bearer ${keys.admin_key ?? ''}`,
        body: { anonymous_event_merge: false },
      });
      const { credentials } = made.body as { credentials: Keys };
      expect((await app('PUT', '/v1/definitions/segments/kept', segment)).status).toBe(200);
      await app('PUT', '/v1/test-clock', { now: CLOCK });
      await stack.kill('gateway');
      await stack.restart('gateway');
      expect(await app('GET', '/v1/definitions/segments/kept')).toMatchObject({
        status: 200,
        body: { version: 1, definition: segment },
      });
      expect(await app('PUT', '/v1/definitions/segments/kept', segment)).toMatchObject({
        body: { version: 2 },
      });
      expect(
        await call('GET', '/v1/workspaces/second', { authorization: `Bearer ${credentials.app_key}` }),
      ).toMatchObject({
        status: 200,
        body: { version: 1, settings: { anonymous_event_merge: false } },
      });
      expect(await app('GET', '/v1/test-clock')).toMatchObject({ body: { now: CLOCK } });
    },
    testMsMax,
  );
});

describe('health', () => {
  test(
    'a service that is down makes it neither ready nor settled, and is named',
    async () => {
      expect(await open('/health/ready')).toMatchObject({ status: 200 });
      await stack.kill('trigger');
      expect(await open('/health/ready')).toMatchObject({
        status: 503,
        body: { parts: { trigger: { ok: false } } },
      });
      expect(await open('/health/settled')).toMatchObject({
        status: 503,
        body: { settled: false },
      });
      await stack.restart('trigger');
      await settled();
    },
    testMsMax,
  );
});

describe('reports of what a shop sends', () => {
  const at = Date.UTC(2028, 0, 1);
  const HOUR = 3_600_000;
  let shop: StackCalls;
  beforeAll(async () => {
    const settings = {
      event_names: { names: { 'Added to Cart': ['add_to_cart'] } },
      event_schemas: { 'Added to Cart': { required: ['sku'], types: { price: 'number' } } },
    };
    const made = await call('PUT', '/v1/workspaces/reported', {
      authorization: `Bearer ${keys.admin_key ?? ''}`,
      body: settings,
    });
    shop = new StackCalls(stack, (made.body as { credentials: Keys }).credentials);
    const cart = (name: string, data: object, when: number) =>
      shop.track('POST', '/v1/events', { name, anonymous_id: 'late', data }, { at: when });
    await cart('add_to_cart', { sku: 'p', price: 12 }, at);
    await cart('Added to Cart', { price: '12' }, at + HOUR);
    const ada = { email: 'ada@shop.example', anonymous_id: 'late' };
    await shop.track('PUT', '/v1/customers/ada', ada, { at: at + 48 * HOUR });
    const after = at + 49 * HOUR;
    for (const id of ['1', '2']) {
      await shop.track('POST', '/v1/events', { name: 'Look', anonymous_id: 'late', id }, { at: after });
    }
    for (const id of ['guest_1', 'SESSION-7', 'guesthouse'])
      await shop.track('PUT', `/v1/customers/${id}`, {});
    await shop.track('PUT', '/v1/customers/bob', { email: 'ada@shop.example' }, { at: after });
    for (const who of ['ada', 'ada@shop.example']) {
      await shop.track('POST', `/v1/customers/${who}/events`, { name: 'look' }, { at: after });
    }
    await shop.settled();
  }, testMsMax);

  test('E row 95: names, properties, types, what breaks a schema and what drifts, over HTTP and as a view', async () => {
    const { status, body } = await shop.app('GET', '/v1/schema-report?days=3');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      events: [
        {
          event: 'Added to Cart',
          events: 2,
          first_seen_at: new Date(at).toISOString(),
          names: expect.arrayContaining([
            { name: 'add_to_cart', events: 1 },
            { name: 'Added to Cart', events: 1 },
          ]) as unknown,
          violations: expect.arrayContaining([
            expect.objectContaining({ property: 'sku', rule: 'required', events: 1 }),
            expect.objectContaining({ property: 'price', rule: 'type', expected: 'number', events: 1 }),
          ]) as unknown,
        },
        { event: 'Look', events: 2 },
        { event: 'look', events: 2 },
      ],
      violations: 2,
      drift: expect.arrayContaining([
        expect.objectContaining({ event: 'Look', drift: 'several_names' }),
        expect.objectContaining({ event: 'Added to Cart', drift: 'several_types', property: 'price' }),
      ]) as unknown,
    });
    expect(
      await shop.rows(
        `SELECT property, type, events FROM event_fields WHERE workspace = 'reported' ORDER BY property, type`,
      ),
    ).toEqual([
      ['price', 'number', 1],
      ['price', 'text', 1],
      ['sku', 'text', 1],
    ]);
    expect((await shop.app('GET', '/v1/schema-report?days=32')).status).toBe(400);
  });

  test('E row 89, C.1 row 20: events that came too late, identifies that did, one email of two people, a person of two kinds, names that look as if they were made for a visit', async () => {
    const people = new Map(
      (await shop.rows(`SELECT id, person_id FROM people WHERE workspace = 'reported'`)).map(
        ([id, person]) => [String(id), String(person)],
      ),
    );
    const { status, body } = await shop.app('GET', '/v1/merge-report?days=3');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      events_after_the_claim: { count: 1, cases: [{ anonymous_id: 'late', times: 2 }] },
      late_identifies: {
        count: 1,
        cases: [{ anonymous_id: 'late', person_id: people.get('ada'), times: 2 }],
      },
      emails_of_several_people: {
        count: 1,
        cases: [
          { email: 'ada@shop.example', owner: people.get('ada'), others: [people.get('bob')], times: 1 },
        ],
      },
      people_of_several_kinds: {
        count: 1,
        cases: [{ person_id: people.get('ada'), kinds: ['email', 'id'], times: 2 }],
      },
      flagged_identifiers: {
        count: 2,
        cases: expect.arrayContaining([
          expect.objectContaining({ value: 'guest_1', kind: 'id', person_id: people.get('guest_1') }),
          expect.objectContaining({ value: 'SESSION-7', person_id: people.get('SESSION-7') }),
        ]) as unknown,
      },
      refused_to_browser_keys: { count: 0 },
    });
  });
});

describe('npm run apply', () => {
  const linesOf = (stdout: string) => stdout.split('\n').filter((line) => /^\w+\//.test(line));
  const apply = (folder: string) =>
    run(process.execPath, ['scripts/apply.ts', folder, '--url', stack.http], {
      env: { ...process.env, NODE_OPTIONS: '', HINDSIGHT_DATA: stack.dataFolder },
    });

  test(
    'stores a folder of definitions; a bad one is named with its faults and the others are stored',
    async () => {
      const folder = join(stack.dataFolder, 'apply');
      for (const kind of ['segments', 'journeys']) mkdirSync(join(folder, kind), { recursive: true });
      const journey = { name: 'Follow up', state: 'running', trigger: { event: 'Checkout Started' } };
      writeFileSync(join(folder, 'segments', 'new.json'), JSON.stringify(segment));
      writeFileSync(join(folder, 'journeys', 'follow-up.json'), JSON.stringify(journey));
      const behind = { name: 'Of new', type: 'data_driven', when: { not: { segment: 'new' } } };
      writeFileSync(join(folder, 'segments', 'a-behind.json'), JSON.stringify(behind)); // refers to one after it
      const { stdout } = await apply(folder);
      expect(stdout).toContain('into the workspace default of ');
      expect(linesOf(stdout)).toEqual([
        'segments/new: version 1',
        'segments/a-behind: version 1',
        'journeys/follow-up: version 1, running',
      ]);
      writeFileSync(join(folder, 'segments', 'bad.json'), '{"name":"x"}');
      await expect(apply(folder)).rejects.toMatchObject({
        code: 1,
        stdout: expect.stringMatching(
          /segments\/a-behind: version 2[^]*segments\/new: version 2[^]*follow-up: version 2/,
        ),
        stderr: expect.stringContaining('segments/bad: refused (400)'),
      });
    },
    testMsMax,
  );
});
