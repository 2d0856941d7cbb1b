import { describe, expect, test } from '@jest/globals';
import { MemoryDisk } from '../../../testing/memory/memory-stores.ts';
import { ToyWorld } from '../../../testing/toy/toy-world.ts';

const SECOND_MS = 1_000;

async function counts(world: ToyWorld): Promise<void> {
  expect(await world.time.until(() => world.settled(), 120 * SECOND_MS)).toBe(true);
  expect(world.seen('counted')).toEqual(world.expected);
}

describe('two owners of one task', () => {
  test('take it back and forth, each with a disk of its own, and nothing is lost or doubled', async () => {
    const world = new ToyWorld();
    const disks = [new MemoryDisk(), new MemoryDisk()];
    for (let turn = 0; turn < 6; turn += 1) {
      const disk = disks[turn % 2] ?? new MemoryDisk();
      const owner = await world.process({ disk }).start();
      for (let round = 0; round < 3; round += 1) {
        world.send(20);
        await world.time.run(700);
      }
      expect(owner.state).toBe('live');
      if (turn % 3 === 0) await world.stop(owner);
      // Else the next owner fences this one while it is at work.
    }
    await counts(world);
  });

  test('the fenced one ends its process', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    world.send(10);
    await world.time.run(300);
    await world.process({ disk: new MemoryDisk() }).start();
    await world.time.run(300);
    world.send(10);
    await counts(world);
    expect(first.exits).toEqual([1]);
  });

  test.each(['send', 'commit'] as const)(
    'a zombie that slept 60 s before its %s changes nothing',
    async (request) => {
      const world = new ToyWorld();
      let asleep = false;
      const zombie = await world
        .process({
          delayMs: (asked) => {
            if (asked !== request || asleep || world.sent < 20) return 0;
            asleep = true;
            return 60 * SECOND_MS;
          },
        })
        .start();
      world.send(10);
      await world.time.run(300);
      world.send(10);
      await world.time.run(300);
      expect(asleep).toBe(true);
      await world.process({ disk: new MemoryDisk() }).start();
      await counts(world);
      world.send(10);
      await world.time.run(90 * SECOND_MS);
      await counts(world);
      expect(zombie.exits).toEqual([1]);
    },
  );

  test('a transaction that the broker timed out is done again by the next process', async () => {
    const world = new ToyWorld();
    let slow = false;
    const first = await world
      .process({
        delayMs: (asked) => {
          if (asked !== 'commit' || slow || world.sent < 20) return 0;
          slow = true;
          return 15 * SECOND_MS;
        },
      })
      .start();
    world.send(10);
    await world.time.run(300);
    world.send(10);
    await world.time.run(20 * SECOND_MS);
    expect(slow).toBe(true);
    expect(first.exits).toEqual([1]);
    await world.process().start();
    await counts(world);
  });
});
