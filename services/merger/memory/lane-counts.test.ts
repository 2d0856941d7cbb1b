import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryDisk } from '../../testing/memory/memory-stores.ts';
import { runs } from '../../testing/runs.ts';
import { keptDaysMax } from '../decide/limits.ts';
import { LaneCounts } from './lane-counts.ts';
import { LaneSketch } from './lane-sketch.ts';

const DAY = 86_400_000;
const T = 20_000 * DAY;

/** Two words that look like those of a keyed hash. */
function hashOf(number: number): readonly [low: number, high: number] {
  const mixed = (seed: number): number => {
    let word = Math.imul(number ^ seed, 0x9e37_79b1);
    for (const factor of [0x85eb_ca6b, 0xc2b2_ae35]) word = Math.imul(word ^ (word >>> 15), factor);
    return (word ^ (word >>> 16)) >>> 0;
  };
  return [mixed(0x51ed_270b), mixed(0x2545_f491)];
}

test('a sketch tells of different lanes within a tenth, however often each comes and in whatever order', () => {
  const start = fc.integer({ min: 0, max: 1_000_000_000 });
  const lanes = fc.constantFrom(5_000, 30_000, 200_000);
  fc.assert(
    fc.property(start, lanes, (from, count) => {
      const sketch = new LaneSketch();
      for (let each = 0; each < count; each += 1) sketch.add(...hashOf(from + each));
      expect(Math.abs(sketch.lanes / count - 1)).toBeLessThan(0.13);
      const again = new LaneSketch(sketch.registers);
      for (let each = count - 1; each >= 0; each -= 7) expect(again.add(...hashOf(from + each))).toBe(false);
      expect(again.lanes).toBe(sketch.lanes);
    }),
    { numRuns: runs(4) },
  );
});

describe('lanes of a workspace', () => {
  const bounds = { max: 20_000, ofWorkspaceMax: 10_000, reservedMin: 1_000 };
  function flood(counts: LaneCounts, workspace: string, count: number, { at = T, from = 0 } = {}): void {
    for (let each = from; each < from + count; each += 1) {
      const [low, high] = hashOf(each);
      if (counts.looksAt(low)) counts.saw(workspace, at, low, high);
    }
    counts.endBatch();
  }

  function claim(counts: LaneCounts, workspace: string, count: number): void {
    for (let each = 0; each < count; each += 1) {
      const [low, high] = hashOf(each);
      if (counts.looksAt(low)) counts.claimed(workspace, low, high);
    }
    counts.endBatch();
  }

  test('are bounded by its own part, and together they leave each a part', () => {
    const counts = new LaneCounts(new MemoryDisk().open('p', {}).keyed, bounds);
    flood(counts, 'evil', 12_000);
    expect([counts.isFull('evil', T), counts.isFull('shop', T)]).toEqual([true, false]);
    flood(counts, 'worse', 9_000, { from: 20_000 });
    flood(counts, 'third', 2_500, { from: 40_000 });
    expect(counts.isFull('third', T)).toBe(true); // all together have as many as may be
    expect(counts.isFull('shop', T)).toBe(false);
  });

  test('count for as long as their events wait, and those that were claimed for ever', () => {
    const { keyed } = new MemoryDisk().open('p', {});
    const counts = new LaneCounts(keyed, bounds);
    flood(counts, 'evil', 12_000);
    claim(counts, 'evil', 3_000);
    expect(counts.isFull('evil', T + (keptDaysMax - 1) * DAY)).toBe(true);
    expect(counts.isFull('evil', T + keptDaysMax * DAY)).toBe(false);
    expect(Math.abs(counts.total / 3_000 - 1)).toBeLessThan(0.35);
    expect(keyed.scan('v/evil/', 'v/evil0', 100).map(([key]) => key)).toEqual(['v/evil/claimed']);
  });

  test('come to the same after a start, whatever came when', () => {
    const step = fc.record({
      workspace: fc.constantFrom('a', 'b'),
      days: fc.constantFrom(0, 0, 0, 1, keptDaysMax),
      from: fc.nat(5_000),
      count: fc.nat(3_000),
      claims: fc.boolean(),
      starts: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const [straight, anew] = [new MemoryDisk().open('p', {}), new MemoryDisk().open('p', {})];
        const one = new LaneCounts(straight.keyed, bounds);
        let other = new LaneCounts(anew.keyed, bounds);
        let at = T;
        for (const { workspace, days, from, count, claims, starts } of steps) {
          at += days * DAY;
          if (starts) other = new LaneCounts(anew.keyed, bounds);
          for (const counts of [one, other]) {
            flood(counts, workspace, count, { at, from });
            if (claims) claim(counts, workspace, 500);
          }
          expect(other.total).toBe(one.total);
          expect(['a', 'b'].map((each) => other.isFull(each, at))).toEqual(
            ['a', 'b'].map((each) => one.isFull(each, at)),
          );
        }
      }),
      { numRuns: runs(10) },
    );
  });
});
