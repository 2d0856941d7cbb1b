/** What README tells people to paste is run as it stands, against an installation; nothing of it may fail or say nothing. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StackCalls } from '../services/testing/stack-calls.ts';
import { startStack, type Stack } from '../services/testing/stack.ts';

const run = promisify(execFile);
const startMsMax = 300_000;
const pasteMsMax = 300_000;
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
  language,
  text,
}));
const inShell = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);

let stack: Stack;
let folder: string;
beforeAll(async () => {
  stack = await startStack();
  folder = mkdtempSync(join(tmpdir(), 'hindsight-readme-'));
  const { url, user, password, database } = stack.clickhouse;
  const endpoints = { http: stack.http, clickhouse_reader: { url, user, password, database } };
  writeFileSync(join(stack.dataFolder, 'endpoints.json'), JSON.stringify(endpoints));
  symlinkSync(stack.dataFolder, join(folder, '.hindsight'));
  for (const name of ['examples', 'node_modules']) symlinkSync(resolve(name), join(folder, name));
}, startMsMax);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stack.stop();
}, startMsMax);

async function paste(text: string): Promise<string> {
  const { PATH = '' } = process.env;
  const script = text.replaceAll('hindsight.events', `${stack.clickhouse.database}.events`);
  const { stdout } = await run('sh', ['-euc', script], { cwd: folder, env: { PATH }, timeout: pasteMsMax });
  return stdout;
}

test(
  'the script of two clients stands there as it is in the checkout, and tells the story of its visitor',
  async () => {
    const script = readFileSync(new URL('../examples/story.mjs', import.meta.url), 'utf8');
    expect(blocks.filter(({ language }) => language === 'js').map(({ text }) => text)).toEqual([script]);
    const told = await paste(inShell[0] ?? '');
    const lines = told
      .trim()
      .split('\n')
      .map((line) => line.split(' ').slice(1));
    expect(
      lines.filter(([stage]) => stage === 'received').map(([, ...name]) => name.join(' ').trim()),
    ).toEqual(expect.arrayContaining(['Boots', 'Added to Cart']));
    expect(lines.filter(([stage]) => stage === 'merged').length).toBeGreaterThanOrEqual(2);
    expect(told).toMatch(/ claimed .*cio_/);
  },
  startMsMax,
);

test(
  'what is pasted into a shell in one go prints what an analyst sees of it',
  async () => {
    expect(inShell).toHaveLength(2);
    const printed = await paste(inShell[1] ?? '');
    expect(printed).toMatch(/cio_\w{20}[^\n]*Added to Cart[^\n]*true/);
    expect(printed.match(/^\{\}$/gm)).toHaveLength(2);
  },
  startMsMax,
);

test(
  'in strict mode a mistake is 400, as it says, and otherwise it is where it says',
  async () => {
    const calls = new StackCalls(stack);
    const mistake = { anonymousId: 'careless', messageId: 'careless-1' };
    expect((await calls.pipelines('/track', mistake, { strict: true })).status).toBe(400);
    expect(await calls.pipelines('/track', mistake)).toEqual({ status: 200, body: {} });
    expect((await calls.app('GET', '/v1/refusals')).body).toMatchObject({
      refusals: [{ reason: 'invalid_call', last: { message: 'event name must not be blank' } }],
    });
    await calls.settled();
    expect(await calls.rows(`SELECT reason FROM dropped WHERE message_id = 'careless-1'`)).toContainEqual([
      'invalid_call',
    ]);
  },
  startMsMax,
);

test('its commands are scripts of the package', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/(?:^|`)npm (?:run )?(\w[\w:-]*)/gm)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(5);
  const npmsOwn = new Set(['install']); // of a client, in the reader's own project
  expect(named.filter((name) => !(name in scripts) && !npmsOwn.has(name))).toEqual([]);
});
