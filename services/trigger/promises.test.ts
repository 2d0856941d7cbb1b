/** Property tests of what the trigger promises. A failure prints its seed, and the seed repeats it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { condition, fieldsOf, happening, seenOf, type Happening } from '../testing/rule-arbitraries.ts';
import type { Condition } from '../rules/condition.ts';
import { evaluate } from '../rules/evaluate.ts';
import { evidenceOf } from '../rules/history.ts';
import { windowTime, type RuleEvent } from '../rules/matching.ts';
import { timestampOf } from '../rules/operators.ts';
import { parseSegment } from '../rules/parse.ts';
import { isValueTooLong } from './decide/profile-limits.ts';
import { applyRelate, type Relationship } from './decide/relationships.ts';
import { T0, Trigger, absorb, absorbed, happened } from '../testing/scenarios/trigger-scenario.ts';
import { World, membersOf } from '../testing/scenarios/trigger-world.ts';
import { runs } from '../testing/runs.ts';

interface Told {
  readonly person: string;
  readonly at: number;
  readonly what: Happening;
  readonly id: string;
}

function recordOf({ person, at, what, id }: Told) {
  return happened({ person, at, id, timestamp: at - what.ageMs, fields: fieldsOf(what) });
}

/** The same rule over everything that was told, the slow way. */
function naive(
  when: unknown,
  told: readonly Told[],
  now: number,
  attributes: Record<string, unknown>,
): boolean {
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
  const events = told.flatMap(({ what, at, id }): RuleEvent[] => {
    const seen = seenOf(what);
    return seen === undefined
      ? []
      : [{ ...seen, messageId: id, time: windowTime(at - what.ageMs, at), receivedAt: at }];
  });
  const relationships = told
    .filter(({ what }) => what.type === 'relate')
    .reduce<readonly Relationship[]>(
      (own, { what, at }) =>
        applyRelate(own, JSON.stringify(what.related), { at, objectOf: () => undefined }).relationships,
      [],
    );
  const segments = new Set<string>();
  const history = { events, attributes, relationships, segments, firstSeenAt: firstSeenOf(told) };
  return evaluate(parsed.value.when, evidenceOf(parsed.value.when, history, now)).result;
}

/** What conditions find on the person after these records, in the order of their receipt. */
function attributesAfter(told: readonly Told[]): Record<string, unknown> {
  const all = told
    .filter(({ what }) => what.type === 'identify')
    .map(({ what }) =>
      Object.fromEntries(Object.entries(what.attributes).filter(([, value]) => !isValueTooLong(value))),
    );
  const merged: Record<string, unknown> = Object.assign({}, ...all) as Record<string, unknown>; // of dictionaries
  const set = Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== null && value !== ''),
  );
  const created = timestampOf(set['createdAt']);
  return {
    first_seen_at: firstSeenOf(told) / 1_000,
    ...(created === undefined ? {} : { created_at: created / 1_000 }),
    ...set,
    cio_id: 'cio_a',
  };
}

function firstSeenOf(told: readonly Told[]): number {
  return Math.min(...told.map(({ what, at }) => windowTime(at - what.ageMs, at)));
}

describe('promise 5: streaming membership equals the rule over the whole history', () => {
  test('after every event, for any rule and any history of one person', () => {
    fc.assert(
      fc.property(condition, fc.array(happening, { minLength: 1, maxLength: 25 }), (when, happenings) => {
        const trigger = new Trigger().segment('s', when);
        const told: Told[] = [];
        let at = T0;
        for (const [index, what] of happenings.entries()) {
          // Between records too: time alone changes the answer, and nothing but watermarks comes.
          if (told.length > 0) {
            at += Math.floor(what.afterMs / 2);
            trigger.until(at);
            const member = membersOf('s', trigger.harness.outputs).length > 0;
            expect(member).toBe(naive(when, told, at, attributesAfter(told)));
          }
          at += Math.ceil(what.afterMs / 2);
          const next = { person: 'cio_a', at, what, id: String(index).padStart(3, '0') };
          told.push(next);
          trigger.feed(recordOf(next));
          trigger.until((at += 1)); // a stall that was over when it was merged is told a millisecond after
          const member = membersOf('s', trigger.harness.outputs).length > 0;
          expect(member).toBe(naive(when, told, at, attributesAfter(told)));
        }
        expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(trigger.harness.outputs);
      }),
      { numRuns: runs(20) },
    );
  });
});

describe('promise 5 of segments that ask for one another', () => {
  const happens = happening.filter(({ type }) => type !== 'relate' && type !== 'identify');
  const counted = condition.filter((when) => !/"attribute"|"relationship"/.test(JSON.stringify(when)));
  const referring = fc.constantFrom<unknown>(
    { segment: 'b' },
    { not: { segment: 'b' } },
    { all: [{ segment: 'a' }, { segment: 'b' }] },
    { all: [{ segment: 'a' }, { not: { segment: 'b' } }] },
    { any: [{ not: { segment: 'a' } }, { segment: 'b' }] },
  );
  const conditionOf = (when: unknown): Condition => {
    const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
    if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
    return parsed.value.when;
  };

  test('after every event and between them, also where one turns by time', () => {
    const stories = fc.array(happens, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(counted, counted, referring, stories, (a, b, c, story) => {
        const trigger = new Trigger().segment('c', c).segment('b', b).segment('a', a);
        const conditions = new Map(Object.entries({ a, b, c }).map(([id, when]) => [id, conditionOf(when)]));
        const events: RuleEvent[] = [];
        let at = T0;
        const expectMembers = (): void => {
          const firstSeenAt = Math.min(...events.map(({ time }) => time));
          const history = { events, attributes: {}, segments: new Set<string>(), conditions, firstSeenAt };
          const expected = [...conditions].filter(
            ([, when]) => evaluate(when, evidenceOf(when, history, at)).result,
          );
          const found = [...conditions.keys()].filter(
            (id) => membersOf(id, trigger.harness.outputs).length > 0,
          );
          expect(found).toEqual(expected.map(([id]) => id));
        };
        for (const [index, what] of story.entries()) {
          at += what.afterMs;
          const next = { person: 'cio_a', at, what, id: String(index).padStart(3, '0') };
          const time = windowTime(at - what.ageMs, at);
          const seen = seenOf(what);
          if (seen === undefined) continue;
          events.push({ ...seen, time, receivedAt: at, messageId: next.id });
          trigger.feed(recordOf(next));
          for (const laterMs of [1, 998, 59_001]) {
            trigger.until((at += laterMs));
            expectMembers();
          }
        }
      }),
      { numRuns: runs(30) },
    );
  });
});

describe('promise 3: no interleaving of a merge changes the result', () => {
  const PEOPLE = ['cio_a', 'cio_b', 'cio_c'] as const;
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ person: fc.constantFrom(...PEOPLE), what: happening }) },
    { weight: 1, arbitrary: fc.constant('merge' as const) },
  );

  test('people who become one are in the segments that one person with both histories would be in', () => {
    const events = condition.filter((when) => !JSON.stringify(when).includes('"attribute"'));
    fc.assert(
      fc.property(
        events,
        fc.array(step, { minLength: 3, maxLength: 25 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 50 }),
        (when, steps, choices) => {
          const world = new World((harness) =>
            harness.define('segment', 'default', 's', { name: 's', type: 'data_driven', when }),
          );
          const told: Told[] = [];
          const merges: (readonly [loser: string, winner: string])[] = [
            ['cio_c', 'cio_b'],
            ['cio_b', 'cio_a'],
          ];
          let at = T0;
          let fact = 0;
          const merge = () => {
            const [loser, winner] = merges.shift() ?? [];
            if (loser === undefined || winner === undefined) return;
            fact += 1;
            world.write(absorb(winner, loser, fact, at), absorbed(loser, winner, fact, at));
          };
          for (const [index, next] of steps.entries()) {
            if (next === 'merge') merge();
            else {
              at += next.what.afterMs;
              const one = { ...next, at, id: String(index).padStart(3, '0') };
              told.push(one);
              world.write(recordOf(one));
            }
          }
          merge();
          merge();
          let turn = 0;
          world.run(() => choices[(turn += 1) % choices.length] ?? 0);
          expect(world.unsettled).toBe(0);
          // A record that was forwarded late is judged as of its own time; what time has changed since shows now.
          world.until((at += 1));
          world.run();
          const expected = naive(when, told, at, {}) ? ['cio_a'] : [];
          expect(membersOf('s', world.outputs)).toEqual(expected);
        },
      ),
      { numRuns: runs(20) },
    );
  });
});
