/**
 * Requests recorded from five unmodified clients, and those of seven senders that cannot run here, sent to a whole
 * installation, each client into a workspace of its own: what is built answers as the spec says and every event is found
 * in ClickHouse once, repeats in `dropped`; what is not built answers 404 with JSON.
 */
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type Stack } from '../testing/stack.ts';
import { assert } from '../runtime/errors.ts';
import { isObject } from './json-text.ts';
import {
  authorizationsOf,
  readRecorded,
  recordedClients,
  replay,
  type Authorizations,
  type RecordedRequest,
} from '../testing/recorded-requests.ts';
import { readShaped, senders } from '../testing/shaped-requests.ts';

const startMsMax = 300_000;
const replayMsMax = 300_000;

let stack: Stack;
let clickhouse: ClickHouseClient;

beforeAll(async () => {
  stack = await startStack();
  const { url, user, password, database } = stack.clickhouse;
  clickhouse = createClient({ url, username: user, password, database });
}, startMsMax);

afterAll(async () => {
  await clickhouse.close();
  await stack.stop();
}, startMsMax);

/** By method and path, with {} for a segment. */
const NOT_BUILT = new Set(['POST /v1/send/email']);

/** Reads of the App API: what they answer with. */
const READS = new Map([
  ['GET /v1/segments', 'segments'],
  ['GET /v1/customers/{}/activities', 'activities'],
  ['GET /v1/projects/{}/settings', 'integrations'],
]);

function routeOf({ method, url }: RecordedRequest): string {
  const path = (url.split('?')[0] ?? '').replace(
    /(?<=\/(customers|devices|segments|forms|unsubscribe|projects))\/[^/]+/g,
    '/{}',
  );
  return `${method} ${path}`;
}

/** After it rows of a person may go. */
function isDeletion(recorded: RecordedRequest): boolean {
  const route = routeOf(recorded);
  return route === 'DELETE /api/v1/customers/{}' || route.endsWith('/suppress');
}

/** An event that a request carries, told from the recording by itself: `type name` and its message id. */
interface ExpectedEvent {
  readonly what: string;
  readonly messageId: string | undefined;
}

function eventsIn(recorded: RecordedRequest): readonly ExpectedEvent[] {
  const body = isObject(recorded.body) ? recorded.body : {};
  if (['POST /v1/batch', 'POST /v1/b'].includes(routeOf(recorded)))
    return items(body).flatMap((item) => pipelinesEvent(item, item.type));
  if (routeOf(recorded) === 'POST /api/v2/batch') return items(body).flatMap(operationEvent);
  if (routeOf(recorded) === 'POST /api/v2/entity') return operationEvent(body);
  const told = toldEvent(routeOf(recorded));
  if (told !== undefined) return [expected('event', told, body.id)];
  if (recorded.url.endsWith('/events')) {
    return [expected(typeof body.type === 'string' ? body.type : 'event', body.name, body.id)];
  }
  return recorded.url.startsWith('/v1/') ? pipelinesEvent(body, recorded.url.slice('/v1/'.length)) : [];
}

/** The name of the event that tells of a device, a form or a delivery. */
function toldEvent(route: string): string | undefined {
  switch (route) {
    case 'PUT /api/v1/customers/{}/devices':
      return 'Device Created or Updated';
    case 'DELETE /api/v1/customers/{}/devices/{}':
      return 'Device Deleted';
    case 'POST /api/v1/forms/{}/submit':
      return 'Form Submitted';
    case 'POST /api/v1/metrics':
    case 'POST /api/v1/push/events':
    case 'POST /push/events':
    case 'POST /api/v1/cio_deliveries/events':
    case 'POST /unsubscribe/{}':
      return 'Report Delivery Event';
    default:
      return undefined;
  }
}

function operationEvent(operation: Readonly<Record<string, unknown>>): readonly ExpectedEvent[] {
  switch (operation.action) {
    case 'event':
    case 'page':
    case 'screen':
      return [expected(operation.action, operation.name, operation.id)];
    case 'viewed_content':
      return [expected('event', operation.action, operation.id)];
    case 'add_device':
      return [expected('event', 'Device Created or Updated', operation.id)];
    case 'delete_device':
      return [expected('event', 'Device Deleted', operation.id)];
    default:
      return [];
  }
}

function pipelinesEvent(call: Readonly<Record<string, unknown>>, type: unknown): readonly ExpectedEvent[] {
  const properties = isObject(call.properties) ? call.properties : {};
  if (type === 'track') return [expected('event', call.event, call.messageId)];
  if (type === 'page') return [expected('page', properties.url ?? call.name, call.messageId)];
  return type === 'screen' ? [expected('screen', call.name, call.messageId)] : [];
}

function expected(type: string, name: unknown, messageId: unknown): ExpectedEvent {
  return {
    what: `${type} ${String(name)}`,
    messageId: typeof messageId === 'string' ? messageId : undefined,
  };
}

function items(body: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(body.batch) ? body.batch.filter(isObject) : [];
}

/** The first of each message id counts; a recording that has one twice sent a repeat. */
function split(events: readonly ExpectedEvent[]) {
  const seen = new Set<string>();
  const first: ExpectedEvent[] = [];
  const repeats: string[] = [];
  for (const event of events) {
    if (event.messageId !== undefined && seen.has(event.messageId)) repeats.push(event.messageId);
    else first.push(event);
    if (event.messageId !== undefined) seen.add(event.messageId);
  }
  return { first, repeats };
}

interface FreshWorkspace {
  readonly name: string;
  readonly auth: Authorizations;
  readonly writeKey: string;
}

async function freshWorkspace(client: string): Promise<FreshWorkspace> {
  const name = client.replaceAll('.', '-');
  const response = await fetch(`${stack.http}/v1/workspaces/${name}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${stack.credentials.default.admin_key ?? ''}` },
    body: '{}',
  });
  const { credentials } = (await response.json()) as {
    credentials: { site_id: string; api_key: string; write_key: string; app_key: string };
  };
  const auth = authorizationsOf(credentials);
  // A client puts people into a segment that it made before.
  const segment = await fetch(`${stack.http}/v1/definitions/segments/7`, {
    method: 'PUT',
    headers: { authorization: auth.app },
    body: JSON.stringify({ name: 'By hand', type: 'manual' }),
  });
  expect(segment.status).toBe(200);
  return { name, auth, writeKey: credentials.write_key };
}

async function settled(): Promise<void> {
  let report = '';
  for (let attempt = 0; attempt < 20; attempt++) {
    const answer = await fetch(`${stack.http}/health/settled`);
    if (answer.status === 200) return;
    report = await answer.text();
  }
  throw new Error(`not settled: ${report}`);
}

async function rows<Row>(query: string, workspace: string): Promise<readonly Row[]> {
  const result = await clickhouse.query({ query, query_params: { workspace }, format: 'JSONEachRow' });
  return await result.json<Row>();
}

/** Every event, whoever has it now; people who were deleted later included, which the views leave out. */
const EVENTS = `
  SELECT type || ' ' || ifNull(name, '') AS what, message_id FROM (
    SELECT type, name, message_id FROM stored_merged WHERE workspace = {workspace:String}
    UNION ALL
    SELECT type, name, message_id FROM anonymous_events WHERE workspace = {workspace:String}
  ) ORDER BY what, message_id`;

type Requests = (writeKey: string) => readonly RecordedRequest[];
const clients: readonly (readonly [string, Requests])[] = [
  ...recordedClients.map((client) => [client, () => readRecorded(client)] as const),
  ...senders.map(
    (sender) => [sender, (writeKey: string) => readShaped(sender, { writeKey, now: new Date() })] as const,
  ),
];

/** What was sent for one client, and what came back. */
class Replayed {
  readonly #name: string;
  readonly recorded: readonly RecordedRequest[];
  readonly answers: (readonly [route: string, answer: Awaited<ReturnType<typeof replay>>])[] = [];
  /** By message id; read before somebody is deleted, since the sink takes their rows off the disk when it will. */
  readonly found = new Map<string, string>();

  private constructor(name: string, recorded: readonly RecordedRequest[]) {
    this.#name = name;
    this.recorded = recorded;
  }

  static async of(client: string, read: Requests): Promise<Replayed> {
    const { name, auth, writeKey } = await freshWorkspace(client);
    const replayed = new Replayed(name, read(writeKey));
    for (const each of replayed.recorded) {
      if (READS.has(routeOf(each))) await settled();
      if (isDeletion(each)) await replayed.gather();
      replayed.answers.push([routeOf(each), await replay(stack.http, each, auth)]);
    }
    await replayed.gather();
    return replayed;
  }

  async gather(): Promise<void> {
    await settled();
    const kept = await rows<{ what: string; message_id: string }>(EVENTS, this.#name);
    expect(new Set(kept.map(({ message_id }) => message_id)).size).toBe(kept.length);
    for (const { what, message_id: id } of kept) this.found.set(id, what);
  }

  async repeats(): Promise<readonly string[]> {
    const dropped = await rows<{ message_id: string }>(
      `SELECT message_id FROM dropped WHERE workspace = {workspace:String} AND reason = 'duplicate_message'`,
      this.#name,
    );
    return dropped.map(({ message_id }) => message_id).sort();
  }
}

/** All at once: none waits until what others sent is settled. */
const replayed = new Map<string, Replayed>();
beforeAll(async () => {
  const all = clients.map(async ([client, read]) => replayed.set(client, await Replayed.of(client, read)));
  await Promise.all(all);
}, replayMsMax);

describe.each(clients)('%s', (client) => {
  const sent = (): Replayed => {
    const found = replayed.get(client);
    assert(found !== undefined, 'each was replayed before');
    return found;
  };

  test('every request to what is built is answered as the spec says, and any other 404', () => {
    expect(sent().answers.length).toBeGreaterThan(0);
    for (const [route, { status, text, headers }] of sent().answers) {
      const told = { route, status, text };
      expect(headers['access-control-allow-origin']).toBe('*');
      if (READS.has(route)) {
        expect(told).toMatchObject({ status: 200 });
        expect(JSON.parse(text)).toHaveProperty(READS.get(route) ?? '');
      } else if (NOT_BUILT.has(route)) {
        expect(told).toMatchObject({ status: 404 });
        expect(JSON.parse(text)).toHaveProperty('meta.error');
      } else if (route === 'GET /api/v1/accounts/region') {
        expect(told).toMatchObject({ status: 200 });
        expect(JSON.parse(text)).toMatchObject({ region: 'us' });
      } else if (route === 'POST /api/v1/forms/{}/submit') {
        expect(told).toEqual({ route, status: 204, text: '' });
      } else {
        expect(told).toEqual({ route, status: 200, text: '{}\n' });
        expect(headers['content-length']).toBe('3');
      }
    }
  });

  test('its events are in ClickHouse once, and repeats in dropped (E rows 6, 39)', async () => {
    const { recorded, found } = sent();
    const { first, repeats } = split(
      recorded.filter((each) => !NOT_BUILT.has(routeOf(each))).flatMap(eventsIn),
    );
    expect([...found.values()].sort()).toEqual(first.map(({ what }) => what).sort());
    const ids = first.flatMap(({ messageId }) => messageId ?? []);
    expect([...found.keys()]).toEqual(expect.arrayContaining(ids));
    expect(await sent().repeats()).toEqual(repeats.sort());
  });
});
