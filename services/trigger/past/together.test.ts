/** Which pasts are read at once. */
import { expect, test } from '@jest/globals';
import type { WantedPast } from '../wanted-past.ts';
import { partitionsAReadMax, together } from './together.ts';

const rule = (key: string, after = '') => ({ key, version: 1, fence: 9, after, conditions: [] });
const wanted = (partition: number, ...rules: WantedPast['rules']): WantedPast => ({
  ...{ workspace: 'w', partition, rules },
});
const partitionsOf = (all: readonly WantedPast[]) =>
  together(all).map((group) => group.map(({ partition }) => partition));

test('partitions that want the same rules are, in whichever order each has met them, and however far each is', () => {
  const all = [wanted(0, rule('s:a'), rule('s:b')), wanted(1, rule('s:b', 'cio_x'), rule('s:a'))];
  expect(partitionsOf(all)).toEqual([[0, 1]]);
});

test('others are not, nor more than there may be of one reading', () => {
  expect(partitionsOf([wanted(0, rule('s:a')), wanted(1, rule('s:b')), wanted(2, rule('s:a'))])).toEqual([
    [0, 2],
    [1],
  ]);
  const many = Array.from({ length: partitionsAReadMax + 1 }, (_, partition) =>
    wanted(partition, rule('s:a')),
  );
  expect(partitionsOf(many).map(({ length }) => length)).toEqual([partitionsAReadMax, 1]);
  const placing = { journeyId: 'j', fences: [], metAt: 0, readTo: 1 };
  expect(together([0, 1].map((partition) => ({ ...wanted(partition, rule('t:j')), placing })))).toHaveLength(
    2,
  );
});
