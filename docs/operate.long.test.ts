/**
 * The blocks of operate.md, run as they stand there on an installation of its own: a backup, restored and started, is
 * compared with what it was made of, row for row; and what waited before it is claimed after it.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from '@clickhouse/client';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startOwnInstallation, type OwnInstallation } from '../scripts/chaos/own-installation.ts';
import { findInstallation, waitUntilSettled } from '../scripts/sample/installation.ts';
import { applyRules } from '../scripts/sample/rules.ts';
import { play, Shop } from '../scripts/sample/send.ts';
import { makeStorefront } from '../scripts/sample/storefront.ts';
import { eventually } from '../services/testing/eventually.ts';
import { analystViews } from '../services/sink/schema/dictionary/views.ts';

const minuteMs = 60_000;
const page = readFileSync(new URL('./operate.md', import.meta.url), 'utf8');
/** Where somebody has the product; `.hindsight` is in it. */
const place = mkdtempSync(join(tmpdir(), 'hindsight-operate-'));
const checkout = join(place, 'checkout');
const elsewhere = mkdtempSync(join(tmpdir(), 'hindsight-restored-'));
let running: OwnInstallation | undefined;
let restored: OwnInstallation | undefined;

const start = (folder: string): Promise<OwnInstallation> =>
  startOwnInstallation({ HINDSIGHT_DATA: join(folder, '.hindsight') });

function runBlock(name: string, cwd: string): string {
  const script = new RegExp(`^\`\`\`sh ${name}\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';
  expect([name, script.length > 10]).toEqual([name, true]);
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], { cwd, encoding: 'utf8' });
  expect({ name, status, stderr }).toMatchObject({ status: 0 });
  return stdout;
}

const dataOf = (folder: string) => findInstallation(join(folder, '.hindsight'), 'sample');

async function playVisitors(folder: string, run: string, visitors: number): Promise<void> {
  const shop = new Shop(dataOf(folder));
  await play(shop, makeStorefront({ seed: 3, visitors, now: Date.now(), run }));
  await shop.close();
}

async function rows(folder: string, sql: string): Promise<unknown[]> {
  const client = createClient({ url: dataOf(folder).clickhouse, database: 'hindsight' });
  const found = await (await client.query({ query: sql, format: 'JSONEachRow' })).json();
  await client.close();
  return found;
}

type Tables = Readonly<Record<string, readonly unknown[]>>;

/** Without rows of the visitor who clicks while the backup is made, of whom each side has as much as it has. */
const othersOf = (tables: Tables): Tables =>
  Object.fromEntries(
    Object.entries(tables).map(([name, found]) => [
      name,
      found.filter((row) => !JSON.stringify(row).includes('steady')),
    ]),
  );

/** Everything that analysts may read. */
async function everything(folder: string): Promise<Tables> {
  await waitUntilSettled(dataOf(folder), 2 * minuteMs);
  const plain = analystViews.filter(({ argument }) => argument === undefined);
  const tables: Record<string, unknown[]> = {};
  for (const { name } of plain) tables[name] = await rows(folder, `SELECT * FROM ${name} ORDER BY ALL`);
  return tables;
}

async function send(folder: string, path: string, body: object): Promise<void> {
  const { http, keys } = dataOf(folder);
  const answer = await fetch(`${http}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${keys.write_key}:`).toString('base64')}` },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(2 * minuteMs),
  });
  expect(answer.status).toBe(200);
}

/** One event after the other until it is told to stop; message ids as they are acknowledged. */
function keepSending(folder: string) {
  const acknowledged: string[] = [];
  const over = new AbortController();
  const { signal } = over;
  const sending = (async () => {
    for (let number = 0; !signal.aborted; number += 1) {
      const messageId = `steady-${String(number)}`;
      await send(folder, 'track', { anonymousId: 'steady', event: 'Clicked', messageId });
      acknowledged.push(messageId);
      await sleep(5);
    }
  })();
  const stop = async (): Promise<void> => {
    over.abort();
    await sending;
  };
  return { acknowledged, stop };
}

const clicksOf = async (folder: string): Promise<string[]> => {
  await waitUntilSettled(dataOf(folder), 4 * minuteMs);
  const found = await rows(
    folder,
    "SELECT message_id FROM anonymous_events WHERE anonymous_id = 'steady' ORDER BY _partition, _offset",
  );
  return found.map((row) => (row as { message_id: string }).message_id);
};

/** What the App API tells of each. */
async function definitionsOf(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const { http, keys } = dataOf(folder);
  const kinds = ['segments', 'journeys', 'messages'];
  const told = kinds.map(async (kind) => {
    const answer = await fetch(`${http}/v1/definitions/${kind}`, {
      headers: { authorization: `Bearer ${keys.app_key}` },
    });
    expect(answer.status).toBe(200);
    return [kind, await answer.json()] as const;
  });
  return Object.fromEntries(await Promise.all(told));
}

beforeAll(async () => {
  mkdirSync(join(checkout, '.hindsight'), { recursive: true, mode: 0o700 });
  // The commands of the page, given in the folder in which somebody has the product.
  const backup = `exec node '${fileURLToPath(new URL('../scripts/run.mjs', import.meta.url))}' backup`;
  writeFileSync(join(checkout, 'package.json'), JSON.stringify({ scripts: { backup } }));
  running = await start(checkout);
  await applyRules(dataOf(checkout));
  await playVisitors(checkout, 'before', 30);
  await send(checkout, 'track', { anonymousId: 'patient', event: 'Waited', messageId: 'waited-1' });
}, 5 * minuteMs);
afterAll(async () => {
  await restored?.stop();
  await running?.stop();
  for (const folder of [place, elsewhere]) rmSync(folder, { recursive: true, force: true });
}, 3 * minuteMs);

test('health, status, analysts and the disk answer as the page asks them', () => {
  expect(runBlock('health', checkout)).toContain('"ready":true');
  expect(runBlock('status', checkout)).toContain('"tasks"');
  expect(runBlock('analyst', checkout)).toMatch(/^newest_event_s\n\d+\n$/m);
  expect(runBlock('disk', checkout)).toMatch(/ \d+% /);
  const made = runBlock('snapshot', checkout);
  expect(made.length).toBeGreaterThan(0);
  expect(existsSync(join(checkout, '.hindsight', 'snapshots', 'merger'))).toBe(true);
});

test(
  'a backup of what runs, made while calls come, has all that was acknowledged before it, row for row; the original goes on',
  async () => {
    const original = othersOf(await everything(checkout));
    const definitions = await definitionsOf(checkout);
    expect(Object.keys(definitions).length).toBeGreaterThan(1);
    for (const view of ['people', 'segment_memberships', 'events']) {
      expect([view, (original[view]?.length ?? 0) > 10]).toEqual([view, true]);
    }
    const clicks = keepSending(checkout);
    await eventually(() => clicks.acknowledged.length >= 50);
    const before = [...clicks.acknowledged];
    expect(runBlock('backup', checkout)).toMatch(/stood still for \d+\.\d\d s/);
    await eventually(() => clicks.acknowledged.length >= before.length + 50);
    await clicks.stop();
    const all = [...clicks.acknowledged];
    expect(await clicksOf(checkout)).toEqual(all);
    // Whoever restores has nothing of the original any more.
    await running?.stop();
    rmSync(join(checkout, '.hindsight'), { recursive: true, force: true });
    running = undefined;
    runBlock('restore-copy', checkout);
    running = await start(checkout);
    const found = await clicksOf(checkout);
    expect(found.slice(0, before.length)).toEqual(before);
    expect(found).toEqual(all.slice(0, found.length));
    expect(othersOf(await everything(checkout))).toEqual(original);
    expect(await definitionsOf(checkout)).toEqual(definitions);
  },
  15 * minuteMs,
);

test(
  'a cold backup, restored, is equal in every view, and goes on',
  async () => {
    const original = await everything(checkout);
    expect(original['events']?.length ?? 0).toBeGreaterThan(100);
    await running?.stop();
    running = undefined;
    runBlock('cold-backup', checkout);
    rmSync(join(elsewhere, '.hindsight'), { recursive: true, force: true });
    renameSync(join(checkout, 'hindsight-backup.tgz'), join(elsewhere, 'hindsight-backup.tgz'));
    runBlock('restore', elsewhere);
    restored = await start(elsewhere);
    expect(await everything(elsewhere)).toEqual(original);
    await playVisitors(elsewhere, 'after', 10);
    await waitUntilSettled(dataOf(elsewhere), 2 * minuteMs);
    expect((await rows(elsewhere, 'SELECT message_id FROM events')).length).toBeGreaterThan(
      original['events']?.length ?? 0,
    );
    // What waited before the backup is claimed after it.
    await send(elsewhere, 'identify', { anonymousId: 'patient', userId: 'p-1' });
    await waitUntilSettled(dataOf(elsewhere), 2 * minuteMs);
    const waited = "SELECT name, previously_anonymous FROM events WHERE message_id = 'waited-1'";
    expect(await rows(elsewhere, waited)).toEqual([{ name: 'Waited', previously_anonymous: true }]);
  },
  10 * minuteMs,
);
