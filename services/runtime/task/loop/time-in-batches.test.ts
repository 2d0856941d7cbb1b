/** What watermarks, timers and definitions see of time and of each other, through the whole shell. */
import { describe, expect, test } from '@jest/globals';
import { toyTimerMs, watermarkedToyService as watermarked } from '../../../testing/toy/toy-service.ts';
import { ToyWorld } from '../../../testing/toy/toy-world.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

interface Seen {
  readonly partition: string;
  readonly time: number;
  readonly offset: number;
}

function watermarks(world: ToyWorld): Seen[] {
  return world.broker
    .committed('segmentsChanged')
    .filter(({ partition }) => partition === 0)
    .map(({ record }) => world.codecs.Activity.decode(record.value ?? Buffer.alloc(0)))
    .map(({ message_id: partition, timestamp: time, detail }) => ({
      partition: partition ?? '',
      time,
      offset: Number(detail),
    }));
}

describe('watermarks', () => {
  test('follow the clock while nothing happens, about once a second, to every partition', async () => {
    const world = new ToyWorld();
    await world.process({ spec: watermarked }).start();
    await world.time.run(10 * SECOND_MS);
    const seen = watermarks(world).filter(({ partition }) => partition === '2');
    expect(seen.length).toBeGreaterThanOrEqual(8);
    expect(seen.length).toBeLessThanOrEqual(11);
    expect(seen.at(-1)?.time).toBeGreaterThan(world.time.now() - 2 * SECOND_MS);
    expect(seen.at(-1)?.time).toBeLessThan(world.time.now());
    const counts = [0, 1, 2, 3].map(
      (partition) =>
        world.broker.committed('segmentsChanged').filter((each) => each.partition === partition).length,
    );
    expect(new Set(counts).size).toBe(1);
  });

  test('do not pass an event that waited through an hour of standstill', async () => {
    const world = new ToyWorld();
    const first = await world.process({ spec: watermarked }).start();
    world.send(4);
    await world.time.run(3 * SECOND_MS);
    await world.stop(first);
    const sentAt = world.time.now();
    world.send(200);
    world.time.jump(HOUR_MS);
    let left = 3;
    // Slices of a single record, so that much stays unread at first.
    await world.process({ spec: watermarked, sliceRecords: () => (left-- > 0 ? 1 : 500) }).start();
    const before = watermarks(world).length;
    await world.time.until(() => world.settled(), 20 * SECOND_MS);
    for (const { time, partition, offset } of watermarks(world).slice(before)) {
      const end = world.broker.partition('eventsCollected', Number(partition)).end;
      if (offset < end) expect(time).toBeLessThanOrEqual(sentAt);
    }
  });

  test('do not pass an event that waits while fetches bring nothing', async () => {
    const world = new ToyWorld();
    let stuck = false;
    await world.process({ spec: watermarked, late: () => stuck }).start();
    world.send(8);
    await world.time.run(3 * SECOND_MS);
    stuck = true;
    const sentAt = world.time.now();
    world.send(8);
    await world.time.run(20 * SECOND_MS);
    const ends = world.broker.topic('eventsCollected').map((partition) => partition.end);
    for (const { time, partition, offset } of watermarks(world)) {
      if (offset < (ends[Number(partition)] ?? 0)) expect(time).toBeLessThanOrEqual(sentAt);
    }
    stuck = false;
    await world.time.run(3 * SECOND_MS);
    for (const { time, offset } of watermarks(world).slice(-4)) {
      expect(time).toBeGreaterThan(sentAt);
      expect(ends).toContain(offset);
    }
  });

  test('wait, on a standing clock that jumps, for what was acknowledged before the jump', async () => {
    const world = new ToyWorld();
    const T0 = 1_000_000;
    world.setClock(T0);
    let fetches = 0;
    // The clock's definition is read at once, the events that were acknowledged before it some fetches later.
    const late = (topic: string): boolean => topic === 'eventsCollected' && (fetches += 1) % 41 < 30;
    await world.process({ spec: watermarked, standingClock: true, sliceRecords: () => 1, late }).start();
    await world.time.run(2 * SECOND_MS);
    for (let round = 1; round <= 20; round += 1) {
      world.send(8, T0 + round * HOUR_MS - 1);
      world.setClock(T0 + round * HOUR_MS);
      const ends = world.broker.topic('eventsCollected').map((partition) => partition.end);
      await world.time.until(
        () => watermarks(world).some(({ time }) => time >= T0 + round * HOUR_MS),
        5 * SECOND_MS,
      );
      for (const { time, partition, offset } of watermarks(world)) {
        if (time >= T0 + round * HOUR_MS) expect(offset).toBeGreaterThanOrEqual(ends[Number(partition)] ?? 0);
      }
    }
    await world.time.run(5 * SECOND_MS);
    for (const partition of ['0', '1', '2', '3']) {
      const seen = watermarks(world).filter((each) => each.partition === partition);
      expect(seen.at(-1)?.time).toBe(T0 + 20 * HOUR_MS);
    }
  });
});

describe('a standing clock', () => {
  test('fires timers when it is moved, and not before', async () => {
    const world = new ToyWorld();
    const T0 = 1_000_000;
    world.setClock(T0);
    const process = await world.process({ standingClock: true }).start();
    world.send(4, T0);
    await world.time.run(60 * SECOND_MS);
    expect(world.seen('counted').length).toBe(4);
    expect(world.seen('timer')).toEqual([]);
    world.setClock(T0 + toyTimerMs);
    const definitions = world.broker.partition('definitions', 0).end;
    await world.time.until(() => process.service.status().definitions_offset >= definitions, 5 * SECOND_MS);
    // Status says so only when what the clock made due has been committed.
    expect(world.seen('timer').length).toBe(4);
    expect(process.service.status().time).toBe(T0 + toyTimerMs);
  });
});

describe('definitions', () => {
  test('are taken between batches, and a replay sees them as each batch did', async () => {
    const world = new ToyWorld();
    const first = await world.process().start();
    for (let round = 0; round < 10; round += 1) {
      world.define(`d${String(round)}`);
      world.send(6);
      await world.time.run(120);
    }
    first.kill();
    const offsets = world.journal().map((batch) => batch.definitions_offset);
    expect(new Set(offsets).size).toBeGreaterThan(3);
    expect([...offsets].sort((a, b) => a - b)).toEqual(offsets);
    // Outputs carry the number of definitions: a replay that saw others would differ and stand still.
    const second = await world.process().start();
    world.send(6);
    expect(await world.time.until(() => world.settled(), 20 * SECOND_MS)).toBe(true);
    expect(second.state).toBe('live');
    expect(world.seen('counted')).toEqual(world.expected);
  });
});
