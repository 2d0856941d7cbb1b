/**
 * Promises 2 and 3: whatever lanes and identity do in whatever order, restarts included, every lane comes to what a
 * naive reading of the same calls comes to. A failure prints its seed and its path, which repeat it.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalIdentifier, laneKey, type Identifier } from '../../schemas/lanes.ts';
import { duplicatesMs } from './lanes/limits.ts';
import { identifiersOf, isLaneCall, keyOf, Oracle, personToday, type Call } from './model-oracle.ts';
import { World, WORKSPACE } from './model-world.ts';

const START = 1_700_000_000_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 1_440 * MINUTE;

/** Three people at most, each with an id and an email; email in either case. */
const named = fc
  .record({
    kind: fc.constantFrom('id' as const, 'email' as const),
    n: fc.integer({ min: 1, max: 3 }),
    upper: fc.boolean(),
  })
  .map(({ kind, n, upper }): Identifier => {
    const email = `p${String(n)}@x.org`;
    return kind === 'id'
      ? { kind, value: `p${String(n)}` }
      : { kind, value: upper ? email.toUpperCase() : email };
  });
/** The other identifier of the same person. */
function partner({ kind, value }: Identifier): Identifier {
  const n = value.charAt(1);
  return kind === 'id' ? { kind: 'email', value: `p${n}@x.org` } : { kind: 'id', value: `p${n}` };
}

const wait = fc.constantFrom(0, 1, SECOND, MINUTE, 4 * MINUTE, 5 * MINUTE, 11 * MINUTE, 29 * DAY, 30 * DAY);
const inLane = fc.record({
  visitor: fc.constantFrom('x', 'y', 'z', null),
  message: fc.integer({ min: 0, max: 9 }),
  late: fc.constantFrom(0, 0, 0, SECOND, 3 * MINUTE, 6 * MINUTE),
  /** Of the event's own clock. */
  behind: fc.constantFrom(0, 0, SECOND, 2 * MINUTE, DAY, -DAY),
});
const draft = fc.oneof(
  { weight: 6, arbitrary: inLane.map((fields) => ({ ...fields, type: 'visit' as const })) },
  { weight: 4, arbitrary: fc.record({ ...recordOf(), type: fc.constant('track' as const) }) },
  { weight: 4, arbitrary: fc.record({ ...recordOf(), type: fc.constant('identify' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('delete' as const, 'suppress' as const, 'unsuppress' as const),
      named,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('merge' as const), named, other: named }) },
);
function recordOf() {
  return { fields: inLane, named, both: fc.boolean() };
}
type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;
const history = fc.array(fc.record({ draft, wait }), { minLength: 1, maxLength: 25 });
const schedule = fc.array(fc.nat(1_000), { minLength: 10, maxLength: 120 });

function callsOf(drafts: readonly { readonly draft: Draft; readonly wait: number }[]): readonly Call[] {
  let now = START;
  return drafts.map(({ draft: each, wait: pause }) => {
    now += pause;
    return callOf(each, now);
  });
}
function callOf(each: Draft, now: number): Call {
  switch (each.type) {
    case 'visit':
      return laneCall(each, { named: null, also: null, type: 'event', now });
    case 'track':
      return laneCall(each.fields, { named: each.named, also: null, type: 'event', now });
    case 'identify': {
      const also = each.both ? partner(each.named) : null;
      return laneCall(each.fields, { named: each.named, also, type: 'identify', now });
    }
    case 'merge':
      return {
        type: 'merge',
        primary: canonicalIdentifier(each.named),
        secondary: canonicalIdentifier(each.other),
        receivedAt: now,
      };
    default:
      return { type: each.type, named: canonicalIdentifier(each.named), receivedAt: now };
  }
}
function laneCall(
  fields: { visitor: string | null; message: number; late: number; behind: number },
  call: { named: Identifier | null; also: Identifier | null; type: 'event' | 'identify'; now: number },
): Call {
  const visitor = fields.visitor ?? (call.named === null ? 'x' : null);
  const messageId = `m${String(fields.message)}`;
  const lane = laneKey(WORKSPACE, {
    anonymousId: visitor,
    identifier: call.named,
    messageId,
  });
  const receivedAt = call.now - fields.late;
  const timestamp = receivedAt - fields.behind;
  return {
    type: call.type,
    lane,
    visitor,
    named: call.named,
    also: call.also,
    messageId,
    receivedAt,
    timestamp,
  };
}

/** Runs the calls through the merger under the schedule, and through the oracle. */
function run(
  calls: readonly Call[],
  choices: readonly number[],
): { readonly world: World; readonly oracle: Oracle } {
  const world = new World();
  const oracle = new Oracle(duplicatesMs);
  // A control call is exact about what was acknowledged before it. What names the same people later and is sent without
  // waiting for its effect may fall on either side, so the test waits there.
  const touched = new Set<string>();
  let at = 0;
  for (const call of calls) {
    if (namesOf(call).some((name) => touched.has(name))) {
      world.settle();
      touched.clear();
    }
    if (!isLaneCall(call)) {
      for (const name of reachOf(call, oracle)) touched.add(name);
    }
    world.ingest(call);
    oracle.take(call);
    for (let steps = (choices[at] ?? 0) % 4; steps > 0; steps -= 1, at += 1) {
      world.step(choices[at] ?? 0);
    }
    at += 1;
  }
  for (; at < choices.length; at += 1) world.step(choices[at] ?? 0);
  world.settle();
  return { world, oracle };
}

function namesOf(call: Call): readonly string[] {
  const all =
    call.type === 'merge' ? [call.primary, call.secondary] : call.named === null ? [] : [call.named];
  return all.flatMap((each) => [keyOf(each), keyOf(partner(each))]);
}
/** Everybody whom the control call may concern. */
function reachOf(call: Call, oracle: Oracle): readonly string[] {
  const all =
    call.type === 'merge' ? [call.primary, call.secondary] : call.named === null ? [] : [call.named];
  const owned = all.flatMap((each) => {
    const owner = oracle.owner(each);
    return owner === undefined ? [] : identifiersOf(owner);
  });
  return [...all, ...owned].flatMap((each) => [keyOf(each), keyOf(partner(each))]);
}

/** What a lane came to, people numbered in the order in which the lanes name them: [person, message, …]. */
type Story = Readonly<Record<string, readonly string[]>>;

function storyOfWorld(world: World): Story {
  const number = numbering();
  const story: Record<string, string[]> = {};
  const living = world.merged().flatMap((merged) => {
    const person = world.personToday(merged.person_id);
    return merged.event === null || person === null ? [] : [{ merged, event: merged.event, person }];
  });
  for (const { merged, event, person } of living) {
    const identifier =
      event.identifier_kind === 'none' || event.identifier === null
        ? null
        : { kind: event.identifier_kind, value: event.identifier };
    const key = laneKey(WORKSPACE, {
      anonymousId: event.anonymous_id,
      identifier,
      messageId: event.message_id,
    });
    const once = merged.previously_anonymous ? '*' : '';
    (story[key] ??= []).push(
      `${event.type} ${event.message_id}${once} at ${String(merged.merged_at)} ${person}`,
    );
  }
  return renumbered(story, number);
}
function storyOfOracle(oracle: Oracle): Story {
  const ids = new Map<object, string>();
  const story: Record<string, string[]> = {};
  for (const [lane, list] of oracle.merged) {
    for (const { person, messageId, type, once, mergedAt } of list) {
      const today = personToday(person);
      if (today === null) continue;
      const name = ids.get(today) ?? `person${String(ids.size)}`;
      ids.set(today, name);
      (story[lane] ??= []).push(`${type} ${messageId}${once ? '*' : ''} at ${String(mergedAt)} ${name}`);
    }
  }
  return renumbered(story, numbering());
}
function numbering(): (name: string) => string {
  const numbers = new Map<string, string>();
  return (name) => {
    const number = numbers.get(name) ?? `#${String(numbers.size + 1)}`;
    numbers.set(name, number);
    return number;
  };
}
/** Lanes by name, and each person by the place of the first event: two stories are equal if their people correspond. */
function renumbered(story: Record<string, string[]>, number: (name: string) => string): Story {
  const lanes = Object.keys(story).sort();
  return Object.fromEntries(
    lanes.map((lane) => [
      lane,
      (story[lane] ?? []).map((line) => line.replace(/\S+$/, (person) => number(person))),
    ]),
  );
}

describe('the merger', () => {
  test('comes to what a naive reading of the calls comes to, whoever moves first and whoever restarts', () => {
    fc.assert(
      fc.property(history, schedule, (drafts, choices) => {
        const { world, oracle } = run(callsOf(drafts), choices);
        expect(storyOfWorld(world)).toEqual(storyOfOracle(oracle));
        expect([...world.dropped()].sort()).toEqual([...oracle.dropped].sort());
      }),
      { numRuns: 3_000 },
    );
  });

  test('logs every event that was merged from anonymity once', () => {
    fc.assert(
      fc.property(history, schedule, (drafts, choices) => {
        const { world } = run(callsOf(drafts), choices);
        const counted = world
          .activities()
          .reduce((sum, { detail }) => sum + (JSON.parse(detail ?? '') as { count: number }).count, 0);
        expect(counted).toBe(world.merged().filter((merged) => merged.previously_anonymous).length);
      }),
      { numRuns: 300 },
    );
  });

  test('gives the same bytes when its batches are replayed, with a restart before each', () => {
    fc.assert(
      fc.property(history, schedule, (drafts, choices) => {
        const { world } = run(callsOf(drafts), choices);
        for (const { harness } of world.lanes) {
          const replayed = harness.replay({ reopenEachBatch: true });
          expect(replayed.map(({ bytes }) => bytes.toString('hex'))).toEqual(
            harness.outputs.map(({ bytes }) => bytes.toString('hex')),
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
