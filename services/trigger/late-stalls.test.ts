/** A's that come late into stalls of which some have been told. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { of } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import { happened, HOUR, MINUTE, T0, Trigger } from '../testing/scenarios/trigger-scenario.ts';

describe('with "rearm": "ignore" and nothing that answers', () => {
  test('each A is told once, in a stall that began in its time or in whose time it began, however late each comes', () => {
    const FOR = 10 * MINUTE;
    const step = fc.record({
      /** How long after the A before it was received. */
      afterMs: fc.constantFrom(1, MINUTE, 4 * MINUTE, 11 * MINUTE),
      /** How much earlier it happened. */
      ageMs: fc.constantFrom(0, 2 * MINUTE + 3, 5 * MINUTE + 7, 9 * MINUTE + 1, 14 * MINUTE + 9),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 10 }), (all) => {
        const trigger = new Trigger().journey(
          'nudge',
          { event: 'A', without: { event: 'B' }, for: 'PT10M', rearm: 'ignore' },
          { frequency: { mode: 'every_rematch' } },
        );
        const times = new Map<string, number>();
        let at = T0;
        for (const [index, { afterMs, ageMs }] of all.entries()) {
          const id = `a${String(index)}`;
          times.set(id, (at += afterMs) - ageMs);
          trigger.then(happened({ id, name: 'A', at, timestamp: at - ageMs }));
        }
        trigger.until(at + HOUR);
        const begun = of('journeysEntered', trigger.harness.outputs).map(({ value }) => {
          const { begun: ids } = JSON.parse(value.evidence ?? '{}') as { begun: readonly string[] };
          return times.get(ids.at(-1) ?? '') ?? NaN;
        });
        for (const time of times.values()) {
          expect(begun.some((start) => Math.abs(time - start) <= FOR)).toBe(true);
        }
        const inOrder = [...begun].sort((a, b) => a - b);
        for (const [index, start] of inOrder.entries()) {
          if (index > 0) expect(start - (inOrder[index - 1] ?? NaN)).toBeGreaterThan(FOR);
        }
      }),
      { numRuns: runs(200) },
    );
  });
});
