import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stallMarksMax } from './limits.ts';
import { ANSWER, rememberForStall, stallVerdict } from './stall.ts';
import type { Mark, Marks } from './windows.ts';

const W = 10;
const END = 60;
const happened = fc.record({ at: fc.integer({ min: 0, max: 30 }), what: fc.constantFrom('a', 'b') });
const histories = fc.array(happened, { maxLength: 12 });
type Happened = typeof happened extends fc.Arbitrary<infer T> ? T : never;
const rearm = fc.constantFrom('restart' as const, 'ignore' as const);
const window = fc.option(fc.integer({ min: W + 1, max: 25 }));

function marksOf(history: readonly Happened[]): Mark[] {
  return history.map(({ at, what }, index) => {
    const id = String(index).padStart(3, '0');
    return what === 'a' ? [at, id] : [at, id, ANSWER];
  });
}
function kept(marks: readonly Mark[], how: 'restart' | 'ignore'): Marks {
  return marks.reduce<Marks>((sofar, mark) => rememberForStall({ forMs: W, rearm: how }, sofar, mark), []);
}

/** A clock that ticks: what comes at a tick is handled then, answers first, and then the time may be up. */
function ticking(
  history: readonly Happened[],
  how: 'restart' | 'ignore',
  within: number | null,
  now: number,
) {
  let [began, running, stalled] = [-Infinity, false, false];
  for (let tick = 0; tick <= now; tick += 1) {
    const here = history.filter(({ at }) => at === tick);
    if (running && here.some(({ what }) => what === 'b')) running = false;
    if (here.some(({ what }) => what === 'a') && (!running || how === 'restart')) {
      [began, running, stalled] = [tick, true, false];
    }
    if (running && tick === began + W) [running, stalled] = [false, true];
  }
  // One more at the very end of the time is within it, and begins nothing unless it restarts.
  return stalled && (within === null || began > now - within);
}

/** The model ends a run at the tick at which it is up, so another A at that tick is put a moment before it. */
function withoutBorder(history: readonly Happened[], how: 'restart' | 'ignore'): readonly Happened[] {
  if (how === 'restart') return history;
  const times = new Set(history.filter(({ what }) => what === 'a').map(({ at }) => at));
  return history.filter(({ at, what }) => what === 'b' || !times.has(at - W));
}

describe('a stall', () => {
  test('is what a clock would find that is told everything in order, however it was told, at every moment', () => {
    fc.assert(
      fc.property(histories, rearm, window, fc.infiniteStream(fc.nat()), (raw, how, within, random) => {
        const history = withoutBorder(raw, how);
        const shuffled = marksOf(history)
          .map((mark) => ({ mark, at: Number(random.next().value) }))
          .sort((a, b) => a.at - b.at)
          .map(({ mark }) => mark);
        const marks = kept(shuffled, how);
        for (let now = 31; now <= END; now += 1) {
          const { result } = stallVerdict({ forMs: W, rearm: how, withinMs: within }, marks, now);
          expect(result).toBe(ticking(history, how, within, now));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of which more happens than is kept is exact for what comes in order', () => {
    const long = fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 7 }), what: fc.constantFrom('a', 'a', 'a', 'b') }),
      {
        minLength: 2 * stallMarksMax,
        maxLength: 4 * stallMarksMax,
      },
    );
    fc.assert(
      fc.property(long, rearm, (steps, how) => {
        let at = 0;
        const history = withoutBorder(
          steps.map(({ after, what }) => ({ at: (at += after), what })),
          how,
        );
        const marks = kept(marksOf(history), how);
        expect(marks.length).toBeLessThanOrEqual(stallMarksMax);
        for (const now of [at, at + 1, at + W - 1, at + W]) {
          const { result } = stallVerdict({ forMs: W, rearm: how, withinMs: null }, marks, now);
          expect(result).toBe(ticking(history, how, null, now));
        }
      }),
    );
  });

  test('says how it stands, what it rests on and when that changes', () => {
    const stall = { forMs: W, rearm: 'restart', withinMs: 20 } as const;
    const a: Marks = [[5, 'm1']];
    expect(stallVerdict(stall, [], 5)).toMatchObject({ value: 'none', changesAt: Infinity });
    expect(stallVerdict(stall, a, 14)).toEqual({
      result: false,
      value: 'running',
      events: ['m1'],
      changesAt: 15,
    });
    expect(stallVerdict(stall, a, 15)).toEqual({
      result: true,
      value: 'stalled',
      events: ['m1'],
      changesAt: 25,
    });
    expect(stallVerdict(stall, a, 25)).toMatchObject({
      result: false,
      value: 'expired',
      changesAt: Infinity,
    });
    const answered = kept(
      [
        [5, 'm1'],
        [15, 'm2', ANSWER],
      ],
      'restart',
    );
    expect(stallVerdict(stall, answered, 15)).toMatchObject({ value: 'answered', events: ['m2', 'm1'] });
    const late = kept(
      [
        [5, 'm1'],
        [16, 'm2', ANSWER],
      ],
      'restart',
    );
    expect(stallVerdict(stall, late, 16)).toMatchObject({ value: 'stalled' });
  });

  test('that another A does not restart names the newest one within its time', () => {
    const marks = kept(
      [
        [0, 'm1'],
        [5, 'm2'],
        [10, 'm3'],
        [11, 'm4'],
      ],
      'ignore',
    );
    expect(stallVerdict({ forMs: W, rearm: 'ignore', withinMs: null }, marks.slice(1), 10)).toMatchObject({
      result: true,
      events: ['m3'],
    });
    expect(stallVerdict({ forMs: W, rearm: 'ignore', withinMs: null }, marks, 11)).toMatchObject({
      value: 'running',
      events: ['m4'],
    });
  });
});
