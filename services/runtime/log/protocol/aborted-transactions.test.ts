import { expect, test } from '@jest/globals';
import { AbortedTransactions } from './aborted-transactions.ts';

const data = (producerId: number, lastOffset: number) => ({
  producerId,
  lastOffset,
  transactional: true,
  marker: undefined,
});
const abort = (producerId: number, lastOffset: number) => ({
  producerId,
  lastOffset,
  transactional: true,
  marker: 'abort' as const,
});

test('two transactions that overlap are both hidden, although both begin before the next batch', () => {
  // kafkajs takes one of the two at offset 5, and delivers what the other wrote there.
  const aborted = new AbortedTransactions([
    { producerId: 1, firstOffset: 0 },
    { producerId: 2, firstOffset: 1 },
  ]);
  expect(aborted.hides(data(2, 5))).toBe(true);
  expect(aborted.hides(data(1, 6))).toBe(true);
});

test('the order in which the broker lists them does not matter', () => {
  const aborted = new AbortedTransactions([
    { producerId: 2, firstOffset: 9 },
    { producerId: 1, firstOffset: 0 },
  ]);
  expect(aborted.hides(data(1, 3))).toBe(true);
  expect(aborted.hides(data(2, 4))).toBe(false); // a transaction of 2 before its aborted one
  expect(aborted.hides(data(2, 10))).toBe(true);
});

test('what a producer writes after its abort marker is seen, until its next aborted transaction', () => {
  const aborted = new AbortedTransactions([
    { producerId: 1, firstOffset: 0 },
    { producerId: 1, firstOffset: 10 },
  ]);
  const seen = [data(1, 2), abort(1, 3), data(1, 5), data(1, 10), abort(1, 11), data(1, 12)];
  expect(seen.map((batch) => aborted.hides(batch))).toEqual([true, false, false, true, false, false]);
});

test('records outside transactions are never hidden, even of the same producer', () => {
  const aborted = new AbortedTransactions([{ producerId: 1, firstOffset: 0 }]);
  expect(aborted.hides({ ...data(1, 2), transactional: false })).toBe(false);
});
