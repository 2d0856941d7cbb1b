import { describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { Workload } from '../workload.ts';
import { Frames, PLACE } from './frames.ts';

const shape = { codecs: localCodecs(), partitions: 4, seed: 1, batch: 1_000, identifies: true };

describe('frames', () => {
  test('are the same however many are made at a time', () => {
    const [atOnce, oneByOne] = [new Frames(shape), new Frames(shape)];
    const whole = atOnce.block(10, 4_500);
    const single = [1, 2, 3, 4, 5].flatMap(() => oneByOne.block(1, 4_500));
    expect(single).toEqual(whole);
    expect(whole.map(({ places }) => places.length / PLACE)).toEqual([1_000, 1_000, 1_000, 1_000, 500]);
    expect(oneByOne.block(1, 4_500)).toEqual([]);
  });

  test('say how many events wait: those of visitors without a claim', () => {
    const frames = new Frames(shape);
    frames.block(20, 20_000);
    const workload = new Workload(1);
    const events = Array.from({ length: 20_000 }, () => ({ ...workload.next() }));
    const claimed = new Set(events.flatMap(({ visitor, userId }) => (userId === null ? [] : [visitor])));
    expect(claimed.size).toBeGreaterThan(100);
    expect(frames.waiting).toBe(events.filter(({ visitor }) => !claimed.has(visitor)).length);
  });

  test('without identifies all of them wait', () => {
    const frames = new Frames({ ...shape, identifies: false });
    frames.block(20, 20_000);
    expect(frames.waiting).toBe(20_000);
  });
});
