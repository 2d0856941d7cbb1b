/** The index against a Map: it grows, leaves out what has expired, and moves entries about in its memory. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LaneIndex } from './lane-index.ts';

const hashOf = (lane: number): Uint32Array =>
  new Uint32Array([lane * 2_654_435_761, lane * 2_246_822_507, lane * 3_266_489_917, 0]);

interface Known {
  segment: number;
  offset: number;
  count: number;
  flags: number;
}
interface Step {
  readonly lane: number;
  readonly act: 'push' | 'clear' | 'flag' | 'find' | 'expire';
}
const steps = fc.array(
  fc.record({
    lane: fc.nat(9_000),
    act: fc.constantFrom<Step['act']>(
      'push',
      'push',
      'push',
      'push',
      'push',
      'clear',
      'flag',
      'find',
      'expire',
    ),
  }),
  { minLength: 500, maxLength: 9_000, size: 'max' },
);

test('lanes are found with all that is known of them, and only those that have expired are ever left out', () => {
  fc.assert(
    fc.property(steps, fc.nat(3), (all, segmentsAStep) => {
      const index = new LaneIndex();
      const lanes = new Map<number, Known>();
      let [segment, segmentMin, lost] = [1, 1, 0];
      for (const [at, { lane, act }] of all.entries()) {
        if (act === 'expire') segmentMin = Math.max(1, segment - 3);
        segment += at % 50 === 0 ? segmentsAStep : 0;
        index.makeRoom(1, segmentMin);
        const known = lanes.get(lane);
        const found = index.find(hashOf(lane));
        if (known !== undefined && found < 0) {
          expect(known.flags === 0 && known.segment < segmentMin).toBe(true);
          lanes.delete(lane);
          lost += 1;
        }
        if (act === 'find' || act === 'expire') continue;
        const slot = index.slot(hashOf(lane));
        const before = lanes.get(lane) ?? { segment: 0, offset: 0, count: 0, flags: 0 };
        expect([index.segment(slot), index.count(slot), index.flags(slot)]).toEqual([
          before.segment,
          before.count,
          before.flags,
        ]);
        if (act === 'flag') index.setFlags(slot, lane & 0xff);
        else if (act === 'clear') index.clear(slot);
        else index.push(slot, segment, 12 + at, before.count + 1);
        if (act === 'flag') lanes.set(lane, { ...before, flags: lane & 0xff });
        else if (act === 'clear') lanes.set(lane, { ...before, segment: 0, offset: 0, count: 0 });
        else lanes.set(lane, { ...before, segment, offset: 12 + at, count: before.count + 1 });
      }
      for (const [lane, { segment: of, offset, flags }] of lanes) {
        const slot = index.find(hashOf(lane));
        if (slot < 0) {
          expect(flags === 0 && of < segmentMin).toBe(true);
          continue;
        }
        expect([index.segment(slot), index.flags(slot)]).toEqual([of, flags]);
        const [first, , third] = hashOf(lane);
        const part = { shard: (third ?? 0) & 0xff, first: first ?? 0 };
        if (of > 0) expect(index.findChain(part, { segment: of, offset })).toBe(slot);
      }
      expect(index.used).toBeLessThanOrEqual(lanes.size + lost);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test('a large one takes 25 to 36 bytes a lane', () => {
  const index = new LaneIndex();
  const bytesALane: number[] = [];
  for (let lane = 1; lane <= 200_000; lane += 1) {
    index.makeRoom(1);
    index.push(index.slot(hashOf(lane)), 1, lane, 1);
    if (lane % 10_000 !== 0 || lane < 100_000) continue;
    bytesALane.push(index.memory.reduce((sum, chunk) => sum + chunk.byteLength, 0) / lane);
  }
  expect(Math.min(...bytesALane)).toBeGreaterThan(25);
  expect(Math.max(...bytesALane)).toBeLessThan(36);
});
