/**
 * A journey that takes people of before by the time of their trigger (`"include_current": "as_of_trigger"`): each trigger
 * leads to one entry or to one row that says why not, whenever it came and whatever died meanwhile.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs } from '../../schemas/codec.ts';
import type { MergedEvent } from '../../schemas/records.ts';
import { Definitions } from '../runtime/definitions.ts';
import { given, of, type Given } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import { absorb, absorbed, HOUR, happened, MINUTE, T0 } from '../testing/scenarios/trigger-scenario.ts';
import type { World } from '../testing/scenarios/trigger-world.ts';
import { worldWithPasts } from '../testing/scenarios/world-with-pasts.ts';
import { replayedRules } from './decide/replayed-rules.ts';
import { historiesOf, type HistoryRow } from './past/history-source.ts';
import type { PastEvent, PastHistories, PastSource } from './past/source.ts';
import { stretches } from './past/stretches.ts';
import { toldTo } from './past/together.ts';
import { triggerStretches } from './past/trigger-stretches.ts';
import { encodePast, type PastMessage } from './past-messages.ts';
import type { TriggerProcessor } from './processor.ts';

const codecs = localCodecs();
const people = ['cio_a', 'cio_b', 'cio_c', 'cio_d'];

class Shop {
  readonly world: World;
  readonly #processors = new Map<number, TriggerProcessor>();
  readonly #definitions = new Definitions();

  constructor() {
    this.world = worldWithPasts(this.#processors);
  }

  define(journey: object): void {
    const body = { name: 'J', state: 'running', include_current: 'as_of_trigger', ...journey };
    for (const { harness } of this.world.partitions) harness.define('journey', 'default', 'j', body);
    const version = this.#definitions.versionOf('journey', 'default', 'j') + 1;
    const shared = { workspace: 'default', kind: 'journey', id: 'j', deleted: false, at: T0 } as const;
    this.#definitions.apply(this.#definitions.offset, { ...shared, version, body: JSON.stringify(body) });
  }

  /** What the reader says now; the first `messagesMax` of it. */
  async tell(messagesMax = Infinity): Promise<number> {
    const stored = this.#definitions.get('journey', 'default', 'j');
    const rules = stored && replayedRules(this.#definitions, 'default', stored);
    let told = 0;
    for (const wanted of [...this.#processors.values()].flatMap((processor) => processor.wantedPasts())) {
      if (rules === undefined) throw new Error('the journey is good');
      const messages =
        wanted.placing === undefined
          ? stretches([wanted], this.#counted(), 0)
          : toldTo(
              wanted.partition,
              triggerStretches(wanted, this.#source(), { replayed: rules, factsTo: 0 }),
            );
      for await (const { message } of messages) {
        if (told >= messagesMax) break;
        told += 1;
        this.world.partitions[wanted.partition]?.transfers.push(transferOf(wanted.workspace, message));
      }
    }
    return told;
  }

  async settle(choose?: (ways: number) => number): Promise<void> {
    do this.world.run(choose);
    while ((await this.tell()) > 0);
  }

  /** When, whose, because of what, and what came of it. */
  get outcomes(): readonly Outcome[] {
    const entered = of('journeysEntered', this.world.outputs).map(({ value }) => ({
      ...{ person: value.person_id, at: value.entered_at, key: value.key, id: value.trigger_message_id },
      outcome: 'entered',
    }));
    const skipped = of('journeysSkipped', this.world.outputs).map(({ value }) => ({
      ...{ person: value.person_id, at: value.at, key: value.key, id: value.trigger_message_id },
      outcome: value.reason,
    }));
    return [...entered, ...skipped].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  /** Of the filters' conditions. */
  #counted(): PastSource {
    return {
      read: ({ names, parts }) => {
        const { partition = 0, fence = 0, from = '' } = parts[0] ?? {};
        const rows = this.#log(partition).slice(0, fence).map(rowOf);
        const events = rows
          .flatMap(([row], offset): PastEvent[] => {
            if (row === undefined || row.personId < from || !names?.includes(row.name ?? '')) return [];
            const { personId, name, messageId, receivedAt } = row;
            const asked = {
              name,
              messageId,
              receivedAt,
              time: receivedAt,
              type: 'event',
              properties: () => ({}),
            } as const;
            return [{ writtenId: personId, personId, partition, offset, event: asked }];
          })
          .sort((a, b) => (a.writtenId < b.writtenId ? -1 : a.writtenId === b.writtenId ? 0 : 1));
        const count = new Set(events.map(({ writtenId }) => writtenId)).size;
        const people = new Map([[partition, count]]);
        return Promise.resolve({ people, asOf: T0, asOfFact: 10 ** 9, events: inTurn(events) });
      },
      person: () => Promise.reject(new Error('nobody is taken apart')),
    };
  }

  #log(partition: number): readonly Given[] {
    return this.world.partitions[partition]?.log ?? [];
  }

  #source(): PastHistories {
    const log = (partition: number) => this.#log(partition);
    return {
      histories: async function* ({ partition, fence, names, triggerNames, from }) {
        const rows = log(partition).slice(0, fence).flatMap(rowOf);
        const triggering = rows.filter(({ name }) => triggerNames?.includes(name ?? '') ?? true);
        const ids = [...new Set(triggering.map(({ personId }) => personId))].sort();
        for (const writtenId of ids.filter((id) => id >= from)) {
          const own = rows.filter(
            ({ personId, name }) => personId === writtenId && names?.includes(name ?? ''),
          );
          const nothing = { id: null, email: null, attributes: null, relationships: null, firstSeenAt: T0 };
          const histories = historiesOf([{ personId: writtenId, ...nothing }], own);
          yield await Promise.resolve({
            people: [{ writtenId, histories }],
            of: ids.length,
            ...{ asOf: T0, asOfFact: 10 ** 9 },
          });
        }
      },
    };
  }
}

async function* inTurn<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

interface Outcome {
  readonly person: string;
  readonly at: number;
  readonly key: string | null;
  readonly id: string | null;
  readonly outcome: string;
}

function rowOf({ value }: Given): HistoryRow[] {
  const { kind, event, person_id: personId, merged_at: mergedAt } = value as MergedEvent; // what was written
  if (kind !== 'event' || event?.type !== 'event') return [];
  const { type, name, message_id: messageId, timestamp, received_at: receivedAt, properties } = event;
  const row = { personId, type, name, messageId, timestamp, receivedAt, mergedAt, properties };
  return [{ ...row, anonymousId: null, previouslyAnonymous: false, bot: event.bot }];
}

function transferOf(workspace: string, message: PastMessage): Given {
  const value = codecs.Transfer.decode(encodePast(codecs, workspace, '', message));
  return given('triggerTransfers', `${workspace}:`, value);
}

const cart = { event: 'Added to Cart' };
const stall = { ...cart, without: { event: 'Order Completed' }, for: 'PT10M' };
const often = { mode: 'every_rematch' };
const journeys = [
  { trigger: cart, frequency: often },
  { trigger: cart, key: 'cart_id' },
  {
    trigger: cart,
    frequency: { mode: 'interval', every: 'PT30M' },
    filters: { ...cart, count: { at_least: 2 } },
  },
  { trigger: cart, frequency: { mode: 'at_most', times: 2, per: 'PT1H' }, holdout: 0.4, key: 'cart_id' },
  { trigger: stall, key: 'cart_id' },
  { trigger: stall, frequency: often },
] as const;

interface Did {
  readonly type: 'event';
  readonly person: string;
  readonly name: string;
  readonly key: string;
  readonly minutes: number;
}
type Step =
  | Did
  | { readonly type: 'run' }
  | { readonly type: 'reopen' }
  | { readonly type: 'tell'; readonly messagesMax: number };

const did: fc.Arbitrary<Did> = fc.record({
  type: fc.constant('event' as const),
  person: fc.constantFrom(...people),
  name: fc.constantFrom('Added to Cart', 'Added to Cart', 'Order Completed', 'Other'),
  key: fc.constantFrom('c1', 'c2'),
  minutes: fc.integer({ min: 1, max: 15 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: did },
  { weight: 3, arbitrary: fc.constant({ type: 'run' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' as const }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('tell' as const), messagesMax: fc.nat(3) }) },
);

interface Play {
  readonly journey: object;
  /** Which of the steps the journey comes before. */
  readonly at: number;
  /** All of its past is in before anything more happens. */
  readonly settles: boolean;
  readonly choices: readonly number[];
}

async function play(steps: readonly Step[], { journey, at, settles, choices }: Play): Promise<Shop> {
  const shop = new Shop();
  let [time, next] = [T0, 0];
  const choose = (ways: number) => (choices[(next += 1) % choices.length] ?? 0) % Math.max(1, ways);
  const define = async () => {
    if (settles) await shop.settle(choose);
    shop.define(journey);
    if (settles) await shop.settle(choose);
  };
  for (const [index, one] of steps.entries()) {
    if (index === at) await define();
    if (one.type === 'event') {
      time += one.minutes * MINUTE + 1;
      const { person, name, key } = one;
      shop.world.write(
        happened({ person, name, at: time, id: `m${String(index)}`, properties: { cart_id: key } }),
      );
    } else if (one.type === 'run') shop.world.run(choose);
    else if (one.type === 'reopen') shop.world.reopen();
    else await shop.tell(one.messagesMax);
  }
  if (at >= steps.length) await define();
  await shop.settle(choose);
  shop.world.until(time + 2 * HOUR);
  await shop.settle(choose);
  return shop;
}

const history = fc.record({
  steps: fc.array(step, { minLength: 5, maxLength: 30 }),
  at: fc.nat(30),
  journey: fc.constantFrom(...journeys),
  choices: fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }),
});

describe('a journey that takes people of before as of their trigger', () => {
  test('has the entries and the skips that it would have had if it had been there first, at their times', async () => {
    let placed = 0;
    await fc.assert(
      fc.asyncProperty(history, async ({ steps, at, journey, choices }) => {
        const later = await play(steps, { journey, at, settles: true, choices });
        const first = await play(steps, { journey, at: 0, settles: true, choices: [0] });
        expect(later.outcomes).toEqual(first.outcomes);
        expect(later.world.unsettled).toBe(0);
        placed += later.outcomes.length;
      }),
      { numRuns: runs(5) },
    );
    expect(placed).toBeGreaterThan(0);
  });

  test('decides every trigger once, also of what comes while the past is read', async () => {
    const triggerOf = ({ person, key, id }: Outcome) => [person, key, id].join(' ');
    await fc.assert(
      fc.asyncProperty(history, async ({ steps, at, journey, choices }) => {
        const later = await play(steps, { journey, at, settles: false, choices });
        const first = await play(steps, { journey, at: 0, settles: true, choices: [0] });
        const [told, expected] = [later, first].map(({ outcomes }) => outcomes.map(triggerOf).sort());
        expect(told).toEqual(expected);
        expect(new Set(told).size).toBe(told?.length);
      }),
      { numRuns: runs(5) },
    );
  });

  test('lets somebody who was merged away since in once, as who they are', async () => {
    const shop = new Shop();
    shop.world.write(
      happened({ person: 'cio_b', id: 'm1' }),
      happened({ person: 'cio_a', id: 'm2', at: T0 + MINUTE }),
    );
    const at = T0 + HOUR;
    shop.world.write(absorb('cio_a', 'cio_b', 1, at), absorbed('cio_b', 'cio_a', 1, at));
    await shop.settle();
    shop.define({ trigger: cart });
    await shop.settle();
    const told = shop.outcomes.map(({ person, outcome }) => `${person} ${outcome}`);
    expect(told.sort()).toEqual(['cio_a entered', 'cio_a frequency']);
  });

  test('has an outcome for each of several triggers of one millisecond', async () => {
    for (const [frequency, expected] of [
      [often, ['m1 entered', 'm2 entered']],
      [{ mode: 'once' }, ['m1 entered', 'm2 frequency']],
    ] as const) {
      const shop = new Shop();
      shop.world.write(happened({ id: 'm1' }), happened({ id: 'm2' }));
      await shop.settle();
      shop.define({ trigger: cart, frequency });
      await shop.settle();
      expect(shop.outcomes.map(({ id, outcome }) => `${String(id)} ${outcome}`)).toEqual(expected);
    }
  });

  test('takes its past once in its life: not after an edit, nor when it is stopped and runs again', async () => {
    const shop = new Shop();
    shop.world.write(happened({ id: 'm1' }));
    await shop.settle();
    shop.define({ trigger: cart, frequency: often });
    await shop.settle();
    shop.define({ trigger: cart, frequency: often, state: 'stopped' });
    await shop.settle();
    shop.define({ trigger: cart, frequency: often, name: 'K' });
    await shop.settle();
    shop.world.write(happened({ id: 'm2', at: T0 + HOUR }));
    await shop.settle();
    expect(shop.outcomes.map(({ id, at, outcome }) => [id, at, outcome])).toEqual([
      ['m1', T0, 'entered'],
      ['m2', T0 + HOUR, 'entered'],
    ]);
  });
});
