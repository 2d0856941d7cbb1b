/**
 * What holds of the graph whatever comes: it is the fold of identity.log and nothing else, it agrees with itself, a
 * request asked twice adds no fact, and merges of different people commute (promise 3).
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toWorkspace } from '../../../schemas/ids.ts';
import { assert } from '../../runtime/errors.ts';
import { memoryStores } from '../../testing/memory/memory-stores.ts';
import { evolve } from '../decide/evolve.ts';
import { GraphRows, type Person } from './graph-rows.ts';
import { graphRows, Scenario } from '../../testing/scenarios/identity-scenario.ts';
import { runs } from '../../testing/runs.ts';

const RUNS = runs(60);
const ids = ['1', '2', '3', '__proto__', 'constructor', '#1'];
const emails = ['a@x.io', 'A@X.io', 'b@x.io', 'ü@x.io'];
const visitors = ['v1', 'v2', 'v3', '__proto__', 'a/b', '#v1'];
const paths = [...ids, ...emails];

type Step = (shop: Scenario) => void;
/** A step that prints what it does when a property fails. */
function step(does: object, run: Step): Step {
  return Object.assign(run, { [fc.toStringMethod]: () => JSON.stringify(does) });
}
const path = fc.constantFrom(...paths);
const claims = fc
  .record({
    path,
    anonymousId: fc.option(fc.constantFrom(...visitors)),
    id: fc.option(fc.constantFrom(...ids), { nil: undefined }),
    email: fc.option(fc.constantFrom(...emails), { nil: undefined }),
    byCioId: fc.boolean(),
    updateOnly: fc.boolean(),
  })
  .map((does) =>
    step(does, (shop) => {
      const { id, email, byCioId, path: named, ...rest } = does;
      const cioId = byCioId ? shop.person(named)?.personId : undefined;
      const body = { ...(id !== undefined && { id }), ...(email !== undefined && { email }) };
      shop.now += 1_000;
      shop.claim({ ...rest, path: cioId ?? named, ...body });
    }),
  );
const controls = fc.oneof(
  fc
    .record({ kind: fc.constantFrom('delete' as const, 'suppress' as const, 'unsuppress' as const), path })
    .map((does) => step(does, (shop) => shop.control(does.kind, does.path))),
  fc
    .record({ merge: path, with: path })
    .map((does) => step(does, (shop) => shop.merge(does.merge, does.with))),
  fc
    .record({
      from: path,
      into: fc.option(path),
      anonymous_ids: fc.subarray(visitors),
      identifiers: fc.subarray(paths),
    })
    .map((does) => step(does, (shop) => shop.split(does.from, does))),
);
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: claims }, { weight: 2, arbitrary: controls }), {
  minLength: 1,
  maxLength: 30,
});

const everyGuard = {
  guards: {
    anonymous_ids_per_person: { at_most: 2, within_ms: 5_000 },
    people_per_anonymous_id: { at_most: 2, within_ms: 5_000 },
    merges_per_minute: 3,
  },
};

function played(history: readonly Step[], guarded: boolean): Scenario {
  const shop = new Scenario();
  if (guarded) shop.settings(everyGuard);
  for (const step of history) step(shop);
  return shop;
}

describe('the graph', () => {
  test('promise 3: is the fold of identity.log, from nothing, byte for byte', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (history, guarded) => {
        const shop = played(history, guarded);
        const stores = memoryStores({});
        const rows = new GraphRows(stores.keyed, toWorkspace('shop'));
        for (const fact of shop.facts()) evolve(rows, fact);
        rows.flush();
        expect(graphRows(stores.keyed)).toEqual(graphRows(shop.harness.stores.keyed));
        expect(shop.facts().map(({ number }) => number)).toEqual(shop.facts().map((_, index) => index + 1));
      }),
      { numRuns: RUNS },
    );
  });

  test('agrees with itself: an identifier is its living person’s, a suppressed one nobody’s, absorbed people end at somebody', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const shop = played(history, false);
        for (const person of people(shop)) {
          for (const kind of ['id', 'email'] as const) {
            const value = person[kind];
            if (value === null) continue;
            expect(person.state).toBe('alive');
            expect(shop.graph.find({ kind, value })?.personId).toBe(person.personId);
            expect(shop.graph.isSuppressed({ kind, value })).toBe(false);
          }
          if (person.state === 'absorbed') expect(person.absorbedInto).not.toBeNull();
        }
        for (const visitor of visitors) {
          const owner = shop.graph.ownerOf(visitor);
          if (owner !== undefined) expect(shop.graph.person(owner)?.state).not.toBe('absorbed');
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('a request asked again under another number adds no fact', () => {
    fc.assert(
      fc.property(steps, claims, (history, again) => {
        const shop = played(history, false);
        again(shop);
        const before = shop.facts().length;
        const request = shop.sent.at(-1);
        assert(request !== undefined, 'the claim was sent');
        shop.send({ ...request, request_number: 1_000_000 });
        expect(shop.facts()).toHaveLength(before);
      }),
      { numRuns: RUNS },
    );
  });

  test('a restart before any batch changes no byte', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (history, guarded) => {
        const { harness } = played(history, guarded);
        expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });
});

describe('promise 3: merges of different people commute', () => {
  test('whatever their order, the same people are left with the same identifiers and visitors', () => {
    const population = Array.from({ length: 12 }, (_, each) => String(each + 1));
    const someone = (shop: Scenario, each: string, index: number): void => {
      const email = index % 3 === 0 ? { email: `${each}@x.io` } : {};
      shop.claim({ path: each, anonymousId: `visitor-${each}`, ...email });
    };
    const order = fc.shuffledSubarray(population, { minLength: population.length });
    fc.assert(
      fc.property(order, fc.infiniteStream(fc.nat()), (pairs, choices) => {
        const merges = Array.from({ length: pairs.length / 2 }, (_, each) =>
          pairs.slice(2 * each, 2 * each + 2),
        );
        const shuffled = merges
          .map((merge) => ({ merge, rank: Number(choices.next().value) }))
          .sort((a, b) => a.rank - b.rank);
        const [one, other] = [merges, shuffled.map(({ merge }) => merge)].map((all) => {
          const shop = new Scenario();
          population.forEach((each, index) => {
            someone(shop, each, index);
          });
          for (const [a = '', b = ''] of all) shop.merge(a, b);
          return {
            people: people(shop).map((person) => ({ ...person, version: 0 })),
            visitors: population.map((each) => shop.graph.ownerOf(`visitor-${each}`)),
          };
        });
        expect(one).toEqual(other);
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });

  test('a chain of merges ends the same in the order of the calls or as one', () => {
    const chain = (order: readonly [string, string][]): unknown => {
      const shop = new Scenario();
      for (const each of ['1', '2', '3']) shop.claim({ path: each, anonymousId: `visitor-${each}` });
      for (const [a, b] of order) shop.merge(a, b);
      return ['1', '2', '3'].map((each) => shop.graph.ownerOf(`visitor-${each}`));
    };
    const twoIntoOneFirst = chain([
      ['1', '2'],
      ['1', '3'],
    ]);
    expect(twoIntoOneFirst).toEqual(
      chain([
        ['2', '3'],
        ['1', '2'],
      ]),
    );
    expect(new Set(twoIntoOneFirst as string[]).size).toBe(1);
  });
});

function people(shop: Scenario): Person[] {
  return shop.harness.stores.keyed
    .scan('p/', 'p0', 10_000)
    .map(([, value]) => JSON.parse(value.toString()) as Person);
}
