/**
 * What becomes of a person depends on the order of what is read, and not on where batches begin: the same input in one batch, in
 * batches of one and in random cuts gives the same rows (ARCHITECTURE.md, *Invariants* 6).
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs } from '../../schemas/codec.ts';
import type { Transfer } from '../../schemas/records.ts';
import { given, of, ProcessorHarness, type Given, type Output } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import { absorb, happened, MINUTE, SECOND, T0, watermark } from '../testing/scenarios/trigger-scenario.ts';
import { newProfile } from './decide/profile.ts';
import { encodePast } from './past-messages.ts';
import { triggerServiceWith } from './service.ts';
import { encodeMoved } from './transfer-state.ts';

const codecs = localCodecs();
const spec = triggerServiceWith({ hasPasts: true });
const stall = { event: 'A', without: { event: 'B' }, for: 'PT1M' };
const NAMES = ['A', 'B', 'C'] as const;
const MERGES = [7, 8] as const;

type Step =
  /** A record of the person's own stream, received so long after (before, where it is late) what has been read. */
  | { readonly type: 'record'; readonly name: string; readonly afterMs: number; readonly ageMs: number }
  | { readonly type: 'time'; readonly ms: number }
  | { readonly type: 'absorb' | 'state'; readonly merge: 0 | 1; readonly afterMs: number }
  | { readonly type: 'forwarded'; readonly merge: 0 | 1; readonly name: string; readonly afterMs: number }
  | { readonly type: 'past'; readonly agoMs: number };

const afterMs = fc.constantFrom(
  ...[0, 1, SECOND, 20 * SECOND, 40 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE],
  ...[-1, -SECOND, -30 * SECOND, -2 * MINUTE],
);
const name = fc.constantFrom(...NAMES);
const merge = fc.constantFrom(0 as const, 1 as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('record' as const),
      name,
      afterMs,
      ageMs: fc.constantFrom(0, 0, 0, 30 * SECOND, 2 * MINUTE),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('time' as const),
      ms: fc.constantFrom(1, SECOND, 30 * SECOND, MINUTE, 3 * MINUTE),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('absorb' as const, 'state' as const), merge, afterMs }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('forwarded' as const), merge, name, afterMs }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('past' as const),
      agoMs: fc.constantFrom(0, SECOND, MINUTE, 5 * MINUTE),
    }),
  },
);

function transfer(fields: Partial<Transfer> & Pick<Transfer, 'kind'>): Given {
  const whose = { workspace: 'default', person_id: 'cio_a', from_person_id: null, fact_number: null };
  const nothing = { origin_partition: null, origin_offset: null, state: null, record: null };
  return given('triggerTransfers', 'default:cio_a', { ...whose, ...nothing, ...fields });
}

/** Somebody who began a stall, and has been seen. */
function stateOf(fact: number, at: number): Given[] {
  const moved = {
    ...{ firstSeenAt: at, evaluatedAt: at, identified: false, claims: [], profile: newProfile },
    rules: { 's:fresh': { version: 1, marks: { '/when': [[at, `s${String(fact)}`] as const] } } },
    journeys: {},
  };
  return encodeMoved(moved as never).map((state) => transfer({ kind: 'state', fact_number: fact, state }));
}

/** As they lie on the log: nothing of a merge is twice, and what is forwarded comes behind the state. */
function inputOf(steps: readonly Step[]): Given[] {
  let readTo = T0;
  const done = new Set<string>();
  const once = (what: string): boolean => !done.has(what) && done.add(what).size > 0;
  const input = steps.flatMap((one, index): Given[] => {
    const id = `m${String(index).padStart(3, '0')}`;
    switch (one.type) {
      case 'record': {
        const at = readTo + one.afterMs;
        return [happened({ id, name: one.name, at, timestamp: at - one.ageMs })];
      }
      case 'time':
        readTo += one.ms;
        return [watermark(0, readTo)];
      case 'absorb':
        if (!once(`absorb ${String(one.merge)}`)) return [];
        return [absorb('cio_a', `cio_b${String(one.merge)}`, MERGES[one.merge], readTo + one.afterMs)];
      case 'state':
        return once(`state ${String(one.merge)}`) ? stateOf(MERGES[one.merge], readTo + one.afterMs) : [];
      case 'forwarded': {
        if (!done.has(`state ${String(one.merge)}`)) return [];
        const { value } = happened({ id, name: one.name, at: readTo + one.afterMs });
        const record = codecs.MergedEvent.encode(value as never); // a record of that topic
        const origin = { origin_partition: 0, origin_offset: 1_000_000 + index };
        return [transfer({ kind: 'record', fact_number: MERGES[one.merge], record, ...origin })];
      }
      case 'past': {
        const marks = [[readTo - one.agoMs, id] as const];
        const whose = { writtenId: 'cio_a', personId: 'cio_a', rule: 's:fresh', pointer: '/when' };
        const message = { type: 'for', version: 1, asOf: readTo, found: { ...whose, marks } } as const;
        const bytes = encodePast(codecs, 'default', 'cio_a', message);
        return [given('triggerTransfers', 'default:cio_a', codecs.Transfer.decode(bytes))];
      }
    }
  });
  // Whatever has begun is over in the end, and nobody waits for a merge.
  const ends = MERGES.flatMap((fact, index) => [
    ...(once(`absorb ${String(index)}`) ? [absorb('cio_a', `cio_b${String(index)}`, fact, readTo)] : []),
    ...(once(`state ${String(index)}`) ? stateOf(fact, readTo) : []),
  ]);
  return [...input, ...ends, watermark(0, readTo + 60 * MINUTE)];
}

const questionsIn = (outputs: readonly Output[]) =>
  of('triggerTransfers', outputs)
    .map(({ value }) => value)
    .filter(({ kind }) => kind === 'question');

/** What is asked of others, and when, is nobody's row. @param cuts how many records each batch has, in turn. */
function play(
  input: readonly Given[],
  cuts: readonly number[],
): { rows: string[]; harness: ProcessorHarness } {
  const harness = new ProcessorHarness(spec, { partitions: 1, codecs });
  harness
    .define('segment', 'default', 'fresh', {
      name: 'f',
      type: 'data_driven',
      when: { event: 'C', within: 'PT1M' },
    })
    .define('segment', 'default', 'still', { name: 's', type: 'data_driven', when: { not: stall } })
    .define('journey', 'default', 'nudge', {
      ...{ name: 'n', state: 'running', trigger: stall, filters: { segment: 'still' } },
      frequency: { mode: 'every_rematch' },
    })
    .define('journey', 'default', 'gone', {
      ...{ name: 'g', state: 'running', trigger: { segment: 'fresh', on: 'left' } },
      frequency: { mode: 'every_rematch' },
    });
  harness.batch(T0, watermark(0, T0 - MINUTE));
  const outputs: Output[] = [];
  let [from, turn] = [0, 0];
  while (from < input.length) {
    const size = cuts[turn++ % cuts.length] ?? 1;
    outputs.push(...harness.batch(T0 + turn, ...input.slice(from, from + size)));
    // Batches of one are those of a process that has nothing else to do: it goes on until nothing is left.
    if (cuts.length === 1 && size === 1) outputs.push(...harness.idle(T0 + turn));
    from += size;
  }
  outputs.push(...harness.idle(T0 + (turn += 1)));
  // Those who were merged have nothing more to forward, and say so.
  for (
    let told = 0, questions = questionsIn(outputs);
    told < questions.length;
    questions = questionsIn(outputs)
  ) {
    const answers = questions
      .slice(told)
      .map(({ person_id: from_person_id, state }) => transfer({ kind: 'answer', from_person_id, state }));
    told = questions.length;
    outputs.push(...harness.batch(T0 + (turn += 1), ...answers), ...harness.idle(T0 + turn));
  }
  const told = outputs.filter(({ topic }) => topic !== 'triggerTransfers');
  return { rows: told.map(({ topic, value }) => `${topic} ${JSON.stringify(value)}`), harness };
}

describe('what becomes of somebody does not depend on where batches begin', () => {
  test('whatever waits for a timer, or for a merge', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 3, maxLength: 14 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 6 }),
        (steps, cuts) => {
          const input = inputOf(steps);
          const { rows, harness } = play(input, [1]);
          expect(harness.processor.status().unsettled).toBe(0);
          expect(play(input, [input.length]).rows).toEqual(rows);
          const cut = play(input, cuts);
          expect(cut.rows).toEqual(rows);
          expect(cut.harness.replay({ reopenEachBatch: true })).toEqual(cut.harness.outputs);
        },
      ),
      { numRuns: runs(100) },
    );
  });
});
