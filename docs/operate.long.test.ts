/**
 * The blocks of operate.md, run as they stand there on an installation of its own: a backup, restored and started, is
 * compared with what it was made of, row for row; and what waited before it is claimed after it.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from '@clickhouse/client';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOwnInstallation, type OwnInstallation } from '../scripts/chaos/own-installation.ts';
import { findInstallation, waitUntilSettled } from '../scripts/sample/installation.ts';
import { applyRules } from '../scripts/sample/rules.ts';
import { play, Shop } from '../scripts/sample/send.ts';
import { makeStorefront } from '../scripts/sample/storefront.ts';
import { eventually } from '../services/testing/eventually.ts';
import { analystViews } from '../services/sink/schema/dictionary/views.ts';

const minuteMs = 60_000;
/** The page says to leave these out of what is restored. */
const notOfACopy = ['run', 'launcher.lock', 'processes.json', 'endpoints.json', 'spool/owner.json'];
const page = readFileSync(new URL('./operate.md', import.meta.url), 'utf8');
/** Where somebody has the product; `.hindsight` is in it. */
const checkout = mkdtempSync(join(tmpdir(), 'hindsight-operate-'));
const elsewhere = mkdtempSync(join(tmpdir(), 'hindsight-restored-'));
let running: OwnInstallation | undefined;
let restored: OwnInstallation | undefined;

const start = (folder: string): Promise<OwnInstallation> =>
  startOwnInstallation({ HINDSIGHT_DATA: join(folder, '.hindsight') });

function runBlock(name: string, cwd: string): string {
  const script = new RegExp(`^\`\`\`sh ${name}\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';
  expect([name, script.length > 20]).toEqual([name, true]);
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

/** Everything that analysts may read. */
async function everything(folder: string): Promise<Readonly<Record<string, unknown>>> {
  await waitUntilSettled(dataOf(folder), 2 * minuteMs);
  const plain = analystViews.filter(({ argument }) => argument === undefined);
  const tables: Record<string, unknown> = {};
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

/**
 * As a file system does that makes snapshots of itself: all of one moment, while calls are on their way. Processes sleep
 * until this one has the copy, and go on.
 */
function copyOfOneMoment(from: string, to: string): void {
  const file = join(from, '.hindsight', 'processes.json');
  const running = Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>);
  for (const pid of running) process.kill(pid, 'SIGSTOP');
  const { status, stderr } = spawnSync('cp', ['-a', '--sparse=always', join(from, '.hindsight'), to], {
    encoding: 'utf8',
  });
  for (const pid of running) process.kill(pid, 'SIGCONT');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const name of notOfACopy) rmSync(join(to, '.hindsight', name), { recursive: true, force: true });
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

beforeAll(async () => {
  mkdirSync(join(checkout, '.hindsight'), { mode: 0o700 });
  running = await start(checkout);
  await applyRules(dataOf(checkout));
  await playVisitors(checkout, 'before', 30);
  await send(checkout, 'track', { anonymousId: 'patient', event: 'Waited', messageId: 'waited-1' });
}, 5 * minuteMs);
afterAll(async () => {
  await restored?.stop();
  await running?.stop();
  for (const folder of [checkout, elsewhere]) rmSync(folder, { recursive: true, force: true });
}, 3 * minuteMs);

test('health and status answer as the page asks them', () => {
  expect(runBlock('health', checkout)).toContain('"ready":true');
  expect(runBlock('status', checkout)).toContain('"tasks"');
  const made = runBlock('snapshot', checkout);
  expect(made.length).toBeGreaterThan(0);
  expect(existsSync(join(checkout, '.hindsight', 'snapshots', 'merger'))).toBe(true);
});

test(
  'a copy of one moment, made while calls come, has what was acknowledged before it, once and in order; the original goes on',
  async () => {
    const clicks = keepSending(checkout);
    await eventually(() => clicks.acknowledged.length >= 50);
    const before = [...clicks.acknowledged];
    copyOfOneMoment(checkout, elsewhere);
    await eventually(() => clicks.acknowledged.length >= before.length + 50);
    await clicks.stop();
    const all = [...clicks.acknowledged];
    expect(await clicksOf(checkout)).toEqual(all);
    await running?.stop();
    restored = await start(elsewhere);
    const found = await clicksOf(elsewhere);
    expect(found.slice(0, before.length)).toEqual(before);
    expect(found).toEqual(all.slice(0, found.length));
    await restored.stop();
    restored = undefined;
    running = await start(checkout);
  },
  15 * minuteMs,
);

test(
  'a cold backup, restored, is equal in every view, and goes on',
  async () => {
    const original = await everything(checkout);
    expect((original['events'] as unknown[]).length).toBeGreaterThan(100);
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
      (original['events'] as unknown[]).length,
    );
    // What waited before the backup is claimed after it.
    await send(elsewhere, 'identify', { anonymousId: 'patient', userId: 'p-1' });
    await waitUntilSettled(dataOf(elsewhere), 2 * minuteMs);
    const waited = "SELECT name, previously_anonymous FROM events WHERE message_id = 'waited-1'";
    expect(await rows(elsewhere, waited)).toEqual([{ name: 'Waited', previously_anonymous: true }]);
  },
  10 * minuteMs,
);
