/** Nothing that a reader asks keeps the engine's process from answering others, not even before its first row. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEngineProcess, type EngineProcess } from './engine-process.ts';
import { STREAMED } from './execute.ts';
import { limits } from './limits.ts';

let folder: string;
let engine: EngineProcess;

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(sql: string, who: 'owner' | 'reader', query = '', signal?: AbortSignal): Promise<Answer> {
  const [user, password] =
    who === 'owner' ? [engine.username, engine.password] : [engine.reader, engine.readerPassword];
  const answer = await fetch(`${engine.url}/?${query}`, {
    method: 'POST',
    body: sql,
    headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
    ...(signal && { signal }),
  });
  return { status: answer.status, text: await answer.text() };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hindsight-reader-threads-'));
  engine = await startEngineProcess({ folder: join(folder, 'data'), port: await freePort() });
  await ask('CREATE DATABASE shop', 'owner');
  await ask('CREATE TABLE shop.written (n UInt64) ENGINE = MergeTree ORDER BY n', 'owner');
});
afterAll(async () => {
  await engine.kill();
  await rm(folder, { recursive: true, force: true });
});

/** The engine works it out before it has a plan: the first row is far. */
const BEFORE_THE_FIRST_ROW = 'SELECT (SELECT count() FROM numbers(1000000000000) WHERE sin(number) > 2)';
/** In one call of one function, which no limit ends: some seconds long. */
const OF_CONSTANTS = 'SELECT arraySum(arraySort(x -> cityHash64(x), range(15000000)))';

describe('while readers ask what takes long before its first row', () => {
  test.each([...STREAMED, 'JSON'])('others are answered: %s', async (format) => {
    let ended = 0;
    const asked = Array.from({ length: limits.readersRunningMax }, () =>
      ask(`${BEFORE_THE_FIRST_ROW} FORMAT ${format}`, 'reader', 'max_execution_time=2').finally(
        () => (ended += 1),
      ),
    );
    for (let n = 0; n < 5; n++) {
      expect((await fetch(`${engine.url}/ping`)).status).toBe(200);
      expect((await ask(`INSERT INTO shop.written VALUES (${String(n)})`, 'owner')).status).toBe(200);
    }
    expect(ended).toBe(0);
    for (const { text } of await Promise.all(asked)) expect(text).toContain('Code: 159');
  });

  test('others are answered when it is one call of one function', async () => {
    let ended = 0;
    const asked = Array.from({ length: limits.readersRunningMax }, () =>
      ask(OF_CONSTANTS, 'reader').finally(() => (ended += 1)),
    );
    for (let n = 0; n < 5; n++) {
      expect((await fetch(`${engine.url}/ping`)).status).toBe(200);
      expect((await ask(`INSERT INTO shop.written VALUES (${String(n)})`, 'owner')).status).toBe(200);
    }
    expect(ended).toBe(0);
    await Promise.all(asked);
  });
});

test('a reader that leaves in the midst of its answer leaves a thread for the next', async () => {
  for (let n = 0; n < limits.readersRunningMax * 3; n++) {
    const left = new AbortController();
    const response = await fetch(`${engine.url}/?query=SELECT+number+FROM+numbers(100000000000)`, {
      headers: {
        authorization: `Basic ${Buffer.from(`${engine.reader}:${engine.readerPassword}`).toString('base64')}`,
      },
      signal: left.signal,
    });
    expect((await response.body?.getReader().read())?.done).toBe(false);
    left.abort();
  }
  expect(await ask('SELECT 1', 'reader')).toEqual({ status: 200, text: '1\n' });
  const rows = (await ask('SELECT number FROM numbers(300000)', 'reader')).text.trimEnd().split('\n');
  expect([rows.length, rows.at(-1)]).toEqual([300_000, '299999']);
});
