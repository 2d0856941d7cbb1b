import { describe, expect, test } from '@jest/globals';
import { partitionOf } from '../../../schemas/partitioner.ts';
import { of, type ProcessorHarness } from '../../testing/processor-harness.ts';
import {
  MINUTE,
  T0,
  absorb,
  absorbed,
  deleted,
  happened,
  identified,
  lines,
  profileOf,
} from '../../testing/scenarios/trigger-scenario.ts';
import { World, membersOf } from '../../testing/scenarios/trigger-world.ts';

const A = 'cio_a';
const B = 'cio_b';
const C = 'cio_c';
const cart = { event: 'Added to Cart' };

function rules(harness: ProcessorHarness): void {
  const keen = { ...cart, count: { at_least: 2 }, within: 'P1D' };
  harness
    .define('segment', 'default', 'keen', { name: 'Keen', type: 'data_driven', when: keen })
    .define('journey', 'default', 'recovery', { name: 'Recovery', state: 'running', trigger: cart })
    .define('journey', 'default', 'loyal', {
      name: 'Loyal',
      state: 'running',
      trigger: { segment: 'keen', on: 'enter' },
    });
}

test('the people of these tests live in different partitions', () => {
  expect(new Set([A, B, C].map((person) => partitionOf(`default:${person}`, 4))).size).toBe(3);
});

describe('when person B is merged into person A', () => {
  test('B leaves its segments, and what both did counts for A', () => {
    const world = new World(rules);
    world.write(happened({ person: A, id: 'a1' }), happened({ person: B, id: 'b1' }));
    expect(lines(world.run()).sort()).toEqual([
      'cio_a starts recovery because of a1',
      'cio_b starts recovery because of b1',
    ]);
    world.write(absorbed(B, A, 7, T0 + 1), absorb(A, B, 7, T0 + 1));
    expect(lines(world.run())).toEqual(['cio_a entered keen', 'cio_a starts loyal']);
    expect(world.unsettled).toBe(0);
  });

  test("events that were merged never trigger a journey, and B's journeys are A's history (spec C.3)", () => {
    const world = new World(rules);
    world.write(happened({ person: B, id: 'b1' }));
    world.run();
    world.write(absorbed(B, A, 7, T0 + 1), absorb(A, B, 7, T0 + 1));
    expect(lines(world.run())).toEqual([]);
    world.write(happened({ person: A, id: 'a1', at: T0 + MINUTE }));
    expect(lines(world.run())).toEqual([
      'cio_a entered keen because of a1',
      'cio_a starts loyal because of a1',
    ]);
  });

  test('B leaves the segments that it was in', () => {
    const world = new World(rules);
    world.write(happened({ person: B }), happened({ person: B }));
    world.run();
    world.write(absorbed(B, A, 7, T0 + 1), absorb(A, B, 7, T0 + 1));
    expect(lines(world.run()).sort()).toEqual(['cio_a entered keen', 'cio_b left keen']);
  });

  test('attributes of A win, and B fills what is unset or empty on A', () => {
    const world = new World();
    world.write(
      identified({
        person: A,
        at: T0 + 5,
        properties: { plan: 'free', city: '', both: 'a' },
        fields: { id: '1' },
      }),
      identified({ person: B, at: T0 + 9, properties: { plan: 'pro', city: 'Oslo', both: 'b', age: 30 } }),
      identified({ person: B, at: T0 - 1, fields: { id: '2', email: 'b@c.d' } }),
    );
    world.run();
    world.write(absorbed(B, A, 7, T0 + 10), absorb(A, B, 7, T0 + 10));
    const outputs = world.run();
    const merged = profileOf(outputs, A);
    expect(JSON.parse(merged?.attributes ?? '')).toEqual({ plan: 'free', city: 'Oslo', both: 'a', age: 30 });
    expect(merged).toMatchObject({ state: 'alive', version: 2, first_seen_at: T0 - 1 });
    expect(profileOf(outputs, B)).toMatchObject({ state: 'absorbed', absorbed_into: A, attributes: null });
  });

  test('the first touch is kept, whosever it was and whether it came before the merge or after (spec E row 101)', () => {
    const source = (person: string, name: string, at: number) =>
      identified({ person, at, properties: { acquisition_source: name, first_seen_at: at } });
    const merge = [absorbed(B, A, 7, T0 + 10), absorb(A, B, 7, T0 + 10)];
    for (const bIsLate of [false, true]) {
      const world = new World();
      world.write(source(A, 'email', T0 + 5));
      world.write(...(bIsLate ? [...merge, source(B, 'search', T0)] : [source(B, 'search', T0), ...merge]));
      const attributes = JSON.parse(profileOf(world.run(), A)?.attributes ?? '') as unknown;
      expect(attributes).toEqual({ acquisition_source: 'search', first_seen_at: T0 });
    }
  });

  test("what B still sends is A's, and triggers journeys like any event", () => {
    const world = new World(rules);
    world.write(absorbed(B, A, 7), absorb(A, B, 7));
    world.run();
    world.write(happened({ person: B, id: 'b1', at: T0 + 1 }));
    expect(lines(world.run())).toEqual(['cio_a starts recovery because of b1']);
  });

  test("A's records wait until B's state is here, and the partition is unsettled until then", () => {
    const world = new World(rules);
    world.write(happened({ person: B, id: 'b1' }));
    world.run();
    world.write(absorb(A, B, 7, T0 + 1), happened({ person: A, id: 'a1', at: T0 + 2 }));
    expect(lines(world.run())).toEqual([]);
    expect(world.unsettled).toBe(1);
    world.reopen();
    expect(world.unsettled).toBe(1);
    world.write(absorbed(B, A, 7, T0 + 1));
    expect(lines(world.run())).toEqual([
      'cio_a entered keen because of a1',
      'cio_a starts loyal because of a1',
    ]);
    expect(world.unsettled).toBe(0);
  });

  test("a state that comes before A has read of the merge waits, and A's earlier records do not see it", () => {
    const world = new World(rules);
    world.write(
      happened({ person: B, id: 'b1' }),
      absorbed(B, A, 7, T0 + 1),
      happened({ person: B, id: 'b2' }),
    );
    world.run();
    expect(world.unsettled).toBe(1);
    world.write(happened({ person: A, id: 'a1' }));
    expect(lines(world.run())).toEqual(['cio_a starts recovery because of a1']);
    world.reopen();
    world.write(absorb(A, B, 7, T0 + 1));
    expect(lines(world.run())).toEqual(['cio_a entered keen', 'cio_a starts loyal']);
    expect(world.unsettled).toBe(0);
    const keys = world.partitions.flatMap(({ harness }) => harness.stores.keyed.scan('l', 'u', 1_000));
    expect(keys.filter(([key]) => /^[lqt]:/.test(key))).toEqual([]);
  });

  test('a chain of merges ends with the last survivor, whatever is read first', () => {
    const history = [
      happened({ person: B, id: 'b1' }),
      absorbed(B, C, 7, T0 + 1),
      absorb(C, B, 7, T0 + 1),
      absorbed(C, A, 8, T0 + 2),
      absorb(A, C, 8, T0 + 2),
      happened({ person: B, id: 'b2', at: T0 + 3 }),
      happened({ person: C, id: 'c1', at: T0 + 4 }),
    ];
    for (const choose of [() => 0, (ways: number) => ways - 1]) {
      const world = new World(rules);
      world.write(...history);
      expect(membersOf('keen', world.run(choose))).toEqual([A]);
      expect(world.unsettled).toBe(0);
    }
  });

  test('a state larger than a record travels in parts', () => {
    const world = new World();
    const properties = Object.fromEntries(
      Array.from({ length: 240 }, (_, index) => [`a${String(index)}`, 'x'.repeat(1_000)]),
    );
    world.write(identified({ person: B, properties }));
    world.run();
    world.write(absorbed(B, A, 7, T0 + 1), absorb(A, B, 7, T0 + 1));
    const outputs = world.run();
    expect(of('triggerTransfers', outputs).length).toBeGreaterThan(1);
    expect(JSON.parse(profileOf(outputs, A)?.attributes ?? '')).toEqual(properties);
    expect(world.unsettled).toBe(0);
  });
});

describe('when a person is deleted', () => {
  test('the person leaves every segment, and later events are dropped with a row that says why', () => {
    const world = new World(rules);
    world.write(happened({ person: A }), happened({ person: A }));
    world.run();
    world.write(
      deleted(A, 9, T0 + 1),
      happened({ person: A, id: 'a3', at: T0 + 2 }),
      identified({ person: A, id: 'a4' }),
    );
    const outputs = world.run();
    expect(lines(outputs)).toEqual(['cio_a left keen']);
    expect(profileOf(outputs)).toMatchObject({ state: 'deleted', attributes: null });
    expect(of('eventsDropped', outputs).map(({ value }) => value)).toMatchObject([
      { reason: 'person_deleted', stage: 'trigger', message_id: 'a3', person_id: A, at: T0 + 2 },
      { reason: 'person_deleted', message_id: 'a4' },
    ]);
  });

  test('what is forwarded to them is dropped too', () => {
    const world = new World(rules);
    world.write(absorbed(B, A, 7), absorb(A, B, 7), deleted(A, 9, T0 + 1));
    world.run();
    world.write(happened({ person: B, id: 'b1', at: T0 + 2 }));
    expect(of('eventsDropped', world.run()).map(({ value }) => value)).toMatchObject([
      { reason: 'person_deleted', message_id: 'b1', person_id: A },
    ]);
  });
});
