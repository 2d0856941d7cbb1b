/** Who is asked how far it is: every process that is known, and nobody who has only taken over a port. */
import { afterEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStatusServer, type PartHealth, type StatusServer } from '../runtime/status-server.ts';
import { findStatuses } from './statuses.ts';

const started: { readonly server: StatusServer; readonly dataFolder: string }[] = [];
afterEach(async () => {
  for (const { server, dataFolder } of started.splice(0)) {
    await server.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
});

async function start(
  name: string,
  says: { service: string; definitions_offset: number },
  parts: Readonly<Record<string, PartHealth>> = {},
) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'hindsight-statuses-'));
  const server = await startStatusServer({ name, dataFolder, ready: () => parts, status: () => says });
  started.push({ server, dataFolder });
  return { url: server.url, dataFolder };
}
const nowhere = 'http://127.0.0.1:1';

test('a name that stands several times is that many processes, and one that does not answer has its place', async () => {
  const [first, second] = [
    await start('trigger', { service: 'trigger', definitions_offset: 1 }),
    await start('trigger', { service: 'trigger', definitions_offset: 2 }),
  ];
  const statusUrls = `trigger=${first.url},trigger=${nowhere},merger=${nowhere},trigger=${second.url}`;
  const statuses = findStatuses({ dataFolder: first.dataFolder, statusUrls });
  expect(await statuses.instances('trigger')).toEqual([
    { service: 'trigger', definitions_offset: 1 },
    undefined,
    { service: 'trigger', definitions_offset: 2 },
  ]);
  expect(await statuses.instances('merger')).toEqual([undefined]);
  expect(await statuses.instances('identity')).toEqual([]);
  expect(await statuses.names()).toEqual(['trigger', 'merger']);
});

test('in the folder each service is one process', async () => {
  const { dataFolder } = await start('trigger', { service: 'trigger', definitions_offset: 3 });
  const statuses = findStatuses({ dataFolder, statusUrls: undefined });
  expect(await statuses.instances('trigger')).toEqual([{ service: 'trigger', definitions_offset: 3 }]);
  expect(await statuses.instances('merger')).toEqual([]);
});

test('another service that has got the port of one that left does not answer in its place', async () => {
  const { dataFolder } = await start('trigger', { service: 'sink', definitions_offset: 9 });
  const statuses = findStatuses({ dataFolder, statusUrls: undefined });
  expect(await statuses.instances('trigger')).toEqual([undefined]);
  expect(await statuses.of('trigger')).toBeUndefined();
});

test('of a service that is not ready the parts that are not are named, with what they say', async () => {
  const parts = {
    '0': { ok: true },
    '1': { ok: false, detail: 'replays' },
    '2': { ok: false, detail: 'stands still (state_lost): could not "go on"' },
  };
  const { dataFolder } = await start('trigger', { service: 'trigger', definitions_offset: 1 }, parts);
  const statuses = findStatuses({ dataFolder, statusUrls: undefined });
  expect(await statuses.ready('trigger')).toEqual({
    ok: false,
    detail: '1: replays; 2: stands still (state_lost): could not "go on"',
  });
});
