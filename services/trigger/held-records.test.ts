/** As many records wait for timers as may: of whoever is over it they wait no longer, in their order; nothing stops. */
import { expect, test } from '@jest/globals';
import { memoryStores } from '../testing/memory/memory-stores.ts';
import { HeldRecords } from './held-records.ts';

const few = { max: 10, ofWorkspaceMax: 3, reservedMin: 1 };
const bounds = { people: few, records: few };
const record = (at: number) => ({
  originPartition: 0,
  originOffset: at,
  mergedAt: at,
  forwardedFact: null,
  value: Buffer.from('x'),
});
const handedOut = (held: HeldRecords): number[] => {
  const order: number[] = [];
  held.drain(
    () => 100,
    (_, { originOffset }) => {
      order.push(originOffset);
      return 1;
    },
  );
  return order;
};

test('one record more of a person has the oldest handed out, and none of another workspace', () => {
  const { keyed } = memoryStores({});
  const held = new HeldRecords(keyed, () => 0, bounds);
  expect([1, 2, 3].map((at) => held.hold('evil:cio_a', record(at)))).toEqual(['held', 'held', 'held']);
  expect(held.hold('quiet:cio_b', record(4))).toBe('held');
  expect(held.hold('evil:cio_a', record(5))).toBe('hurried');
  const again = new HeldRecords(keyed, () => 0, bounds);
  for (const each of [held, again]) expect(each.anyReady).toBe(true);
  expect(handedOut(again)).toEqual([1]);
  expect(again.records).toBe(4);
});

test('of more people than may wait the record is handled now', () => {
  const held = new HeldRecords(memoryStores({}).keyed, () => 0, bounds);
  const all = [1, 2, 3, 4, 5].map((at) => held.hold(`evil:cio_${String(at)}`, record(at)));
  expect(all).toEqual(['held', 'held', 'held', 'now', 'now']);
  expect(held.hold('quiet:cio_b', record(6))).toBe('held');
  expect([held.people, held.records]).toEqual([4, 4]);
});

test('they are handed out in the order of when they were merged, and equal ones as they came', () => {
  const { keyed } = memoryStores({});
  const held = new HeldRecords(keyed, () => 0);
  const came = [5, 9, 7, 7, 3, 9].map((at, place) => ({ ...record(at), originOffset: place }));
  for (const one of came) expect(held.hold('shop:cio_a', one)).toBe('held');
  expect(held.firstAt('shop:cio_a')).toBe(3);
  const again = new HeldRecords(keyed, () => Infinity);
  expect(handedOut(again)).toEqual([4, 0, 2, 3, 1, 5]);
  expect(again.people).toBe(0);
});
