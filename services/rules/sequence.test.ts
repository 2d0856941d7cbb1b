import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EventMatcher, SequenceCondition } from './condition.ts';
import { sequenceMarksMax } from './limits.ts';
import { rememberForSequence, sequenceEvents, sequenceMark, sequenceVerdict } from './sequence.ts';
import type { Marks } from './windows.ts';

type Sequence = Pick<SequenceCondition, 'steps' | 'withinMs' | 'without'>;
const matcher: EventMatcher = { name: 'A', nameCheck: null, eventType: null, where: [] };
const D = 6;

interface Happened {
  readonly time: number;
  readonly messageId: string;
  readonly receivedAt: number;
  readonly matched: readonly number[];
}

function sequence(steps: number, withinMs: number | null, isAnswered: boolean): Sequence {
  return {
    steps: Array.from({ length: steps }, () => matcher),
    withinMs,
    without: isAnswered ? { matcher, forMs: D } : null,
  };
}
function kept(of: Sequence, history: readonly Happened[]): Marks {
  return history.reduce<Marks>(
    (sofar, one) => rememberForSequence(of, sofar, sequenceMark(one, one.matched)),
    [],
  );
}

/** Every way to go all steps, tried one after the other. */
function ways(of: Sequence, ordered: readonly Happened[], step = 0, from = 0): Happened[][] {
  if (step === of.steps.length) return [[]];
  return ordered.flatMap((event, index) =>
    index >= from && event.matched.includes(step)
      ? ways(of, ordered, step + 1, index + 1).map((rest) => [event, ...rest])
      : [],
  );
}
function naive(of: Sequence, history: readonly Happened[], now: number): boolean {
  const ordered = history.toSorted(
    (a, b) => a.time - b.time || a.receivedAt - b.receivedAt || (a.messageId < b.messageId ? -1 : 1),
  );
  const all = ways(of, ordered);
  const { withinMs, without } = of;
  const inWindow = all.filter((way) => withinMs === null || (way[0]?.time ?? 0) > now - withinMs);
  if (inWindow.length === 0) return false;
  if (without === null) return true;
  const end = Math.max(...all.map((way) => way.at(-1)?.time ?? 0));
  const isAnswer = ({ time, matched }: Happened) =>
    matched.includes(of.steps.length) && time > end && time <= end + without.forMs;
  return now >= end + without.forMs && !ordered.some(isAnswer);
}

const happened = (steps: number) =>
  fc.record({
    time: fc.integer({ min: 0, max: 15 }),
    received: fc.integer({ min: 15, max: 17 }),
    matched: fc.uniqueArray(fc.integer({ min: 0, max: steps }), { minLength: 1, maxLength: 2 }),
  });
const cases = fc.integer({ min: 2, max: 4 }).chain((steps) =>
  fc.record({
    of: fc
      .tuple(fc.option(fc.integer({ min: D + 1, max: 20 })), fc.boolean())
      .map(([within, isAnswered]) => sequence(steps, within, isAnswered)),
    // In the order in which it arrives, which is not that of its times.
    history: fc.array(happened(steps), { maxLength: 9 }).map((list) =>
      list.map(({ time, received, matched }, index): Happened => {
        return { time, messageId: `m${String(index)}`, receivedAt: received, matched };
      }),
    ),
  }),
);

describe('a sequence', () => {
  test('is found when there is any way to go its steps, whatever the order of arrival, at every moment', () => {
    fc.assert(
      fc.property(cases, ({ of, history }) => {
        const marks = kept(of, history);
        for (let now = 17; now <= 45; now += 1) {
          const { result, changesAt } = sequenceVerdict(of, marks, now);
          expect(result).toBe(naive(of, history, now));
          expect(changesAt).toBeGreaterThan(now);
          if (changesAt > now + 1) expect(naive(of, history, now + 1)).toBe(result);
          else expect(naive(of, history, now + 1)).toBe(!result);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of which more happens than is kept is exact for what comes in order', () => {
    const long = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 1, 2, 3), {
      minLength: sequenceMarksMax,
      maxLength: 3 * sequenceMarksMax,
    });
    fc.assert(
      fc.property(long, fc.boolean(), (list, isAnswered) => {
        const of = sequence(3, null, isAnswered);
        const history = list.map((step, index): Happened => {
          return {
            time: index,
            messageId: String(index).padStart(4, '0'),
            receivedAt: index,
            matched: [step],
          };
        });
        const marks = kept(of, history);
        expect(marks.length).toBeLessThanOrEqual(sequenceMarksMax);
        const whole = history.map((one) => sequenceMark(one, one.matched)).reverse();
        for (const now of [list.length, list.length + D]) {
          expect(sequenceVerdict(of, marks, now)).toEqual(sequenceVerdict(of, whole, now));
          expect(sequenceEvents(of, marks, now).steps).toBe(sequenceEvents(of, whole, now).steps);
        }
      }),
    );
  });

  test('takes three pages, a cart and then no checkout for what they are', () => {
    const of: Sequence = { ...sequence(4, 60, true) };
    const told = [0, 1, 2].map((time): Happened => {
      return { time, messageId: `p${String(time)}`, receivedAt: time, matched: [0, 1, 2] };
    });
    const cart: Happened = { time: 3, messageId: 'cart', receivedAt: 3, matched: [3] };
    const checkout: Happened = { time: 9, messageId: 'checkout', receivedAt: 9, matched: [4] };
    expect(sequenceEvents(of, kept(of, told), 3)).toMatchObject({ steps: 3 });
    const marks = kept(of, [...told, cart]);
    expect(sequenceVerdict(of, marks, 8)).toEqual({ result: false, changesAt: 9 });
    expect(sequenceVerdict(of, marks, 9)).toEqual({ result: true, changesAt: 60 });
    expect(sequenceEvents(of, marks, 9).events.map(([, id]) => id)).toEqual(['cart', 'p2', 'p1', 'p0']);
    expect(sequenceVerdict(of, kept(of, [checkout, cart, ...told]), 9)).toMatchObject({ result: false });
    expect(sequenceVerdict(of, kept(of, [...told.slice(1), cart]), 9)).toMatchObject({ result: false });
  });
});
