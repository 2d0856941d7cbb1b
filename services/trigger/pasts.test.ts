/**
 * A segment that is made later has the members that it would have had if it had been there first: whoever was merged before,
 * while and after its past was read, however late that was, and whatever died meanwhile (contract, *Definitions*).
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { partitionOf } from '../../schemas/partitioner.ts';
import { of } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import { PastShop, transferOf } from '../testing/scenarios/past-shop.ts';
import { absorb, absorbed, happened, lines, MINUTE, T0 } from '../testing/scenarios/trigger-scenario.ts';
import { membersOf } from '../testing/scenarios/trigger-world.ts';

const PARTITIONS = 4;
const twice = { event: 'Added to Cart', count: { at_least: 2 } };
const rules = [
  twice,
  { all: [twice, { not: { event: 'Order Completed' } }] },
  { event: 'Added to Cart', count: { at_most: 1 } },
  { sequence: [{ event: 'Added to Cart' }, { event: 'Order Completed' }] },
  { any: [{ event: 'Order Completed', count: { at_least: 3 } }, { not: twice }] },
];
const people = ['cio_a', 'cio_b', 'cio_c', 'cio_d', 'cio_e', 'cio_f'];

type Step =
  | { readonly type: 'event'; readonly person: string; readonly name: string }
  | { readonly type: 'merge' | 'split'; readonly from: string; readonly into: string }
  | { readonly type: 'run' | 'reopen' }
  | { readonly type: 'batches'; readonly batchesMax: number }
  | { readonly type: 'tell'; readonly messagesMax: number; readonly factsBehind: number };

const who = fc.constantFrom(...people);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('event' as const),
      person: who,
      name: fc.constantFrom('Added to Cart', 'Order Completed', 'Other'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('merge' as const), from: who, into: who }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('split' as const), from: who, into: who }) },
  { weight: 3, arbitrary: fc.constant({ type: 'run' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('batches' as const),
      batchesMax: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('tell' as const),
      messagesMax: fc.nat(3),
      factsBehind: fc.constantFrom(0, 0, 1, 3),
    }),
  },
);

interface Edit {
  /** Which of the steps it comes before. */
  readonly at: number;
  /** undefined: it is deleted. */
  readonly rule: unknown;
}

async function play(
  steps: readonly Step[],
  edits: readonly Edit[],
  choices: readonly number[],
): Promise<PastShop> {
  const shop = new PastShop();
  const gone = new Set<string>();
  let next = 0;
  const choose = (ways: number) => (choices[(next += 1) % choices.length] ?? 0) % Math.max(1, ways);
  for (const [index, one] of steps.entries()) {
    for (const { at, rule } of edits) if (index === at) shop.define(rule);
    const time = T0 + index * MINUTE;
    switch (one.type) {
      case 'event':
        if (!gone.has(one.person)) shop.did(one.person, `m${String(index)}`, one.name, time);
        break;
      case 'merge':
        if (one.from === one.into || gone.has(one.from) || gone.has(one.into)) break;
        gone.add(one.from);
        shop.merge(one.from, one.into, time);
        break;
      case 'split':
        if (one.from === one.into || gone.has(one.from) || gone.has(one.into)) break;
        shop.split(one.from, one.into, time);
        break;
      case 'run':
        shop.world.run(choose);
        break;
      case 'reopen':
        shop.world.reopen();
        break;
      case 'tell':
        shop.factsBehind = one.factsBehind;
        await shop.tell(one.messagesMax);
        break;
      case 'batches':
        shop.world.steps(one.batchesMax, choose);
        break;
    }
  }
  for (const { at, rule } of edits) if (at >= steps.length) shop.define(rule);
  await shop.settle(choose);
  return shop;
}

describe('a segment that is made later', () => {
  test('has the members that it would have had if it had been there first', async () => {
    const history = fc.record({
      steps: fc.array(step, { minLength: 5, maxLength: 40 }),
      at: fc.nat(40),
      rule: fc.constantFrom(...rules),
      choices: fc.array(fc.nat(20), { minLength: 1, maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(history, async ({ steps, at, rule, choices }) => {
        const later = await play(steps, [{ at, rule }], choices);
        const first = await play(steps, [{ at: 0, rule }], [0]);
        expect(later.members).toEqual(first.members);
        expect(later.members).toEqual(later.expected(rule));
        expect(later.world.unsettled).toBe(0);
      }),
      { numRuns: runs(20) },
    );
  });

  test('has the members of its last rule, whatever rules it had while their past was read, deleted or not', async () => {
    const edit = fc.constantFrom(...rules, undefined);
    const edits = fc.array(fc.record({ at: fc.nat(30), rule: edit }), { minLength: 1, maxLength: 4 });
    const steps = fc.array(step, { minLength: 5, maxLength: 30 });
    const choices = fc.array(fc.nat(20), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        steps,
        edits,
        fc.constantFrom(...rules),
        choices,
        async (told, former, last, chosen) => {
          const lastAt = Math.max(...former.map(({ at }) => at)) + 1;
          const all = [...former, { at: lastAt, rule: last }];
          const shop = await play(told, all, chosen);
          expect(shop.members).toEqual(shop.expected(last));
          expect(shop.world.unsettled).toBe(0);
          const isMet = shop.world.partitions.some(({ log }) => log.length > 0);
          expect(shop.kept).toBe(isMet ? PARTITIONS : 0);
        },
      ),
      { numRuns: runs(20) },
    );
  });

  test('is read to its end after a start, though nothing more comes', async () => {
    const shop = new PastShop();
    shop.define(twice);
    shop.split('cio_a', 'cio_e', T0);
    shop.merge('cio_a', 'cio_c', T0 + MINUTE);
    shop.world.run();
    expect(shop.world.unsettled).toBe(2);
    shop.world.reopen();
    await shop.settle();
    expect(shop.world.unsettled).toBe(0);
  });

  test('goes on through what time turns of a segment that refers to it, while its past is read', async () => {
    const shop = new PastShop();
    const when = { any: [{ segment: 'keen' }, { event: 'Other', within: 'PT1M' }] };
    for (const { harness } of shop.world.partitions) {
      harness.define('segment', 'default', 'lately', { name: 'Lately', type: 'data_driven', when });
    }
    await shop.settle();
    const carts = [1, 2].map((n) => happened({ id: `m${String(n)}` }));
    shop.world.write(...carts, happened({ name: 'Other', at: T0 + 1 }));
    await shop.settle();
    expect(membersOf('lately', shop.world.outputs)).toEqual(['cio_a']);
    shop.define({ event: 'Added to Cart', count: { at_least: 3 } });
    shop.world.run();
    shop.world.until(T0 + 2 * MINUTE);
    shop.world.run();
    expect(membersOf('lately', shop.world.outputs)).toEqual(['cio_a']); // nobody turns yet
    await shop.settle();
    expect(membersOf('lately', shop.world.outputs)).toEqual([]);
  });

  test('lets nobody in or out before all of its past is in, and then everybody at once, for whom no journey starts', async () => {
    const shop = new PastShop();
    const journey = { name: 'J', state: 'running', trigger: { segment: 'keen', on: 'enter' } };
    for (const { harness } of shop.world.partitions) harness.define('journey', 'default', 'j', journey);
    const carts = people.flatMap((person) => [happened({ person }), happened({ person, at: T0 + MINUTE })]);
    shop.world.write(...carts);
    shop.world.run();
    shop.define(twice);
    shop.world.write(happened({ person: 'cio_a', at: T0 + 2 * MINUTE }));
    shop.world.run();
    expect([shop.members, shop.world.unsettled > 0]).toEqual([[], true]);
    await shop.tell();
    shop.world.run();
    expect([shop.members, shop.world.unsettled]).toEqual([people, 0]);
    expect(of('journeysEntered', shop.world.outputs)).toEqual([]);
  });

  test('counts once what was read before it was there and is handled after', async () => {
    const shop = new PastShop();
    shop.world.write(absorb('cio_a', 'cio_b', 1), happened({ person: 'cio_a', at: T0 + MINUTE }));
    shop.world.run(); // the event waits for the state of cio_b
    shop.define(twice);
    shop.world.run();
    await shop.tell();
    shop.world.run();
    shop.world.write(absorbed('cio_b', 'cio_a', 1, T0 + 2 * MINUTE));
    await shop.settle();
    expect([shop.members, shop.world.unsettled]).toEqual([[], 0]);
    shop.world.write(happened({ person: 'cio_a', at: T0 + 3 * MINUTE }));
    await shop.settle();
    expect(shop.members).toEqual(['cio_a']);
  });

  test('that is there before anything happens turns at the event, and starts what waits for it', () => {
    const shop = new PastShop();
    const journey = { name: 'J', state: 'running', trigger: { segment: 'keen', on: 'enter' } };
    for (const { harness } of shop.world.partitions) harness.define('journey', 'default', 'j', journey);
    shop.define(twice);
    shop.world.write(happened({}), happened({ id: 'm2', at: T0 + MINUTE }));
    shop.world.run();
    expect(of('journeysEntered', shop.world.outputs).map(({ value }) => value.trigger_message_id)).toEqual([
      'm2',
    ]);
  });

  test('what a reader says twice, or with a hole, changes nothing', async () => {
    const shop = new PastShop();
    shop.world.write(...people.map((person) => happened({ person })));
    shop.world.run();
    shop.define(twice);
    shop.world.run();
    await shop.tell();
    await shop.tell();
    const partition = partitionOf('default:cio_a', PARTITIONS);
    const hole = { type: 'end', rules: { 's:keen': 1 }, from: 'cio_zzz' } as const;
    shop.world.partitions[partition]?.transfers.unshift(transferOf('default', hole));
    await shop.settle();
    expect([shop.members, shop.world.unsettled]).toEqual([[], 0]);
  });

  test('what a reader says of a fence that was never there, since the batch that had it was not committed, changes nothing', async () => {
    const shop = new PastShop();
    shop.world.write(happened({ person: 'cio_a' }), happened({ person: 'cio_a' }));
    shop.world.run();
    shop.define(twice);
    shop.world.run();
    const partition = partitionOf('default:cio_a', PARTITIONS);
    const other = { rules: { 's:keen': 1 }, from: '', fences: { 's:keen': 10_000 } };
    shop.world.partitions[partition]?.transfers.push(transferOf('default', { type: 'end', ...other }));
    shop.world.run();
    expect(shop.world.unsettled).toBeGreaterThan(0);
    await shop.settle();
    expect([shop.members, shop.world.unsettled]).toEqual([['cio_a'], 0]);
  });
});

describe('people who are taken apart', () => {
  const keen = { event: 'Added to Cart', count: { at_least: 2 } };

  test('are where what is theirs puts them, once it is read; until then they stay where they are', async () => {
    const shop = new PastShop();
    shop.define(keen);
    for (const [at, id] of ['m2', 'm4', 'm1', 'm3'].entries())
      shop.did('cio_a', id, 'Added to Cart', T0 + at);
    shop.did('cio_b', 'm6', 'Added to Cart', T0 + 5);
    await shop.settle();
    expect(shop.members).toEqual(['cio_a']);
    shop.split('cio_a', 'cio_new', T0 + MINUTE);
    shop.world.run();
    const before = shop.world.outputs.length;
    expect([shop.members, shop.world.unsettled]).toEqual([['cio_a'], 2]);
    // What the engine does not know of yet is not told.
    shop.factsBehind = 1;
    expect(await shop.tell()).toBe(0);
    await shop.settle();
    expect([shop.members, shop.world.unsettled]).toEqual([['cio_a', 'cio_new'], 0]);
    const changes = lines(shop.world.outputs.slice(before));
    expect(changes).toEqual(['cio_new entered keen']);
  });

  test('count on from there, each event once, also one that came while their past was read', async () => {
    const shop = new PastShop();
    shop.define({ event: 'Added to Cart', count: { at_least: 3 } });
    for (const id of ['m2', 'm1']) shop.did('cio_a', id, 'Added to Cart', T0);
    await shop.settle();
    shop.split('cio_a', 'cio_new', T0 + MINUTE);
    shop.did('cio_a', 'm4', 'Added to Cart', T0 + 2 * MINUTE);
    await shop.settle();
    expect(shop.members).toEqual([]);
    shop.did('cio_a', 'm6', 'Added to Cart', T0 + 3 * MINUTE);
    await shop.settle();
    expect(shop.members).toEqual(['cio_a']);
  });

  test('start no journey by it', async () => {
    const shop = new PastShop();
    for (const { harness } of shop.world.partitions) {
      const journey = { name: 'J', state: 'running', trigger: { segment: 'keen', on: 'enter' } };
      harness.define('journey', 'default', 'j', { ...journey, include_current: true });
    }
    shop.define(keen);
    for (const id of ['m1', 'm3', 'm2', 'm4']) shop.did('cio_a', id, 'Added to Cart', T0);
    shop.split('cio_a', 'cio_new', T0 + MINUTE);
    await shop.settle();
    expect([shop.members, of('journeysEntered', shop.world.outputs).length]).toEqual([
      ['cio_a', 'cio_new'],
      1,
    ]);
  });
});
