import { describe, expect, test } from '@jest/globals';
import {
  insertToken,
  intentsOf,
  mendToken,
  missingRows,
  planStart,
  positionsOf,
  VERIFY_OFFSETS_MAX,
} from './ranges.ts';

const merged = (partition: number, from: number, to: number) => ({
  topic: 'eventsMerged' as const,
  partition,
  from,
  to,
});

describe('an intent', () => {
  test('is the unchanged offset with the name and the end of what comes next', () => {
    const positions = positionsOf([], { batchId: 'b1', ranges: [merged(3, 10, 20)] });
    expect(positions).toEqual([
      { topic: 'eventsMerged', partition: 3, offset: 10, metadata: '{"batch":"b1","to":20}' },
    ]);
  });

  test('shares its transaction with the offsets of the batch before', () => {
    const positions = positionsOf([merged(1, 0, 5), merged(2, 0, 7)], {
      batchId: 'b2',
      ranges: [merged(1, 5, 9)],
    });
    expect(positions).toEqual([
      { topic: 'eventsMerged', partition: 1, offset: 5, metadata: '{"batch":"b2","to":9}' },
      { topic: 'eventsMerged', partition: 2, offset: 7, metadata: '' },
    ]);
  });

  test('is read back from the committed offsets, a batch over several partitions as one', () => {
    const ranges = [merged(1, 5, 9), merged(4, 100, 250)];
    const committed = positionsOf([merged(0, 0, 3)], { batchId: 'b', ranges });
    expect(intentsOf(committed)).toEqual([{ batchId: 'b', ranges }]);
  });

  test('is none when the offset has none, has expired, or stands at its end', () => {
    const place = { topic: 'eventsMerged' as const, partition: 0 };
    expect(
      intentsOf([
        { ...place, offset: 4, metadata: '' },
        { ...place, offset: null, metadata: null },
        { ...place, offset: 9, metadata: '{"batch":"b","to":9}' },
        { ...place, offset: 9, metadata: '{"other":1}' },
      ]),
    ).toEqual([]);
  });
});

describe('tokens', () => {
  test('are the same for everyone who inserts or mends a batch, and no two say the same', () => {
    const tokens = [
      insertToken('t', 'b'),
      insertToken('u', 'b'),
      mendToken('t', 'b', 1),
      mendToken('t', 'b', 2),
    ];
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(insertToken('t', 'b')).toBe(insertToken('t', 'b'));
  });
});

describe('what is missing', () => {
  const rows = { rows: 3, partitionOf: (row: number) => [0, 0, 1][row] ?? 9, offsetOf: (row: number) => row };
  test('is every row that the table does not show, by partition and offset', () => {
    expect(missingRows(rows, new Map([[0, new Set([1])]]))).toEqual([0, 2]);
    expect(missingRows(rows, new Map([[0, new Set([0, 1])], [1, new Set([2])]]))).toEqual([]); // prettier-ignore
  });
});

describe('where a partition starts', () => {
  const log = { logStart: 0, logEnd: 1000 };
  test('is its committed offset', () => {
    expect(planStart({ ...log, committed: 5, greatest: 99 })).toEqual({ type: 'start', at: 5 });
  });
  test('is the start of the log for a new partition', () => {
    expect(planStart({ ...log, logStart: 7, committed: null, greatest: null })).toEqual({
      type: 'start',
      at: 7,
    });
  });
  test('is after the greatest offset in ClickHouse when its own has expired, and what lies before is checked', () => {
    expect(planStart({ ...log, committed: null, greatest: 99 })).toEqual({
      type: 'verify',
      from: 0,
      at: 100,
    });
    const late = VERIFY_OFFSETS_MAX + 50;
    expect(planStart({ logStart: 0, logEnd: late + 9, committed: null, greatest: late })).toEqual({
      type: 'verify',
      from: 51,
      at: late + 1,
    });
  });
  test('says what is lost when the log was cut before it', () => {
    expect(planStart({ logStart: 50, logEnd: 90, committed: 20, greatest: null })).toEqual({
      type: 'truncated',
      lost: 30,
      at: 50,
    });
  });
  test('is refused when ClickHouse was written from another log', () => {
    expect(planStart({ ...log, committed: null, greatest: 1000 })).toEqual({
      type: 'foreign',
      greatest: 1000,
    });
    expect(planStart({ ...log, committed: 1001, greatest: null })).toEqual({
      type: 'foreign',
      greatest: 1000,
    });
  });
});
