/** `npm run apply` says where it stores, what runs from then on, and what was likely not meant so. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const run = promisify(execFile);
const testMsMax = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'apply-'));
let put: string[] = [];
const server = createServer((request, response) => {
  if (request.url === '/v1/keys') {
    response.end('{"keys":[{"kind":"app","workspace":"shop"}]}');
    return;
  }
  put.push(request.url ?? '');
  const isJourney = request.url?.includes('/journeys/') === true;
  const answer = isJourney
    ? {
        ...{ version: 1, definition: { state: 'running' } },
        warnings: [
          { pointer: '/trigger', code: 'waiting_forgotten', message: 'the trigger is another' },
          { pointer: '/trigger/event', code: 'event_never_seen', message: 'none has come' },
        ],
      }
    : { version: 3, definition: {} };
  request.resume().on('end', () => response.end(JSON.stringify(answer)));
});

beforeAll(async () => {
  for (const kind of ['segments', 'journeys', 'other']) mkdirSync(join(folder, kind));
  writeFileSync(join(folder, 'segments', 'a.json'), '{}');
  writeFileSync(join(folder, 'journeys', 'b.json'), '{}');
  writeFileSync(join(folder, 'other', 'c.json'), '{}');
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const url = () => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`; // listening on TCP
function apply(...args: readonly string[]) {
  put = [];
  return run(process.execPath, ['scripts/apply.ts', ...args, '--url', url()], {
    env: { ...process.env, NODE_OPTIONS: '', HINDSIGHT_APP_KEY: 'k', HINDSIGHT_DATA: folder },
  });
}
const ofJourney =
  'journeys/b: version 1, running\n  warning: /trigger: the trigger is another (waiting_forgotten)\n  warning: /trigger/event: none has come (event_never_seen)\n';

test(
  'a folder: the workspace first, then each definition with its state and its warnings',
  async () => {
    const { stdout } = await apply(folder, '--workspace', 'shop');
    expect(stdout).toBe(`into the workspace shop of ${url()}:\nsegments/a: version 3\n${ofJourney}`);
  },
  testMsMax,
);

test(
  'a key of another workspace than the one that is named stores nothing',
  async () => {
    await expect(apply(folder, '--workspace', 'other')).rejects.toMatchObject({
      stderr: expect.stringContaining('the app key is of shop, not of other'),
    });
    expect(put).toEqual([]);
  },
  testMsMax,
);

test(
  'one file of it alone, and none of which nobody could say what it is',
  async () => {
    const { stdout } = await apply(join(folder, 'journeys', 'b.json'));
    expect(stdout).toBe(`into the workspace shop of ${url()}:\n${ofJourney}`);
    expect(put).toEqual(['/v1/definitions/journeys/b']);
    await expect(apply(join(folder, 'other', 'c.json'))).rejects.toMatchObject({
      stderr: expect.stringContaining('segments, journeys, messages'),
    });
    expect(put).toEqual([]);
  },
  testMsMax,
);
