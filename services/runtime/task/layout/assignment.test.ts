/** Tasks that change hands while events flow, through the port that a consumer group would use. */
import { describe, expect, test } from '@jest/globals';
import { Membership, type Member } from '../../../testing/toy/membership.ts';
import { MemoryDisk } from '../../../testing/memory/memory-stores.ts';
import { Random } from '../../../testing/random.ts';
import type { TaskProcess } from '../../../testing/toy/task-process.ts';
import { toyTimerMs } from '../../../testing/toy/toy-service.ts';
import { ToyWorld } from '../../../testing/toy/toy-world.ts';
import { VirtualTime } from '../../../testing/virtual-time.ts';
import { assert } from '../../errors.ts';

const SECOND_MS = 1_000;
const TASKS = 4;
const layout = { layout: 1, tasks: TASKS };

interface Instance {
  readonly process: TaskProcess;
  readonly member: Member;
}

async function instance(world: ToyWorld, group: Membership, disk = new MemoryDisk()): Promise<Instance> {
  let member: Member | undefined;
  const process = await world
    .process({ layout, disk, assignment: (exit) => (member = group.join(exit)) })
    .start();
  assert(member !== undefined, 'a process takes its assignment as it is made');
  return { process, member };
}

async function counts(world: ToyWorld): Promise<void> {
  expect(await world.time.until(() => world.settled(), 120 * SECOND_MS)).toBe(true);
  await world.time.run(3 * toyTimerMs);
  expect(world.seen('counted')).toEqual(world.expected);
  expect(world.seen('timer').length).toBe(world.sent);
}

function statesOf(instances: readonly Instance[]): string[] {
  return instances.map(({ process }) => process.state);
}

describe('an assignment that changes while its tasks run', () => {
  test('moves a task from one instance to another and back, at rest each time', async () => {
    const world = new ToyWorld();
    const group = new Membership(world.time);
    const [a, b] = [await instance(world, group), await instance(world, group)];
    for (let task = 0; task < TASKS; task += 1) void group.move(task, a.member);
    for (let round = 0; round < 6; round += 1) {
      world.send(20);
      await world.time.run(150);
      void group.move(1, round % 2 === 0 ? b.member : a.member);
      void group.move(2, round % 3 === 0 ? b.member : a.member);
      world.send(20);
      await world.time.run(SECOND_MS);
    }
    await counts(world);
    expect(statesOf([a, b])).toEqual(['live live live live', '']);
    expect([a.process.exits, b.process.exits]).toEqual([[], []]);
  });

  test('gives a task back and takes it again before it has stopped: one folder is never open twice', async () => {
    const world = new ToyWorld();
    const group = new Membership(world.time);
    const disk = new MemoryDisk();
    let open = 0;
    let openMost = 0;
    const stores = {
      open: (partition: number) => {
        const opened = disk.open(String(partition), {});
        open += 1;
        openMost = Math.max(open, openMost);
        const close = opened.close.bind(opened);
        return Promise.resolve(
          Object.assign(opened, {
            close: () => {
              open -= 1;
              close();
            },
          }),
        );
      },
    };
    let member: Member | undefined;
    const process = await world
      .process({
        layout: { layout: 1, tasks: 4 },
        stores,
        delayMs: () => 40,
        assignment: (exit) => (member = group.join(exit)),
      })
      .start();
    assert(member !== undefined, 'a process takes its assignment as it is made');
    member.take(0);
    await world.time.run(SECOND_MS);
    expect(process.state).toBe('live');
    for (let times = 0; times < 5; times += 1) {
      world.send(20);
      await world.time.run(10);
      void member.giveBack(0);
      member.take(0);
    }
    await world.time.run(5 * SECOND_MS);
    expect(process.state).toBe('live');
    expect(process.exits).toEqual([]);
    expect(openMost).toBe(1);
    await world.stop(process);
    expect(open).toBe(0);
  });

  test('lets a zombie that was cut off be fenced, and only then hear that the task is not its own', async () => {
    const world = new ToyWorld();
    const group = new Membership(world.time);
    const [a, b] = [await instance(world, group), await instance(world, group)];
    for (let task = 0; task < TASKS; task += 1) void group.move(task, a.member);
    for (let round = 0; round < 4; round += 1) {
      world.send(20);
      await world.time.run(300);
      const [from, to] = round % 2 === 0 ? [a, b] : [b, a];
      group.seize(3, to.member);
      world.send(20);
      await world.time.run(3 * SECOND_MS);
      expect(from.process.service.status().tasks.map(({ task }) => task)).not.toContain(3);
    }
    await counts(world);
    expect([a.process.exits, b.process.exits]).toEqual([[], []]);
  });

  test('takes a task again that a zombie had taken from it in between', async () => {
    const world = new ToyWorld();
    const group = new Membership(world.time);
    const owner = await instance(world, group);
    for (let task = 0; task < TASKS; task += 1) void group.move(task, owner.member);
    world.send(20);
    await world.time.run(300);
    // Started long ago by somebody else, who has fenced the owner only now, and then died.
    const zombie = await world.process({ layout, disk: new MemoryDisk() }).start();
    await world.time.run(20);
    zombie.kill();
    world.send(20);
    await counts(world);
    expect(owner.process.exits).toEqual([]);
    expect(owner.process.state).toBe('live live live live');
  });

  test.each([1, 2, 3, 4, 5, 6])(
    'loses and doubles nothing, whatever moves, dies or is cut off (seed %i)',
    async (seed) => {
      const random = new Random(seed);
      const order = random.fork();
      const world = new ToyWorld(TASKS, new VirtualTime(undefined, () => order.next()));
      const group = new Membership(world.time);
      const disks = [new MemoryDisk(), new MemoryDisk(), new MemoryDisk()];
      const instances = await Promise.all(disks.map((disk) => instance(world, group, disk)));
      const anybody = (): Member => {
        const one = random.pick(instances);
        assert(one !== undefined, 'there are some');
        return one.member;
      };
      for (let step = 0; step < 60; step += 1) {
        world.send(1 + random.below(12));
        const task = random.below(TASKS);
        const what = random.next();
        if (what < 0.45) void group.move(task, anybody());
        else if (what < 0.6) group.seize(task, anybody());
        else if (what < 0.7) {
          const index = random.below(instances.length);
          const dead = instances[index];
          assert(dead !== undefined, 'one of them');
          dead.process.kill();
          const tasks = dead.member.leaveOut();
          instances[index] = await instance(world, group, disks[index]);
          for (const each of tasks) void group.move(each, anybody());
        }
        await world.time.run(random.below(400));
      }
      for (let task = 0; task < TASKS; task += 1) void group.move(task, anybody());
      await counts(world);
    },
  );
});
