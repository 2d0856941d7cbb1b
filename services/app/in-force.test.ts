/** What a PUT has answered is in force: the wait for the tasks, its bound, and what is told when it is over. */
import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Behind } from '../../schemas/http/app.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { behindOf, InForce, READERS } from './in-force.ts';
import type { DefinitionKind, ServiceStatus } from './ports.ts';

const OFFSET = 7;
const WAIT_MS = 5_000;

type Answers = readonly (ServiceStatus | undefined)[];

/** Tasks 0, 1, … of a service, all in one process. */
function process(...taken: number[]): ServiceStatus {
  const tasks = taken.map((definitions_offset, task) => ({ task, state: 'live', definitions_offset }));
  return { definitions_offset: Math.min(...taken), tasks_in_all: taken.length, tasks };
}

function installation() {
  const answers: Record<string, Answers | 'hangs'> = {
    merger: [process(OFFSET)],
    identity: [process(OFFSET)],
    trigger: [process(OFFSET)],
    'in-app': [process(OFFSET)],
    gateway: [{ definitions_offset: OFFSET }],
  };
  const asked: string[] = [];
  const time = new VirtualTime();
  const inForce = new InForce({
    statuses: {
      instances: (service) => {
        asked.push(service);
        const said = answers[service] ?? [];
        return said === 'hangs' ? new Promise(() => undefined) : Promise.resolve(said);
      },
    },
    definitions: { offset: OFFSET },
    waitMsMax: WAIT_MS,
    time,
  });
  /** What the call is told, and when, ms. */
  const wait = async (kind: DefinitionKind | 'clock', then: () => void = () => undefined) => {
    let told: { readonly behind: readonly Behind[]; readonly ms: number } | undefined;
    void inForce.wait(kind).then((behind) => {
      told = { behind, ms: time.monotonicMs() };
    });
    await time.run(1_000);
    then();
    await time.until(() => told !== undefined, 60_000);
    return told;
  };
  return { answers, asked, inForce, wait, time };
}

describe('a wait until it is in force', () => {
  test.each(['workspace', 'segment', 'journey', 'clock'] as const)(
    'a %s that every task has taken is answered without a pause',
    async (kind) => {
      const { wait, asked } = installation();
      expect(await wait(kind)).toEqual({ behind: [], ms: 0 });
      expect(asked).toEqual([...READERS[kind], 'gateway']);
    },
  );

  test('ends when the last task has taken it, not before', async () => {
    const { answers, wait } = installation();
    answers['trigger'] = [process(OFFSET, OFFSET - 1)];
    const told = await wait('segment', () => {
      answers['trigger'] = [process(OFFSET, OFFSET)];
    });
    expect(told?.behind).toEqual([]);
    expect(told?.ms).toBeGreaterThan(1_000);
    expect(told?.ms).toBeLessThanOrEqual(1_100);
  });

  test('never lasts longer than its bound, and names the service, the task and how far it is', async () => {
    const { answers, wait } = installation();
    answers['trigger'] = [process(OFFSET, OFFSET - 1)];
    const told = await wait('segment');
    const what = 'has taken the definitions up to offset 6 of 7';
    expect(told?.behind).toEqual([{ service: 'trigger', task: 1, what }]);
    expect(told?.ms).toBeLessThanOrEqual(WAIT_MS);
    expect(told?.ms).toBeGreaterThan(WAIT_MS - 100);
  });

  test('a service that hangs holds nobody longer than the bound', async () => {
    const { answers, wait } = installation();
    answers['identity'] = 'hangs';
    const behind = [{ service: 'identity', what: 'has not answered yet' }];
    expect(await wait('workspace')).toEqual({ behind, ms: WAIT_MS });
  });

  test('a service that does not answer is behind, and so is one that is not known', async () => {
    const { answers, wait } = installation();
    answers['identity'] = [undefined];
    delete answers['trigger'];
    const told = await wait('clock');
    expect(told?.behind).toEqual([
      { service: 'identity', what: 'does not answer' },
      { service: 'trigger', what: expect.stringContaining('has not started') },
    ]);
  });

  test('a service that does not read it is not waited for', async () => {
    const { answers, wait } = installation();
    answers['identity'] = [undefined];
    expect(await wait('segment')).toEqual({ behind: [], ms: 0 });
  });

  test('another gateway that is known counts, and no other gateway need be known', async () => {
    const { answers, wait } = installation();
    const fresh = { definitions_offset: OFFSET };
    answers['gateway'] = [fresh, { definitions_offset: OFFSET - 2 }];
    expect((await wait('segment'))?.behind).toEqual([
      { service: 'gateway', what: 'has taken the definitions up to offset 5 of 7' },
    ]);
    answers['gateway'] = [fresh, undefined];
    expect((await wait('segment'))?.behind).toEqual([{ service: 'gateway', what: 'does not answer' }]);
    answers['gateway'] = [];
    expect((await wait('segment'))?.behind).toEqual([]);
  });

  test('a thousand calls that wait at one time ask no more often than one', async () => {
    const { answers, asked, inForce, time } = installation();
    answers['trigger'] = [process(OFFSET - 1)];
    const alone = inForce.wait('segment');
    await time.run(WAIT_MS);
    await alone;
    const askedByOne = asked.length;
    asked.length = 0;
    const many = Array.from({ length: 1_000 }, () => inForce.wait('segment'));
    await time.run(WAIT_MS);
    await Promise.all(many);
    expect(asked).toHaveLength(askedByOne);
  });

  test('a gateway that stops answers who waits at once', async () => {
    const { answers, inForce, wait } = installation();
    answers['trigger'] = [undefined];
    const told = await wait('segment', () => {
      inForce.close();
    });
    expect(told).toEqual({ behind: [{ service: 'trigger', what: 'does not answer' }], ms: 1_000 });
    expect(await inForce.wait('segment')).not.toEqual([]);
  });
});

describe('tasks that are shared by several processes', () => {
  const half = (task: number, definitions_offset: number, state = 'live'): ServiceStatus => ({
    definitions_offset,
    tasks_in_all: 2,
    tasks: [{ task, state, definitions_offset }],
  });

  test('it is in force when each task has it, wherever it runs', () => {
    expect(behindOf('trigger', [half(0, OFFSET), half(1, OFFSET)], OFFSET)).toEqual([]);
    expect(behindOf('trigger', [half(0, OFFSET), half(1, OFFSET), undefined], OFFSET)).toEqual([]);
  });

  test('a task that nobody who answers has is behind', () => {
    const what = 'no process that answers has this task';
    expect(behindOf('trigger', [half(0, OFFSET)], OFFSET)).toEqual([{ service: 'trigger', task: 1, what }]);
  });

  test('a process without tasks holds nobody up', () => {
    const spare = { definitions_offset: null as never, tasks_in_all: 1, tasks: [] };
    expect(behindOf('trigger', [process(OFFSET), spare], OFFSET)).toEqual([]);
  });

  test('of two that have one task the one behind counts: one of them has been replaced and does not know it yet', () => {
    const [behind] = behindOf('trigger', [half(0, OFFSET), half(0, OFFSET - 1), half(1, OFFSET)], OFFSET);
    expect(behind).toMatchObject({ task: 0 });
  });

  test('a task that is not live says what it does', () => {
    const what = 'is recovering';
    expect(behindOf('trigger', [half(0, 0, 'recovering'), half(1, OFFSET)], OFFSET)).toEqual([
      { service: 'trigger', task: 0, what },
    ]);
  });

  test('a process of an earlier version is taken at its word for all of its tasks', () => {
    expect(behindOf('trigger', [{ definitions_offset: OFFSET }], OFFSET)).toEqual([]);
    expect(behindOf('trigger', [{ definitions_offset: OFFSET - 1 }], OFFSET)).toHaveLength(1);
  });
});

test('who is waited for is who reads it: no other service looks definitions up', () => {
  const sources = (service: string) =>
    readdirSync(join('services', service), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join('services', service, name), 'utf8'))
      .join('\n');
  const looksUp = /settingsOf\(|definitions\.(?:get|list)\(\s*'(\w+)'/g;
  const found: Record<string, string[]> = {};
  for (const service of ['merger', 'identity', 'trigger', 'in-app', 'sink']) {
    for (const [, kind = 'workspace'] of sources(service).matchAll(looksUp)) {
      found[kind] = [...new Set([...(found[kind] ?? []), service])];
    }
  }
  const { clock, ...stored } = READERS;
  expect(found).toEqual(stored);
  expect(clock).toEqual(['merger', 'identity', 'trigger', 'in-app']); // of every task: services/runtime/task/batch/clock.ts
});
