/** How records come together in batches changes nothing of what they lead to. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { of, type Given } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';
import { HOUR, MINUTE, T0, Trigger, happened, watermark } from '../testing/scenarios/trigger-scenario.ts';

const cart = { event: 'Added to Cart' };
const again = { frequency: { mode: 'every_rematch' } };
const watermarks = (at: number): Given[] => Array.from({ length: 8 }, (_, source) => watermark(source, at));

function shop(): Trigger {
  return new Trigger()
    .segment('lately', { ...cart, within: 'PT30M' })
    .segment('recent', { ...cart, within: 'PT1H' })
    .segment('keen', { ...cart, count: { at_least: 2 }, within: 'PT2H' })
    .segment('looked', { event: 'Product Viewed', within: 'PT40M' })
    .journey('goodbye', { segment: 'recent', on: 'leave' }, again)
    .journey('stalled', { ...cart, without: { event: 'Order Completed' }, for: 'PT25M' }, again);
}

/** What came out, in the words of a reader: whatever a batch is, it is not told. */
function told({ harness }: Trigger): unknown[] {
  const changes = of('segmentsChanged', harness.outputs).map(({ value }) => value);
  const entries = of('journeysEntered', harness.outputs).map(({ value }) => value);
  return [...changes, ...entries];
}

describe('a record that comes behind several timers', () => {
  test('waits for each that has not been read to, also where the first is due already', () => {
    const trigger = shop();
    trigger.then(happened({ id: 'm1' }));
    // In one batch: the first window is read to, the event comes behind the second, which is read to after it.
    const behind = happened({ id: 'm2', name: 'Product Viewed', at: T0 + HOUR + MINUTE });
    trigger.raw(...watermarks(T0 + 45 * MINUTE), behind, ...watermarks(T0 + 2 * HOUR));
    const left = of('segmentsChanged', trigger.harness.outputs).filter(
      ({ value }) => value.change === 'left',
    );
    expect(left.map(({ value }) => [value.segment_id, value.at, value.cause])).toEqual([
      ['lately', T0 + 30 * MINUTE, 'time'],
      ['recent', T0 + HOUR, 'time'],
      ['looked', T0 + HOUR + 41 * MINUTE, 'time'],
    ]);
    const entered = of('journeysEntered', trigger.harness.outputs).map(({ value }) => value);
    expect(entered.map(({ journey_id: id, entered_at: at }) => [id, at])).toEqual([
      ['stalled', T0 + 25 * MINUTE],
      ['goodbye', T0 + HOUR],
    ]);
  });

  const names = ['Added to Cart', 'Product Viewed', 'Order Completed', 'Other'] as const;
  const step = fc.record({
    name: fc.constantFrom(...names),
    minutes: fc.integer({ min: 0, max: 50 }),
    lateMinutes: fc.constantFrom(0, 0, 0, 5, 45),
    /** For so long after it nothing came, as is told then; null: nothing is told. */
    quietMinutes: fc.constantFrom(null, 0, 20, 32, 45),
    endsBatch: fc.boolean(),
  });

  test('and however batches are cut, the same happens at the same moments', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
        const [oneByOne, cut] = [shop(), shop()];
        let at = T0;
        let batch: Given[] = [];
        for (const [index, { name, minutes, lateMinutes, quietMinutes, endsBatch }] of steps.entries()) {
          // Never at the very moment of a timer, of which an event may be the earlier or the later.
          at += minutes * MINUTE + 1;
          const timestamp = at - lateMinutes * MINUTE;
          const records: Given[] = [happened({ id: `m${String(index)}`, name, at, timestamp })];
          if (quietMinutes !== null) records.push(...watermarks((at += quietMinutes * MINUTE)));
          for (const record of records) oneByOne.harness.batch(T0, record);
          batch.push(...records);
          if (!endsBatch) continue;
          cut.harness.batch(T0, ...batch);
          batch = [];
        }
        for (const [trigger, rest] of [
          [oneByOne, []],
          [cut, batch],
        ] as const) {
          trigger.harness.batch(T0, ...rest, ...watermarks(at + 5 * HOUR));
          trigger.harness.idle(T0);
        }
        expect(told(cut)).toEqual(told(oneByOne));
      }),
      { numRuns: runs(100) },
    );
  });
});
