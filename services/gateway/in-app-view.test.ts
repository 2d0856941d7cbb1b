/** Polls go together, whoever they are of; what one caller writes into theirs costs those of others nothing. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { toWorkspace } from '../../schemas/ids.ts';
import { startStatusServer, type StatusServer } from '../runtime/status-server.ts';
import { eventually } from '../testing/eventually.ts';
import { InAppAsker, pollsARequestMax, requestsMax, whyLimits } from './in-app-view.ts';

const nothing = { messages: [], pollSeconds: 10, hasNews: false, linkedId: null };
let dataFolder: string;
let service: StatusServer;
let asker: InAppAsker;
/** How many polls each request had. */
let requests: number[];
let open: () => void;
/** Questions that wait for their answer, in the order in which the service read them: two connections, so either may be first. */
let whys: { readonly workspace: unknown; readonly answer: () => void }[];

beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'hindsight-polls-'));
  requests = [];
  whys = [];
  const gate = new Promise<void>((done) => (open = done));
  service = await startStatusServer({
    name: 'in-app',
    dataFolder,
    ready: () => ({}),
    status: () => ({}),
    actions: {
      polls: async (body) => {
        const asked = JSON.parse(body.toString()) as readonly unknown[];
        requests.push(asked.length);
        await gate;
        return asked.map(() => nothing);
      },
      why: (body) => {
        const { workspace } = JSON.parse(body.toString()) as { readonly workspace: unknown };
        return new Promise((done) => whys.push({ workspace, answer: () => done({ outcome: 'show' }) }));
      },
    },
  });
  asker = new InAppAsker({ dataFolder });
});
afterEach(async () => {
  asker.close();
  await service.close();
  rmSync(dataFolder, { recursive: true });
});

function poll(workspace: string, page = '') {
  const moment = { at: 0, page: { name: page, path: null }, agent: null, isIdentified: false };
  return asker.poll({ workspace: toWorkspace(workspace), lane: 'lane', anonymousId: 'ann', moment });
}

/** All requests that there may be are under way, and wait. */
async function busy(): Promise<Promise<unknown>[]> {
  const first: Promise<unknown>[] = [];
  for (let each = 0; each < requestsMax; each += 1) {
    first.push(poll('first'));
    await turn();
  }
  await eventually(() => requests.length === requestsMax);
  return first;
}

test('polls that wait go together, so many at once', async () => {
  const polls = await busy();
  for (let each = 0; each < 2 * pollsARequestMax; each += 1) polls.push(poll('loud'));
  open();
  await Promise.all(polls);
  expect(requests.slice(requestsMax).every((count) => count <= pollsARequestMax)).toBe(true);
  expect(requests.slice(requestsMax)).toContain(pollsARequestMax);
});

test('polls as long as heads may be, together more than a request takes, have no other poll refused', async () => {
  const polls = await busy();
  const page = '\u0001'.repeat(5_000); // six times as much as JSON
  for (let each = 0; each < 300; each += 1) polls.push(poll('loud', page));
  const other = poll('quiet');
  open();
  await expect(other).resolves.toEqual(nothing);
  await Promise.all(polls);
});

test('what waits of a workspace is bounded in bytes, and leaves another its room', async () => {
  const polls = (await busy()).map((each) => each.catch(() => undefined));
  const page = 'x'.repeat(100_000);
  const loud = Array.from({ length: 600 }, () => poll('loud', page));
  const refused = Promise.all(
    loud.map((each) =>
      each.then(
        () => 0,
        () => 1,
      ),
    ),
  );
  const other = poll('quiet', page);
  open();
  await expect(other).resolves.toEqual(nothing);
  expect((await refused).reduce<number>((sum, each) => sum + each, 0)).toBeGreaterThan(200);
  await Promise.all(polls);
});

test('very many questions why a message is not shown wait behind each other, and polls behind none of them', async () => {
  const moment = { at: 0, page: null, agent: null, isIdentified: false };
  const why = (workspace: string) =>
    asker.why({ workspace, lane: 'lane', anonymousId: 'ann', moment, messageId: 'm' });
  const asked = Array.from({ length: 200 }, () => why('loud'));
  const settled = Promise.allSettled(asked);
  const other = why('other');
  open();
  await expect(poll('quiet')).resolves.toEqual(nothing);
  await eventually(() => whys.length === 2); // one of each workspace
  whys.find(({ workspace }) => workspace === 'other')?.answer();
  await expect(other).resolves.toEqual({ outcome: 'show' });
  // The rest of them waits for two seconds at most.
  const answering = setInterval(() => whys.forEach(({ answer }) => answer()), 5);
  const refused = (await settled).filter((each) => each.status === 'rejected');
  clearInterval(answering);
  expect(refused).toHaveLength(asked.length - 1 - whyLimits.workspaceWaitingMax);
  expect(refused.map(({ reason }) => (reason as { code?: string }).code)).toContain('questions_share_full');
});
