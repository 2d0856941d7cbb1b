/**
 * Promise 3: no interleaving of lanes changes what control calls find. Random calls, each acknowledged before the next,
 * meet identity in random order; in the end the graph is what the calls give one after the other, and nothing waits.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { IdentityRequest } from '../../schemas/records.ts';
import { LaneSimulation, type SimulatedCall } from '../testing/model/lane-simulation.ts';
import { Scenario } from '../testing/scenarios/identity-scenario.ts';
import { runs } from '../testing/runs.ts';

const PEOPLE = ['p1', 'p2', 'p3'];
const VISITORS = ['v1', 'v2', 'v3', 'v4', 'v5'];
const LANE_PARTITIONS = 3;
const RUNS = runs(100);

const person = fc.constantFrom(...PEOPLE);
const visitor = fc.constantFrom(...VISITORS);

/** Claims of one person in several lanes have no order among themselves; each names its person’s id, so it needs none. */
const claim = fc
  .record({ id: person, anonymousId: visitor, withEmail: fc.boolean() })
  .map(({ id, anonymousId, withEmail }): SimulatedCall => ({
    type: 'claim',
    anonymousId,
    partition: VISITORS.indexOf(anonymousId) % LANE_PARTITIONS,
    id,
    email: withEmail ? `${id}@example.com` : null,
  }));

type Control = Partial<IdentityRequest> & Pick<IdentityRequest, 'kind'>;
const named = (id: string): Pick<IdentityRequest, 'identifier_kind' | 'identifier'> => ({
  identifier_kind: 'id',
  identifier: id,
});
const control = fc
  .oneof(
    person.map((id): Control => ({ kind: 'delete', ...named(id) })),
    person.map((id): Control => ({ kind: 'suppress', ...named(id) })),
    person.map((id): Control => ({ kind: 'unsuppress', ...named(id) })),
    fc
      .tuple(person, person)
      .map(([a, b]): Control => ({ kind: 'merge', ...named(a), other_kind: 'id', other: b })),
    fc.tuple(person, person, visitor).map(([a, into, v]): Control => ({
      kind: 'split',
      ...named(a),
      detail: JSON.stringify({ anonymous_ids: [v], into }),
    })),
  )
  .map((request): SimulatedCall => ({ type: 'control', request }));

const history = fc.array(fc.oneof({ weight: 3, arbitrary: claim }, { weight: 2, arbitrary: control }), {
  minLength: 1,
  maxLength: 14,
});

/** Who has what, without the names and numbers that depend on who came first. */
function shape(shop: Scenario): object {
  const nameOf = (personId: string | undefined): string =>
    PEOPLE.find((id) => shop.person(id)?.personId === personId) ?? 'nobody';
  const people = PEOPLE.map((id) => [
    id,
    shop.person(id)?.email,
    shop.graph.isSuppressed({ kind: 'id', value: id }),
  ]);
  const visitors = VISITORS.map((v) => {
    const owner = shop.graph.ownerOf(v);
    return [v, owner === undefined ? 'free' : nameOf(owner)];
  });
  const emails = PEOPLE.map((id) => shop.graph.isSuppressed({ kind: 'email', value: `${id}@example.com` }));
  return { people, visitors, emails };
}

function oneAfterTheOther(calls: readonly SimulatedCall[]): Scenario {
  const shop = new Scenario();
  for (const call of calls) {
    if (call.type === 'control') shop.send(shop.request(call.request));
    else
      shop.claim({
        path: call.id,
        anonymousId: call.anonymousId,
        ...(call.email !== null && { email: call.email }),
      });
  }
  return shop;
}

describe('promise 3: interleavings', () => {
  test('control calls find what was acknowledged before them, whatever the lanes’ pace, and nothing locks', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(), { maxLength: 120 }), (calls, choices) => {
        const shop = new Scenario();
        const simulation = new LaneSimulation(shop, calls, { partitions: LANE_PARTITIONS });
        for (const choice of choices) {
          if (choice % 5 === 0) simulation.publish(choice);
          else simulation.step(choice);
        }
        simulation.drain();
        expect(shop.harness.processor.status().unsettled).toBe(0);
        expect(shape(shop)).toEqual(shape(oneAfterTheOther(calls)));
      }),
      { numRuns: RUNS },
    );
  });

  test('control calls that several ingest processes take at once never wait for each other in a circle', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(), { minLength: 40, maxLength: 120 }), (calls, choices) => {
        const shop = new Scenario();
        const simulation = new LaneSimulation(shop, calls, { partitions: LANE_PARTITIONS, slowIngest: true });
        for (const choice of choices) {
          if (choice % 5 === 0) simulation.publish(choice);
          else simulation.step(choice);
        }
        simulation.drain();
        expect(shop.harness.processor.status().unsettled).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });

  test('a restart before any batch changes no byte', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(), { maxLength: 60 }), (calls, choices) => {
        const shop = new Scenario();
        const simulation = new LaneSimulation(shop, calls, { partitions: LANE_PARTITIONS });
        for (const choice of choices) simulation.step(choice);
        simulation.drain();
        expect(shop.harness.replay({ reopenEachBatch: true })).toEqual(shop.harness.outputs);
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });
});
