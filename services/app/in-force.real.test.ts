/** A whole installation: what a PUT has answered 200 is in force for the call right behind it, while others keep coming. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runs } from '../testing/runs.ts';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const run = promisify(execFile);
const ROUNDS = runs(4);
/** Of other visitors, around each PUT, so that tasks are now idle and now in the middle of a batch. */
const OTHERS_MAX = 8;
const names = (prefix: string) => Array.from({ length: ROUNDS }, (_, round) => `${prefix}-${String(round)}`);

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  calls = new StackCalls(stack);
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

async function good(answer: Promise<{ readonly status: number; readonly body: unknown }>): Promise<void> {
  expect(await answer).toMatchObject({ status: 200 });
}

/** Events of visitors and people; none in some rounds. */
function others(round: number): Promise<unknown> {
  const count = round % (OTHERS_MAX + 1);
  const each = (index: number) =>
    good(calls.track('POST', '/v1/customers/regular/events', { name: `Other ${String(index)}` }));
  return Promise.all(Array.from({ length: count }, (_, index) => each(index)));
}

async function takenBy(service: string): Promise<number> {
  const file = readFileSync(join(stack.dataFolder, 'run', `${service}.json`), 'utf8');
  const { url } = JSON.parse(file) as { url: string }; // written by startStatusServer
  const status = (await (await fetch(`${url}/status`)).json()) as { definitions_offset: number };
  return status.definitions_offset;
}

test(
  'a guard refuses the identify that follows its PUT, every time',
  async () => {
    const illegal_patterns: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const around = others(round);
      // One more in each round: an identify that is acknowledged may be decided after the next round's PUT.
      illegal_patterns.push(`^refused-${String(round)}$`);
      const put = await calls.app('PUT', '/v1/workspaces/default', { guards: { illegal_patterns } });
      expect(put).toMatchObject({ status: 200, body: { version: round + 1 } });
      const [taken] = await Promise.all([
        takenBy('identity'),
        good(calls.track('PUT', `/v1/customers/refused-${String(round)}`, { plan: 'a' })),
      ]);
      // Nothing else is on the topic, so the version is also how far it must be. An identify takes a while to get there,
      // and would rarely find it late.
      expect(taken).toBeGreaterThanOrEqual(round + 1);
      await good(calls.track('PUT', `/v1/customers/taken-${String(round)}`, { plan: 'a' }));
      await around;
    }
    await calls.settled();
    const people = await calls.rows(`SELECT id FROM people WHERE match(id, '^(refused|taken)-') ORDER BY id`);
    expect(people.flat()).toEqual(names('taken').sort());
    const dropped = await calls.rows(`SELECT count() FROM dropped WHERE reason = 'identifier_illegal'`);
    expect(dropped).toEqual([[ROUNDS]]);
  },
  TEST_MS_MAX,
);

test(
  'a segment is entered by the event that follows its PUT, and by none that follows its DELETE, every time',
  async () => {
    await good(calls.app('PUT', '/v1/workspaces/default', {}));
    await good(calls.track('PUT', '/v1/customers/shopper', { plan: 'a' }));
    for (let round = 0; round < ROUNDS; round += 1) {
      const around = others(round);
      for (const id of [`kept-${String(round)}`, `gone-${String(round)}`]) {
        const segment = { name: id, type: 'data_driven', when: { event: id } };
        await good(calls.app('PUT', `/v1/definitions/segments/${id}`, segment));
        if (id.startsWith('gone')) await good(calls.app('DELETE', `/v1/definitions/segments/${id}`));
        const [taken, stored] = await Promise.all([
          takenBy('trigger'),
          takenBy('gateway'),
          good(calls.track('POST', '/v1/customers/shopper/events', { name: id })),
        ]);
        expect(taken).toBeGreaterThanOrEqual(stored);
      }
      await around;
    }
    await calls.settled();
    const entered = await calls.rows(`SELECT segment_id FROM segment_changes ORDER BY segment_id`);
    expect(entered.flat()).toEqual(names('kept').sort());
  },
  TEST_MS_MAX,
);

test(
  'while the service that reads it is down a PUT is 202 and says so; it is in force when the service is back',
  async () => {
    await stack.kill('trigger');
    const folder = join(stack.dataFolder, 'apply');
    mkdirSync(join(folder, 'segments'), { recursive: true });
    const segment = { name: 'Late', type: 'data_driven', when: { event: 'Late' } };
    expect(await calls.app('PUT', '/v1/definitions/segments/late', segment)).toMatchObject({
      status: 202,
      body: { id: 'late', version: 1, definition: segment, behind: [{ service: 'trigger' }] },
    });
    const message = { name: 'Hello', state: 'draft', content: { kind: 'modal', title: 'Hello' } };
    await good(calls.app('PUT', '/v1/definitions/messages/hello', message)); // of in-app, which is up
    writeFileSync(join(folder, 'segments', 'late.json'), JSON.stringify(segment));
    const args = ['scripts/apply.ts', folder, '--url', stack.http];
    const env = { ...process.env, NODE_OPTIONS: '', HINDSIGHT_DATA: stack.dataFolder };
    const { stdout } = await run(process.execPath, args, { env });
    expect(stdout).toContain('\nsegments/late: version 2, not in force yet: trigger does not answer\n');
    await stack.restart('trigger');
    await calls.settled();
    await good(calls.track('POST', '/v1/customers/shopper/events', { name: 'Late' }));
    await calls.settled();
    const entered = await calls.rows(`SELECT count() FROM segment_changes WHERE segment_id = 'late'`);
    expect(entered).toEqual([[1]]);
  },
  TEST_MS_MAX,
);
