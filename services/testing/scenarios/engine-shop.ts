/**
 * The trigger's partitions, people who are merged, taken apart and deleted, and a real engine that the sink has written to so
 * far: rules are stored at any step, and their past is read from there, however far behind its rows and facts are.
 */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs } from '../../../schemas/codec.ts';
import type { MergedEvent, PersonChange } from '../../../schemas/records.ts';
import type { Target } from '../../sink/target.ts';
import type { PastSource } from '../../trigger/past/source.ts';
import { together } from '../../trigger/past/together.ts';
import type { TriggerProcessor } from '../../trigger/processor.ts';
import type { WantedPast } from '../../trigger/wanted-past.ts';
import { of } from '../processor-harness.ts';
import { fieldsOf, happening, type Happening } from '../rule-arbitraries.ts';
import { EngineRows } from '../sink/engine-rows.ts';
import { messagesOf, transferOf } from './past-shop.ts';
import { SplitPeople } from './split-people.ts';
import { T0 } from './trigger-scenario.ts';
import type { World } from './trigger-world.ts';
import { worldWithPasts } from './world-with-pasts.ts';

const PEOPLE = 16;
const codecs = localCodecs();

/** A rule of a segment. */
export interface StoredRule {
  readonly id: string;
  readonly when: unknown;
}

export interface Engine {
  readonly target: Target;
  readonly past: PastSource;
}

export type EngineStep =
  | { readonly type: 'did'; readonly name: number; readonly what: Happening }
  | { readonly type: 'merge'; readonly from: number; readonly into: number }
  | { readonly type: 'split'; readonly name: number; readonly into: number | null }
  | { readonly type: 'delete'; readonly person: number }
  | { readonly type: 'define' }
  | { readonly type: 'run'; readonly batches: number }
  | { readonly type: 'reopen' }
  | {
      readonly type: 'tell';
      readonly messagesMax: number;
      readonly factsBehind: number;
      readonly rowsBehind: number;
    };

const index = fc.nat(1_000);
export const engineStep: fc.Arbitrary<EngineStep> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ type: fc.constant('did' as const), name: index, what: happening }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('merge' as const), from: index, into: index }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('split' as const),
      name: index,
      into: fc.option(index, { nil: null, freq: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), person: index }) },
  { weight: 3, arbitrary: fc.constant({ type: 'define' as const }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('run' as const), batches: fc.nat(800) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('tell' as const),
      messagesMax: fc.nat(12),
      factsBehind: fc.constantFrom(0, 0, 1, 2, 6),
      rowsBehind: fc.constantFrom(0, 5, 1_000),
    }),
  },
);

export class EngineShop {
  readonly people = new SplitPeople(PEOPLE);
  readonly rules = new Map<string, StoredRule>();
  readonly world: World;
  now = T0;
  readonly #processors = new Map<number, TriggerProcessor>();
  readonly #written = { merged: [0, 0, 0, 0], facts: 0, people: 0, place: 0 };
  readonly #engine: Engine;
  readonly #choices: readonly number[];
  readonly #graph = new Map<string, PersonChange['state']>();
  #choice = 0;
  #known = 0;

  /** @param choices of what comes next, wherever that is chance. */
  constructor(engine: Engine, choices: readonly number[]) {
    this.#engine = engine;
    this.#choices = choices;
    this.world = worldWithPasts(this.#processors);
  }

  define(rule: StoredRule): void {
    this.rules.set(rule.id, rule);
    const body = { name: rule.id, type: 'data_driven', when: rule.when };
    for (const { harness } of this.world.partitions) harness.define('segment', 'default', rule.id, body);
  }

  async take(one: EngineStep, undefinedRules: StoredRule[]): Promise<void> {
    const { people, world } = this;
    const pick = (all: readonly string[], at: number) => all[at % Math.max(1, all.length)] ?? '';
    switch (one.type) {
      case 'did': {
        this.now += one.what.afterMs;
        const { now: at } = this;
        const id = `m${String(world.partitions.reduce((sum, { log }) => sum + log.length, 0))}`;
        const fields = fieldsOf(one.what);
        world.write(
          ...people.did(pick(people.names, one.name), { id, at, timestamp: at - one.what.ageMs, fields }),
        );
        break;
      }
      case 'merge':
        world.write(
          ...people.merge(pick(people.alive, one.from), pick(people.alive, one.into), (this.now += 1)),
        );
        break;
      case 'split': {
        const into = one.into === null ? null : pick(people.alive, one.into);
        world.write(...people.split(pick(people.names, one.name), into, (this.now += 1)));
        break;
      }
      case 'delete':
        world.write(...people.delete(pick(people.alive, one.person), (this.now += 1)));
        break;
      case 'define':
        for (const rule of undefinedRules.splice(0, 2)) this.define(rule);
        break;
      case 'run':
        world.steps(one.batches, this.#choose);
        break;
      case 'reopen':
        world.reopen();
        break;
      case 'tell':
        await this.#sink(one.factsBehind, one.rowsBehind);
        await this.#tell(one.messagesMax);
        break;
    }
  }

  /** Everything has had its effect, and the engine knows all of it. */
  async settle(): Promise<void> {
    do {
      this.world.run(this.#choose);
      await this.#sink(0, 0);
    } while ((await this.#tell(Infinity)) > 0);
    expect(this.world.unsettled).toBe(0);
  }

  readonly #choose = (ways: number): number => {
    this.#choice += 1;
    return (this.#choices[this.#choice % this.#choices.length] ?? 0) % Math.max(1, ways);
  };

  /** What the reader says now, the first of it. */
  async #tell(messagesMax: number): Promise<number> {
    let told = 0;
    const all = [...this.#processors.values()].flatMap((processor) => processor.wantedPasts());
    for (const group of together(all)) {
      await this.#sinkMerged((partition, end) =>
        Math.max(...group.map((wanted) => neededOf(wanted, partition, end))),
      );
      const [{ workspace }] = group;
      for await (const { partition, message } of messagesOf(group, this.#engine.past, this.#known + 1)) {
        if (told >= messagesMax) return told;
        told += 1;
        this.world.partitions[partition]?.transfers.push(transferOf(workspace, message));
      }
    }
    return told;
  }

  /** @param factsBehind that have had no effect yet, though their rows may be there. */
  async #sink(factsBehind: number, rowsBehind: number): Promise<void> {
    await this.#sinkMerged((_partition, end) => end - rowsBehind);
    const { target } = this.#engine;
    const facts = new EngineRows('stored_facts');
    const all = this.people.facts;
    const effective = Math.max(this.#known, all.length - factsBehind);
    const insert = async (to: number) => {
      for (; this.#written.facts < to; this.#written.facts += 1) {
        const fact = all[this.#written.facts];
        if (fact === undefined) break;
        facts.add(codecs.IdentityFact.encode(fact), { partition: 0, offset: fact.number });
      }
      await facts.insert(target);
    };
    await insert(effective);
    await target.refreshToday('all');
    this.#known = effective;
    await insert(all.length);
    await this.#sinkPeople();
  }

  /** @param to the offset up to which the sink has written, at least. */
  async #sinkMerged(to: (partition: number, end: number) => number): Promise<void> {
    const rows = new EngineRows('stored_merged');
    for (const [partition, { log }] of this.world.partitions.entries()) {
      const from = this.#written.merged[partition] ?? 0;
      const end = Math.max(from, Math.min(log.length, to(partition, log.length)));
      for (let offset = from; offset < end; offset += 1) {
        const value = log[offset]?.value as MergedEvent; // what was written
        rows.add(codecs.MergedEvent.encode(value), { partition, offset });
      }
      this.#written.merged[partition] = end;
    }
    await rows.insert(this.#engine.target);
  }

  /** As the trigger and identity say it. */
  async #sinkPeople(): Promise<void> {
    const rows = new EngineRows('stored_people');
    const add = (change: PersonChange) => {
      this.#written.place += 1;
      rows.add(codecs.PersonChange.encode(change), { partition: 0, offset: this.#written.place });
    };
    const { outputs } = this.world;
    for (const { value } of of('peopleChanged', outputs.slice(this.#written.people))) add(value);
    this.#written.people = outputs.length;
    const alive = new Set(this.people.alive);
    for (const personId of new Set([...alive, ...this.#graph.keys()])) {
      const state = alive.has(personId) ? 'alive' : 'deleted';
      if (this.#graph.get(personId) === state) continue;
      this.#graph.set(personId, state);
      const nothing = { id: null, email: null, created_at: null, first_seen_at: null };
      add({
        ...{ aspect: 'graph', workspace: 'default', person_id: personId, at: this.now, state },
        ...{ ...nothing, version: state === 'alive' ? 1 : 2, absorbed_into: null },
        ...{ attributes: null, relationships: null },
      });
    }
    await rows.insert(this.#engine.target);
  }
}

/** The reader waits for as much as that (past/reader.ts). */
function neededOf({ apart, partition: own, rules }: WantedPast, partition: number, end: number): number {
  if (apart !== undefined) return end;
  return partition === own ? Math.max(...rules.map(({ fence }) => fence)) : 0;
}
