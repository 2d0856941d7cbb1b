/**
 * A segment that is made later has the members that it would have had if it had been there first: whoever was merged before,
 * while and after its past was read, however late that was, and whatever died meanwhile (contract, *Definitions*).
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MergedEvent } from '../../schemas/records.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import { windowTime, type RuleEvent } from '../rules/matching.ts';
import { given, of, type Given, type ProcessorHarness } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import { absorb, absorbed, happened, MINUTE, T0 } from '../testing/scenarios/trigger-scenario.ts';
import { membersOf, World } from '../testing/scenarios/trigger-world.ts';
import { localCodecs } from '../../schemas/codec.ts';
import type { PastEvent, PastSource } from './past/source.ts';
import { stretches } from './past/stretches.ts';
import { encodePast, type PastMessage } from './past-messages.ts';
import type { WantedPast } from './pasts.ts';
import type { TriggerProcessor } from './processor.ts';
import { triggerServiceWith } from './service.ts';

const PARTITIONS = 4;
const codecs = localCodecs();

/** Partitions of a trigger whose rules have a past, and a store that has all that was written. */
class Shop {
  readonly world: World;
  readonly #processors = new Map<number, TriggerProcessor>();

  constructor() {
    this.world = new World(
      () => undefined,
      () =>
        triggerServiceWith({
          hasPasts: true,
          onOpened: (partition, processor) => this.#processors.set(partition, processor),
        }),
    );
  }

  define(when: unknown, rest: object = {}): void {
    for (const { harness } of this.world.partitions) defineIn(harness, when, rest);
  }

  /** What the reader says now to partitions that want it; the first `messagesMax` of it. */
  async tell(messagesMax = Infinity): Promise<number> {
    const all = [...this.#processors.values()].flatMap((processor) => processor.wantedPasts());
    let told = 0;
    for (const wanted of all) told += await this.#tellOne(wanted, messagesMax - told);
    return told;
  }

  async #tellOne(wanted: WantedPast, messagesMax: number): Promise<number> {
    let told = 0;
    for await (const message of stretches(wanted, this.#source())) {
      if (told >= messagesMax) break;
      told += 1;
      this.world.partitions[wanted.partition]?.transfers.push(transferOf(wanted.workspace, message));
    }
    return told;
  }

  async settle(choose?: (ways: number) => number): Promise<void> {
    do this.world.run(choose);
    while ((await this.tell()) > 0);
  }

  get members(): readonly string[] {
    return membersOf('keen', this.world.outputs);
  }

  #source(): PastSource {
    return {
      read: ({ partition, fence, names, from }) => {
        const log = this.world.partitions[partition]?.log ?? [];
        const events = log
          .slice(0, fence)
          .flatMap((record, offset) => pastOf(record, offset))
          .filter(({ writtenId, event }) => writtenId >= from && (names?.includes(event.name ?? '') ?? true))
          .sort((a, b) => (a.writtenId < b.writtenId ? -1 : a.writtenId === b.writtenId ? 0 : 1));
        const people = new Set(events.map(({ writtenId }) => writtenId)).size;
        return Promise.resolve({ people, asOf: T0 + 10 ** 9, events: inTurn(events) });
      },
    };
  }
}

async function* inTurn<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

function transferOf(workspace: string, message: PastMessage): Given {
  const value = codecs.Transfer.decode(encodePast(codecs, workspace, '', message));
  return given('triggerTransfers', `${workspace}:`, value);
}

function pastOf({ value }: Given, offset: number): PastEvent[] {
  const { kind, event, person_id: writtenId } = value as MergedEvent; // what was written to the stream
  if (kind !== 'event' || event === null) return [];
  const { type, name, message_id: messageId, timestamp, received_at: receivedAt } = event;
  if (type !== 'event') return [];
  const time = windowTime(timestamp, receivedAt);
  const seen: RuleEvent = { type, name, messageId, time, receivedAt, properties: () => ({}) };
  return [{ writtenId, personId: writtenId, offset, event: seen }];
}

function defineIn(harness: ProcessorHarness, when: unknown, rest: object): void {
  harness.define('segment', 'default', 'keen', { name: 'Keen', type: 'data_driven', when, ...rest });
}

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
  | { readonly type: 'merge'; readonly from: string; readonly into: string }
  | { readonly type: 'run' | 'define' | 'reopen' }
  | { readonly type: 'tell'; readonly messagesMax: number };

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
  { weight: 3, arbitrary: fc.constant({ type: 'run' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' as const }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('tell' as const), messagesMax: fc.nat(3) }) },
);

/** @param at which of the steps the definition comes before. */
async function play(
  steps: readonly Step[],
  at: number,
  rule: unknown,
  choices: readonly number[],
): Promise<Shop> {
  const shop = new Shop();
  const gone = new Set<string>();
  let [fact, next] = [0, 0];
  const choose = (ways: number) => (choices[(next += 1) % choices.length] ?? 0) % Math.max(1, ways);
  for (const [index, one] of steps.entries()) {
    if (index === at) shop.define(rule);
    const time = T0 + index * MINUTE;
    switch (one.type) {
      case 'event':
        if (!gone.has(one.person)) {
          shop.world.write(
            happened({ person: one.person, name: one.name, at: time, id: `m${String(index)}` }),
          );
        }
        break;
      case 'merge':
        if (one.from === one.into || gone.has(one.from) || gone.has(one.into)) break;
        gone.add(one.from);
        fact += 1;
        shop.world.write(absorb(one.into, one.from, fact, time), absorbed(one.from, one.into, fact, time));
        break;
      case 'run':
        shop.world.run(choose);
        break;
      case 'reopen':
        shop.world.reopen();
        break;
      case 'tell':
        await shop.tell(one.messagesMax);
        break;
      case 'define':
        break;
    }
  }
  if (at >= steps.length) shop.define(rule);
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
        const later = await play(steps, at, rule, choices);
        const first = await play(steps, 0, rule, [0]);
        expect(later.members).toEqual(first.members);
        expect(later.world.unsettled).toBe(0);
      }),
      { numRuns: runs(20) },
    );
  });

  test('lets nobody in or out before all of its past is in, and then everybody at once, for whom no journey starts', async () => {
    const shop = new Shop();
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
    const shop = new Shop();
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
    const shop = new Shop();
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
    const shop = new Shop();
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
});
