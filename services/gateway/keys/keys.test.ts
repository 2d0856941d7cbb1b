/** Keys over HTTP, on a ring without a topic: who may do what, and what is shown when. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { keyChange } from '../../../schemas/key-change.ts';
import { toWorkspace } from '../../../schemas/ids.ts';
import type { KeyChange } from '../../../schemas/records.ts';
import {
  adminKey,
  appKey,
  browserKey,
  testServer,
  trackAuth,
  workspace,
  writeKey,
  type TestServer,
} from '../../testing/gateway-server.ts';
import { memoryKeys } from '../../testing/memory-keys.ts';
import { KeyRing } from './key-ring.ts';
import { activeKeysMax, endedKeysMax, keysMadeADayMax, usePauseMs } from './keys.ts';
import { digestOf, keyIdOf } from './secrets.ts';

interface Shown {
  readonly id: string;
  readonly kind: string;
  readonly active: boolean;
}
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: {
    readonly key: Shown;
    readonly keys: readonly Shown[];
    readonly credentials: Readonly<Record<string, string>>;
    readonly replaces: Shown;
    readonly errors: readonly { readonly code: string }[];
  };
}

let under: TestServer;
let nowMs: number;
beforeEach(() => {
  nowMs = 1_800_000_000_000;
  const of = { workspace, siteId: null };
  const { keys } = memoryKeys({
    now: () => nowMs,
    fromFile: [
      { kind: 'app', secret: appKey, ...of },
      { kind: 'server', secret: writeKey, ...of },
      { kind: 'browser', secret: browserKey, ...of },
      { kind: 'app', secret: 'other_app', workspace: toWorkspace('other'), siteId: null },
      { kind: 'admin', secret: adminKey, workspace: null, siteId: null },
    ],
  });
  under = testServer({ keys });
});
afterEach(() => under.server.close());

async function ask(method: 'GET' | 'POST' | 'DELETE', url: string, key: string, payload?: object) {
  const answer = await under.server.inject({
    method,
    url,
    headers: { authorization: `Bearer ${key}` },
    ...(payload !== undefined && { payload }),
  });
  return { status: answer.statusCode, text: answer.body, body: answer.json() } as Answer;
}
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
async function statusOf(authorization: string, method: 'POST' | 'GET', url: string): Promise<number> {
  const payload = { event: 'x', anonymousId: 'a' };
  const body = method === 'GET' ? {} : { payload };
  return (await under.server.inject({ method, url, headers: { authorization }, ...body })).statusCode;
}
const make = (kind: string, key = appKey, query = '') =>
  ask('POST', `/v1/keys${query}`, key, { kind, name: `${kind} of a test` });

describe('keys are made, listed, rotated and revoked', () => {
  test('each kind opens its own doors and no other', async () => {
    const opens = async ({ site_id: site, api_key: api, ...rest }: Record<string, string>) => {
      const secret = Object.values(rest)[0] ?? '';
      return [
        await statusOf(basic(`${site ?? secret}:${api ?? secret}`), 'GET', '/auth'),
        await statusOf(basic(`${secret}:`), 'POST', '/v1/track'),
        await statusOf(`Bearer ${secret}`, 'GET', '/v1/definitions/segments'),
        await statusOf(`Bearer ${secret}`, 'GET', '/v1/keys'),
        await statusOf(`Bearer ${secret}`, 'GET', '/v1/workspaces/other'),
      ];
    };
    for (const [kind, statuses] of [
      ['track', [200, 401, 401, 401, 401]],
      ['browser', [401, 200, 401, 401, 401]],
      ['server', [401, 200, 401, 401, 401]],
      ['app', [401, 401, 200, 200, 401]],
    ] as const) {
      const { credentials } = (await make(kind)).body;
      expect([kind, await opens(credentials)]).toEqual([kind, statuses]);
    }
    const admin = (await make('admin', adminKey)).body.credentials;
    expect(await opens(admin)).toEqual([401, 401, 401, 200, 200]);
  });

  test('a secret is shown once, and a list says who made what and when it was last used', async () => {
    const { key, credentials } = (await make('server')).body;
    const { write_key: secret = '' } = credentials;
    expect(await statusOf(basic(`${secret}:`), 'POST', '/v1/track')).toBe(200);
    const list = await ask('GET', '/v1/keys', appKey);
    expect(list.text).not.toContain(secret);
    expect(list.body.keys.find(({ id }) => id === key.id)).toEqual({
      id: key.id,
      kind: 'server',
      workspace: 'shop',
      name: 'server of a test',
      site_id: null,
      active: true,
      created_at: new Date(nowMs).toISOString(),
      last_used_at: new Date(nowMs).toISOString(),
      expires_at: null,
      revoked_at: null,
    });
  });

  test('a key that is rotated works on beside the new one until its time is up', async () => {
    const made = (await make('track')).body;
    const rotated = await ask('POST', `/v1/keys/${made.key.id}/rotate`, appKey, { old_valid_s: 60 });
    const auth = ({ site_id: site = '', api_key: api = '' }: Record<string, string>) =>
      statusOf(basic(`${site}:${api}`), 'GET', '/auth');
    const both = () => Promise.all([auth(made.credentials), auth(rotated.body.credentials)]);
    expect(rotated.body).toMatchObject({
      key: { kind: 'track', name: 'track of a test' },
      replaces: { id: made.key.id, expires_at: new Date(nowMs + 60_000).toISOString() },
    });
    expect(await both()).toEqual([200, 200]);
    nowMs += 60_000;
    expect(await both()).toEqual([401, 200]);
    // Its site id stands in every page that asks for messages.
    expect(rotated.body.credentials['site_id']).toBe(made.credentials['site_id']);
    expect(rotated.body.credentials['api_key']).not.toBe(made.credentials['api_key']);
    expect(await ask('POST', `/v1/keys/${made.key.id}/rotate`, appKey)).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'key_ended' }] },
    });
  });

  test('a key that is revoked opens nothing from then on, also one of credentials.json', async () => {
    const listed = (await ask('GET', '/v1/keys', appKey)).body.keys;
    const server = listed.find(({ kind }) => kind === 'server');
    expect(await ask('DELETE', `/v1/keys/${server?.id ?? ''}`, appKey)).toMatchObject({
      status: 200,
      body: { key: { active: false } },
    });
    expect(await statusOf(basic(`${writeKey}:`), 'POST', '/v1/track')).toBe(401);
  });

  describe('one of credentials.json', () => {
    const old = { kind: 'server', secret: writeKey, workspace, siteId: null } as const;
    /** A start: what is on the topic, then what stands in the file. */
    const started = (written: readonly KeyChange[], inFile: boolean): KeyRing => {
      const ring = new KeyRing();
      for (const change of written) ring.apply(change);
      if (inFile) ring.addFromFile(old);
      return ring;
    };
    const of = { kind: 'server', name: 'k', by: '' } as const;
    const idOf = (keys: { list: (of: typeof workspace) => readonly Shown[] }) =>
      keys.list(workspace)[0]?.id ?? '';

    test('that is rotated works on after a start, until its time is up, and is known to have ended', async () => {
      const { keys, written } = memoryKeys({ now: () => nowMs, fromFile: [old] });
      await keys.rotate(idOf(keys), 60_000, '');
      const ring = started(written, false);
      expect(ring.find('write', writeKey, nowMs + 59_999)?.workspace).toBe(workspace);
      expect(ring.find('write', writeKey, nowMs + 60_000)).toBeUndefined();
      expect(ring.shown('write', writeKey, nowMs + 60_000)).toMatchObject({ active: false });
    });

    test('that is revoked stays so, where it still stands and where it does not, however many end after it', async () => {
      const { keys, written } = memoryKeys({ now: () => nowMs, fromFile: [old] });
      await keys.revoke(idOf(keys), '');
      for (let ended = 0; ended < endedKeysMax + 5; ended++) {
        const made = await keys.make({ ...of, workspace });
        if (typeof made === 'object') await keys.revoke(made.key.id, '');
      }
      expect(written.filter(({ change }) => change === 'forgotten')).toHaveLength(5);
      for (const inFile of [true, false]) {
        const ring = started(written, inFile);
        expect(ring.find('write', writeKey, nowMs)).toBeUndefined();
        expect(ring.shown('write', writeKey, nowMs)).toMatchObject({ active: false });
      }
    });
  });

  test('the last admin key is not revoked', async () => {
    const [first] = (await ask('GET', '/v1/keys', adminKey)).body.keys;
    const refuse = { status: 400, body: { errors: [{ code: 'last_admin_key' }] } };
    expect(await ask('DELETE', `/v1/keys/${first?.id ?? ''}`, adminKey)).toMatchObject(refuse);
    await make('admin', adminKey);
    expect((await ask('DELETE', `/v1/keys/${first?.id ?? ''}`, adminKey)).status).toBe(200);
  });
});

describe('whose keys they are', () => {
  test('a key of another workspace is as one that does not exist', async () => {
    const { key } = (await make('server')).body;
    for (const [method, url] of [
      ['POST', `/v1/keys/${key.id}/rotate`],
      ['DELETE', `/v1/keys/${key.id}`],
    ] as const) {
      const other = await ask(method, url, 'other_app');
      const nobodys = await ask(method, url.replace(key.id, 'key_0'), 'other_app');
      expect(other.status).toBe(404);
      expect(other.text.replace(key.id, 'key_0')).toBe(nobodys.text);
    }
    expect((await ask('GET', '/v1/keys?workspace=shop', 'other_app')).status).toBe(401);
    expect((await make('server', 'other_app', '?workspace=shop')).status).toBe(401);
    const listed = (await ask('GET', '/v1/keys', 'other_app')).body.keys;
    expect(listed.map(({ kind }) => kind)).toEqual(['app']);
  });

  test('the admin has those of each workspace and of the installation; an app key makes no admin key', async () => {
    expect((await ask('GET', '/v1/keys?workspace=other', adminKey)).body.keys).toHaveLength(1);
    expect((await ask('GET', '/v1/keys', adminKey)).body.keys.map(({ kind }) => kind)).toEqual(['admin']);
    expect((await make('server', adminKey, '?workspace=other')).status).toBe(200);
    expect((await make('server', adminKey, '?workspace=nowhere')).status).toBe(404);
    for (const [kind, key, query] of [
      ['admin', appKey, ''],
      ['server', adminKey, ''],
      ['admin', adminKey, '?workspace=shop'],
    ] as const) {
      expect(await make(kind, key, query)).toMatchObject({
        status: 400,
        body: { errors: [{ code: 'wrong_owner' }] },
      });
    }
  });

  test('no write key, no track key and no key at all opens it', async () => {
    for (const authorization of [
      basic(`${writeKey}:`),
      trackAuth,
      `Bearer ${writeKey}`,
      `Bearer ${browserKey}`,
    ]) {
      for (const [method, url] of [
        ['GET', '/v1/keys'],
        ['POST', '/v1/keys'],
        ['POST', '/v1/keys/key_0/rotate'],
      ] as const) {
        expect([url, await statusOf(authorization, method, url)]).toEqual([url, 401]);
      }
    }
  });
});

describe('bounds', () => {
  test('a workspace has so many keys that work, and so many that have ended are listed', async () => {
    for (let count = 2; count <= activeKeysMax + 1; count++) {
      const { status, body } = await make('server');
      // Three of the workspace stand in the file.
      if (count + 2 <= activeKeysMax) expect(status).toBe(200);
      else expect(body).toMatchObject({ errors: [{ code: 'too_many' }] });
    }
    for (let count = 0; count < endedKeysMax + 20; count++) {
      const listed = (await ask('GET', '/v1/keys', appKey)).body.keys;
      const last = listed.filter(({ kind, active }) => kind === 'server' && active).at(-1);
      await ask('DELETE', `/v1/keys/${last?.id ?? ''}`, appKey);
      expect((await make('server')).status).toBe(200);
    }
    const listed = (await ask('GET', '/v1/keys', appKey)).body.keys;
    expect(listed.filter(({ active }) => active)).toHaveLength(activeKeysMax);
    expect(listed.filter(({ active }) => !active)).toHaveLength(endedKeysMax);
  });

  test('however often one key is rotated, no more work than twice as many as may be made', async () => {
    const { key } = (await make('server')).body;
    for (let count = 0; count < 2 * activeKeysMax + 20; count++) {
      const { status, body } = await ask('POST', `/v1/keys/${key.id}/rotate`, appKey, {
        old_valid_s: 86_400,
      });
      if (status !== 200) expect(body.errors).toMatchObject([{ code: 'too_many' }]);
    }
    const listed = (await ask('GET', '/v1/keys', appKey)).body.keys;
    expect(listed.filter(({ active }) => active)).toHaveLength(2 * activeKeysMax);
  });

  test('a workspace makes so many a day, whatever becomes of them', async () => {
    const { keys } = memoryKeys({ now: () => nowMs, fromFile: [] });
    const of = { kind: 'server', name: 'k', by: '' } as const;
    const first = await keys.make({ ...of, workspace });
    let id = typeof first === 'string' ? '' : first.key.id;
    for (let made = 1; made < keysMadeADayMax; made++) {
      const rotated = await keys.rotate(id, 0, '');
      if (typeof rotated !== 'object') throw new Error(`${String(made)} were made: ${String(rotated)}`);
      ({ id } = rotated.key);
    }
    expect(await keys.rotate(id, 0, '')).toBe('too_many_today');
    expect(await keys.make({ ...of, workspace })).toBe('too_many_today');
    expect(await keys.make({ ...of, workspace: toWorkspace('other') })).toMatchObject({
      key: { active: true },
    });
    nowMs += 86_400_000;
    expect(await keys.make({ ...of, workspace })).toMatchObject({ key: { active: true } });
  });

  test('the use of a key is written once an hour at most', () => {
    const { keys, written } = memoryKeys({
      now: () => nowMs,
      fromFile: [{ kind: 'server', secret: writeKey, workspace, siteId: null }],
    });
    for (let count = 0; count < 100; count++) keys.find('write', writeKey);
    keys.find('write', 'nobody');
    expect(written.map(({ change }) => change)).toEqual(['used']);
    nowMs += usePauseMs - 1;
    keys.find('write', writeKey);
    expect(written).toHaveLength(1);
    nowMs += 1;
    keys.find('write', writeKey);
    expect(written).toHaveLength(2);
  });
});

describe('changes of a key', () => {
  const digest = digestOf('write', 'secret');
  const id = keyIdOf(digest);
  const made = keyChange({ key_id: id, change: 'made', at: 1, workspace: 'shop', kind: 'server', digest });
  const ends = fc.record({
    change: fc.constantFrom('expires' as const, 'revoked' as const),
    at: fc.integer({ min: 2, max: 9 }),
  });
  const uses = fc.record({ change: fc.constant('used' as const), at: fc.integer({ min: 2, max: 9 }) });

  test('come to the same in whatever order two gateways wrote them, and no use brings a key back', () => {
    const changes = fc.array(fc.oneof(ends, uses), { maxLength: 8 });
    fc.assert(
      fc.property(changes, fc.infiniteStream(fc.nat()), (list, order) => {
        const records = list.map((change): KeyChange => keyChange({ key_id: id, ...change }));
        const shuffled = records
          .map((record) => [order.next().value as number, record] as const)
          .sort(([a], [b]) => a - b)
          .map(([, record]) => record);
        const rings = [records, shuffled].map((some) => {
          const ring = new KeyRing();
          for (const record of [made, ...some]) ring.apply(record);
          return ring;
        });
        const revoked = list.some(({ change }) => change === 'revoked');
        const expires = list.filter(({ change }) => change === 'expires').map(({ at }) => at);
        for (const now of [1, 5, 10]) {
          const works = !revoked && now < Math.min(Infinity, ...expires);
          expect(rings.map((ring) => ring.find('write', 'secret', now) !== undefined)).toEqual([
            works,
            works,
          ]);
        }
      }),
    );
  });
});
