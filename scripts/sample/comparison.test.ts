import { describe, expect, test } from '@jest/globals';
import { assert } from '../../services/runtime/errors.ts';
import { Comparison, misplacements } from './comparison.ts';
import { expectationsOf } from './oracle.ts';
import { makeStorefront } from './storefront.ts';
import type { EventRow } from './tables.ts';

const oracle = expectationsOf(
  makeStorefront({ seed: 7, visitors: 60, now: Date.parse('2026-11-01T12:00:00Z'), run: 'r1' }),
);

/** What a topic without fault holds: everything that is somebody's, and nothing else. */
function rightRows(): EventRow[] {
  return [...oracle.people].flatMap(([person, lanes]) =>
    [...lanes].flatMap(([lane, ids]) =>
      ids.map((id, index) => ({
        message_id: id,
        person_id: person,
        anonymous_id: lane === '' ? null : lane,
        partition: 0,
        offset: String(index),
      })),
    ),
  );
}
const compare = (rows: readonly EventRow[]) => new Comparison(oracle, new Map()).compare(rows, undefined);
function known(row: EventRow | undefined): EventRow {
  assert(row !== undefined, 'the storefront has events of people');
  return row;
}

describe('a topic of people’s events against the oracle', () => {
  test('has no fault when each is there once, in order', () => {
    const report = compare(rightRows());
    expect(misplacements(report)).toBe(0);
    expect(report.found).toBe(report.expected);
    expect(report.expected).toBeGreaterThan(100);
  });

  test('lacks one', () => {
    expect(compare(rightRows().slice(1))).toMatchObject({ lost: 1, doubled: 0, misplaced: 0 });
  });

  test('has one twice', () => {
    const rows = rightRows();
    expect(compare([...rows, known(rows.at(-1))])).toMatchObject({ lost: 0, doubled: 1 });
  });

  test('has one of a visitor whom nobody knows', () => {
    const [lane, ids] = [...oracle.anonymous][0] ?? [];
    const stray = { ...known(rightRows()[0]), message_id: ids?.[0] ?? '', anonymous_id: lane ?? null };
    expect(compare([...rightRows(), stray])).toMatchObject({ lost: 0, misplaced: 1 });
  });

  test('has two of a lane in another order', () => {
    const rows = rightRows();
    const at = rows.findIndex((row, index) => rows[index + 1]?.anonymous_id === row.anonymous_id);
    const swapped = [...rows];
    [swapped[at], swapped[at + 1]] = [known(rows[at + 1]), known(rows[at])];
    expect(compare(swapped)).toMatchObject({ misordered: 2, lost: 0 });
  });
});

test('what makes an event somebody’s is the event, or the identify that claims it', () => {
  const types = new Set(
    [...oracle.causes].map(
      ([id, cause]) => cause.type === 'identify' || ('messageId' in cause && cause.messageId === id),
    ),
  );
  expect(types).toEqual(new Set([true]));
  expect(oracle.causes.size).toBe(rightRows().length);
  expect([...oracle.causes.values()].some(({ type }) => type === 'identify')).toBe(true);
});
