import { expect, test } from '@jest/globals';
import { FetchedSlice } from '../protocol/record-slice.ts';
import { SliceQueue } from './slice-queue.ts';

function slice(byteLength: number, from = 0): FetchedSlice {
  const content = {
    topic: 'eventsCollected' as const,
    partition: 0,
    from,
    next: from + 1,
    byteLength,
    batches: [],
  };
  return new FetchedSlice(content, () => undefined);
}

test('every loop that waits for room is woken, not only the last to wait', async () => {
  const queue = new SliceQueue(100);
  queue.push(slice(100));
  const woken = Promise.all([1, 2, 3, 4].map(() => queue.waitForRoom(60_000)));
  queue.take(1);
  await woken;
});

test('room that is reserved for a fetch under way is not given twice', () => {
  const queue = new SliceQueue(100);
  expect(queue.reserve(60)).toBe(60);
  expect(queue.reserve(60)).toBe(40);
  expect(queue.reserve(60)).toBe(0);
  queue.unreserve(60);
  queue.push(slice(50));
  expect(queue.reserve(60)).toBe(10);
});

test('gives the oldest first, up to the bytes wanted, but one at least', () => {
  const queue = new SliceQueue(1_000);
  [300, 300, 300].forEach((bytes, i) => {
    queue.push(slice(bytes, i));
  });
  expect(queue.take(100).map(({ from }) => from)).toEqual([0]);
  expect(queue.take(600).map(({ from }) => from)).toEqual([1, 2]);
  expect([queue.take(600).length, queue.bytes]).toEqual([0, 0]);
});
