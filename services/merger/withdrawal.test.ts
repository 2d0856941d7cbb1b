/** A visitor who withdraws their consent: what waited is gone, and nothing of them is kept until they consent again. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import type { Given } from '../testing/processor-harness.ts';
import {
  answer,
  dropped,
  grant,
  identify,
  LaneScenario,
  merged,
  requests,
  SECOND,
  T,
  track,
  visit,
} from '../testing/scenarios/lanes-scenario.ts';

const says = (type: 'withdrawal' | 'consent', at: number, id = `${type} ${String(at)}`): Given =>
  visit('x', id, at, { type, name: null, source: 'on-site.consent' });

describe('who withdraws their consent', () => {
  test('has nothing waiting any more: whoever claims them later gets what came after they consented again', () => {
    const lanes = new LaneScenario();
    lanes.batch(visit('x', 'before', T), visit('y', 'of another', T));
    lanes.batch(says('withdrawal', T + 1), visit('x', 'meanwhile', T + 2));
    lanes.batch(says('consent', T + 3), visit('x', 'after', T + 4));
    const asked = lanes.batch(identify('x', '42', T + 5), identify('y', '43', T + 5));
    expect([...merged(lanes.batch(...grant(asked)))].sort()).toEqual([
      'cio_42: after*',
      'cio_42: identify 42',
      'cio_43: identify 43',
      'cio_43: of another*',
    ]);
    expect(dropped(lanes.harness.outputs)).toEqual([
      `consent_withdrawn: withdrawal ${String(T + 1)}`,
      'consent_withdrawn: meanwhile',
    ]);
  });

  test('while an identify is undecided: it counts at its place, behind what the identify brings', () => {
    const lanes = new LaneScenario();
    lanes.batch(visit('x', 'before', T));
    const asked = lanes.batch(
      identify('x', '42', T + 1),
      says('withdrawal', T + 2),
      visit('x', 'late', T + 3),
    );
    expect(merged(lanes.batch(...grant(asked)))).toEqual(['cio_42: before*', 'cio_42: identify 42']);
    expect(dropped(lanes.harness.outputs)).toEqual([
      `consent_withdrawn: withdrawal ${String(T + 2)}`,
      'consent_withdrawn: late',
    ]);
  });

  test('behind an identify that is refused: what waited is gone all the same', () => {
    const lanes = new LaneScenario();
    lanes.batch(visit('x', 'before', T));
    const asked = lanes.batch(identify('x', '42', T + 1), says('withdrawal', T + 2));
    lanes.batch(
      ...requests(asked).map((request) => answer(request, 'refused', { reason: 'identifier_illegal' })),
    );
    const again = lanes.batch(identify('x', '43', T + 3));
    expect(merged(lanes.batch(...grant(again)))).toEqual(['cio_43: identify 43']);
  });

  test('an event that names somebody is theirs, whatever the browser’s visitor says', () => {
    const lanes = new LaneScenario();
    const asked = lanes.batch(says('withdrawal', T), track('x', '42', 'named', T + 1));
    expect(merged(lanes.batch(...grant(asked)))).toEqual(['cio_42: named']);
  });
});

test('whatever the order of events, withdrawals, consents and crashes: a claim brings what was kept since the last withdrawal', () => {
  const step = fc.constantFrom('visit', 'visit', 'visit', 'withdrawal', 'consent', 'crash', 'flush');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), (steps, together) => {
      const lanes = new LaneScenario();
      let kept: string[] = [];
      let isWithdrawn = false;
      let waiting: Given[] = [];
      const send = () => {
        if (waiting.length > 0) lanes.batch(...waiting);
        waiting = [];
      };
      steps.forEach((what, index) => {
        const at = T + index * SECOND;
        if (what === 'crash' || what === 'flush') {
          send();
          lanes.harness[what]();
          return;
        }
        waiting.push(what === 'visit' ? visit('x', `v${String(index)}`, at) : says(what, at));
        if (what === 'visit') {
          if (!isWithdrawn) kept.push(`v${String(index)}`);
        } else {
          isWithdrawn = what === 'withdrawal';
          if (isWithdrawn) kept = [];
        }
        if (waiting.length >= together) send();
      });
      send();
      const asked = lanes.batch(identify('x', '42', T + 100 * SECOND));
      expect(merged(lanes.batch(...grant(asked)))).toEqual([
        ...kept.map((name) => `cio_42: ${name}*`),
        'cio_42: identify 42',
      ]);
      const replayed = lanes.harness.replay({ reopenEachBatch: true });
      expect(replayed.map(({ bytes }) => bytes.toString('hex'))).toEqual(
        lanes.harness.outputs.map(({ bytes }) => bytes.toString('hex')),
      );
    }),
    { numRuns: runs(60) },
  );
});
