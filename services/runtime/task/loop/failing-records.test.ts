import { describe, expect, test } from '@jest/globals';
import { MemoryDisk } from '../../../testing/memory/memory-stores.ts';
import { storingToyService, toyService } from '../../../testing/toy/toy-service.ts';
import { ToyWorld } from '../../../testing/toy/toy-world.ts';
import { assert, CodedError } from '../../errors.ts';
import type { Processor, ServiceSpec } from '../ports.ts';

const SECOND_MS = 1_000;
const deadLetters = { perMinuteMax: 5, shareMax: 0.5 };

type OnRecord = Processor['onRecord'];

/** Handles a record as the service does, and then, for those that `fails` picks, fails with all its effects made. */
function failingAfter(spec: ServiceSpec, world: ToyWorld, fails: (messageId: string) => void): ServiceSpec {
  return {
    ...spec,
    open: (...parts: Parameters<ServiceSpec['open']>) => {
      const processor = spec.open(...parts);
      const onRecord: OnRecord = processor.onRecord.bind(processor);
      return Object.assign(processor, {
        onRecord: (...[record, batch, out]: Parameters<OnRecord>) => {
          onRecord(record, batch, out);
          const { bytes, valueStart, valueEnd } = record;
          fails(world.codecs.CollectedEvent.decode(bytes, valueStart, valueEnd).message_id);
        },
      });
    },
  };
}

function lettersOf(world: ToyWorld) {
  return world.broker
    .committed('deadLetters')
    .map(({ record }) => world.codecs.DeadLetter.decode(record.value ?? Buffer.alloc(0)));
}
function rowsOf(world: ToyWorld) {
  return world.broker
    .committed('eventsDropped')
    .map(({ record }) => world.codecs.DroppedEvent.decode(record.value ?? Buffer.alloc(0)));
}

/** What must be counted when these messages had no effect at all. */
function without(world: ToyWorld, failed: readonly string[]) {
  const counts = new Map<string, number>();
  return world.expected
    .filter(({ messageId }) => !failed.includes(messageId))
    .map(({ lane, messageId }) => {
      const count = (counts.get(lane) ?? 0) + 1;
      counts.set(lane, count);
      return { lane, messageId, count };
    });
}

const failures: [name: string, fail: () => void, code: string][] = [
  [
    "a decider's own assertion",
    () => {
      assert(false, 'this cannot be');
    },
    'assertion_failed',
  ],
  [
    'a plain error',
    () => {
      throw new TypeError('x is not a function');
    },
    'unexpected_error',
  ],
  [
    'a key that no store takes',
    () => {
      throw new CodedError('key_too_large', 'could not store it');
    },
    'key_too_large',
  ],
];

describe.each([
  ['a service whose stores can be taken back', toyService],
  ['a service whose stores cannot, and are opened again', storingToyService],
])('%s', (_, spec) => {
  test.each(failures)('puts a record aside whole that fails by %s, and goes on', async (__, fail, code) => {
    const world = new ToyWorld();
    const failed = ['m7', 'm30', 'm31'];
    const failing = failingAfter(spec, world, (messageId) => {
      if (failed.includes(messageId)) fail();
    });
    const process = await world.process({ spec: failing }).start();
    for (let round = 0; round < 3; round += 1) {
      world.send(20);
      await world.time.run(300);
    }
    const expected = without(world, failed);
    const done = await world.time.until(
      () => world.seen('counted').length >= expected.length,
      60 * SECOND_MS,
    );
    expect(done).toBe(true);
    expect(world.seen('counted')).toEqual(expected);
    expect(process.state).toBe('live');
    expect(lettersOf(world).map((letter) => letter.code)).toEqual(failed.map(() => code));
    for (const letter of lettersOf(world)) {
      expect(letter).toMatchObject({ topic: 'events.collected', step: 'handle', service: 'merger' });
      expect(letter.value_bytes).toBe(letter.value?.length);
      expect(failed).toContain(
        world.codecs.CollectedEvent.decode(letter.value ?? Buffer.alloc(0)).message_id,
      );
    }
    expect(rowsOf(world)).toHaveLength(failed.length);
    for (const row of rowsOf(world)) {
      expect(row).toMatchObject({ reason: 'not_handled', stage: 'merger', workspace: 'w' });
      expect(failed).toContain(row.message_id);
      expect(JSON.parse(row.detail ?? '')).toMatchObject({ code, step: 'handle', topic: 'events.collected' });
    }
  });

  test('puts the same aside when it replays, without handling it again', async () => {
    const world = new ToyWorld();
    let repaired = false;
    const failing = failingAfter(spec, world, (messageId) => {
      if (!repaired) assert(messageId !== 'm7', 'this cannot be');
    });
    const first = await world.process({ spec: failing }).start();
    world.send(20);
    const expected = without(world, ['m7']);
    expect(await world.time.until(() => world.seen('counted').length >= 19, 60 * SECOND_MS)).toBe(true);
    first.kill();
    repaired = true;
    const second = await world.process({ spec: failing, disk: new MemoryDisk() }).start();
    expect(await world.time.until(() => second.state === 'live', 60 * SECOND_MS)).toBe(true);
    expect(second.failure).toBe('');
    world.send(20);
    await world.time.run(5 * SECOND_MS);
    expect(world.seen('counted').slice(0, 2)).toEqual(without(world, ['m7']).slice(0, 2));
    expect(world.seen('counted')).toEqual(without(world, ['m7']));
    expect(expected).toHaveLength(19);
    expect(lettersOf(world)).toHaveLength(1);
  });

  test('stands still with an alarm at a burst, before the topic is in the bin', async () => {
    const world = new ToyWorld();
    const failing = failingAfter(spec, world, () => {
      assert(false, 'this cannot be');
    });
    const process = await world.process({ spec: failing, deadLetters }).start();
    world.send(50);
    await world.time.run(20 * SECOND_MS);
    expect(process.state).toBe('failed');
    expect(process.failure).toBe('dead_letters_burst');
    expect(process.exits).toEqual([]);
    expect(lettersOf(world).length).toBeLessThanOrEqual(5);
  });

  test('goes on at many that are a small share', async () => {
    const world = new ToyWorld();
    const failing = failingAfter(spec, world, (messageId) => {
      assert(Number(messageId.slice(1)) % 10 !== 0, 'this cannot be');
    });
    const process = await world.process({ spec: failing, deadLetters }).start();
    world.send(100);
    await world.time.run(30 * SECOND_MS);
    expect(process.state).toBe('live');
    expect(lettersOf(world)).toHaveLength(10);
    expect(world.seen('counted')).toHaveLength(90);
  });

  test('an output that no topic takes is the fault of the record that wrote it', async () => {
    const world = new ToyWorld();
    const big = Buffer.alloc(1_048_576);
    const failing: ServiceSpec = {
      ...spec,
      open: (...parts) => {
        const processor = spec.open(...parts);
        const onRecord: OnRecord = processor.onRecord.bind(processor);
        return Object.assign(processor, {
          onRecord: (...[record, batch, out]: Parameters<OnRecord>) => {
            const { bytes, valueStart, valueEnd, keyStart, keyEnd } = record;
            onRecord(record, batch, out);
            const { message_id } = world.codecs.CollectedEvent.decode(bytes, valueStart, valueEnd);
            if (message_id === 'm3') out.emit('activitiesLogged', bytes.subarray(keyStart, keyEnd), big);
          },
        });
      },
    };
    const process = await world.process({ spec: failing }).start();
    world.send(20);
    await world.time.run(10 * SECOND_MS);
    expect(process.state).toBe('live');
    expect(world.seen('counted')).toEqual(without(world, ['m3']));
    expect(lettersOf(world)).toMatchObject([{ code: 'record_too_large' }]);
  });

  test('a record that is itself as large as may be is cut, with its length and hash', async () => {
    const world = new ToyWorld();
    const failing = failingAfter(spec, world, (messageId) => {
      assert(messageId !== 'large', 'this cannot be');
    });
    const process = await world.process({ spec: failing }).start();
    const event = {
      ...world.codecs.CollectedEvent.decode(world.event('large')),
      properties: 'x'.repeat(1_048_000),
    };
    const value = world.codecs.CollectedEvent.encode(event);
    world.sendValue('w:a:1', value);
    world.send(20);
    await world.time.run(10 * SECOND_MS);
    expect(process.state).toBe('live');
    const [letter] = lettersOf(world);
    expect(letter?.value_bytes).toBe(value.length);
    expect(letter?.value_sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(letter?.value?.length).toBeLessThan(value.length);
    expect(letter?.value?.equals(value.subarray(0, letter.value.length))).toBe(true);
    expect(rowsOf(world)).toMatchObject([{ message_id: 'large' }]);
  });

  test.each(['store_write_failed', 'store_disk_failed', 'log_truncated', 'state_broken'] as const)(
    'what is about the task or its state is no fault of a record: %s',
    async (code) => {
      const world = new ToyWorld();
      const failing = failingAfter(spec, world, () => {
        throw new CodedError(code, 'could not do it');
      });
      const process = await world.process({ spec: failing }).start();
      world.send(1);
      await world.time.run(5 * SECOND_MS);
      expect(process.state).not.toBe('live');
      expect(lettersOf(world)).toEqual([]);
    },
  );
});

test('an error that does not come again is forgiven', async () => {
  const world = new ToyWorld();
  let times = 0;
  const failing = failingAfter(toyService, world, (messageId) => {
    if (messageId === 'm3' && times++ === 0) throw new TypeError('once');
  });
  await world.process({ spec: failing }).start();
  world.send(20);
  await world.time.run(10 * SECOND_MS);
  expect(world.seen('counted')).toEqual(world.expected);
  expect(lettersOf(world)).toEqual([]);
});

test('outputs that fill a transaction cut the batch, in the middle of what one fetch brought', async () => {
  const world = new ToyWorld(1);
  const pad = Buffer.alloc(900_000);
  const writing: ServiceSpec = {
    ...toyService,
    open: (...parts) => {
      const processor = toyService.open(...parts);
      const onRecord: OnRecord = processor.onRecord.bind(processor);
      return Object.assign(processor, {
        onRecord: (...[record, batch, out]: Parameters<OnRecord>) => {
          onRecord(record, batch, out);
          out.emit('segmentsChanged', 'w:x', pad);
        },
      });
    },
  };
  world.send(40);
  const process = await world.process({ spec: writing, sliceRecords: () => 40 }).start();
  await world.time.until(() => world.settled(), 60 * SECOND_MS);
  expect(world.seen('counted')).toEqual(world.expected);
  expect(process.state).toBe('live');
  const perBatch = world
    .journal()
    .map((batch) => batch.outputs.reduce((sum, { records }) => sum + records, 0));
  expect(Math.max(...perBatch)).toBeLessThanOrEqual(2 * Math.ceil((16 << 20) / pad.length) + 2);
  process.kill();
  const again = await world.process({ spec: writing, disk: new MemoryDisk() }).start();
  expect(await world.time.until(() => again.state === 'live', 60 * SECOND_MS)).toBe(true);
});
