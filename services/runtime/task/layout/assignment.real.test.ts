/** Tasks that change hands while events flow, on a real broker: through the port that a consumer group would use. */
import { expect, jest, test } from '@jest/globals';
import { eventually } from '../../../testing/eventually.ts';
import { Membership } from '../../../testing/toy/membership.ts';
import { ToyBroker } from '../../../testing/toy/toy-broker.ts';
import type { TaskService } from '../task-service.ts';
import { systemTime } from '../../time.ts';

jest.setTimeout(400_000);

const TASKS = 4;
const MOVES = 12;
const LIVE_MS_MAX = 120_000;

test('two instances take tasks from each other, at rest and as zombies, and nothing is lost or doubled', async () => {
  const toy = await ToyBroker.open('assignment');
  const group = new Membership(systemTime);
  const exits: number[] = [];
  const instances = await Promise.all(
    ['a', 'b'].map(async () => {
      const log = await toy.connect();
      const member = group.join((code) => exits.push(code));
      const service = toy.inProcess({ log, tasks: TASKS, assignment: member });
      await service.start();
      return { log, member, service };
    }),
  );
  const [a, b] = instances;
  if (a === undefined || b === undefined) throw new Error('there are two');
  for (let task = 0; task < TASKS; task += 1) void group.move(task, task % 2 === 0 ? a.member : b.member);

  const over = new AbortController();
  const sending = (async () => {
    while (!over.signal.aborted) await toy.send(1);
  })();
  for (let move = 0; move < MOVES; move += 1) {
    const task = move % TASKS;
    const to = group.owner(task) === a.member ? b : a;
    // Every third time the one that has it is not told.
    if (move % 3 === 2) group.seize(task, to.member);
    else await group.move(task, to.member);
    await live(to.service, task);
  }
  // The one that was not told finds out by what it writes next.
  const running = () => instances.flatMap(({ service }) => service.status().tasks.map(({ task }) => task));
  await eventually(() => running().length === TASKS);
  over.abort();
  await sending;
  await toy.expectCounted();

  expect(running().sort()).toEqual([0, 1, 2, 3]);
  expect(exits).toEqual([]);
  for (const { service, log } of instances) {
    await service.stop();
    await log.close();
  }
  await toy.close();
});

async function live(service: TaskService, task: number): Promise<void> {
  const end = Date.now() + LIVE_MS_MAX;
  for (;;) {
    const { tasks } = service.status();
    if (tasks.some((each) => each.task === task && each.state === 'live')) return;
    if (Date.now() > end) throw new Error(`task ${String(task)} did not go live: ${JSON.stringify(tasks)}`);
    await systemTime.sleep(10);
  }
}
