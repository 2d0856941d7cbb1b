import { describe, expect, test } from '@jest/globals';
import { historyEvents, historyId, identifyId, schedule } from './schedule.ts';

describe('a schedule', () => {
  const calls = schedule(1_000, 10);

  test('is in order, and each call has a message id of its own', () => {
    expect(calls.map(({ dueMs }) => dueMs)).toEqual(
      calls.map(({ dueMs }) => dueMs).toSorted((a, b) => a - b),
    );
    expect(new Set(calls.map(({ messageId }) => messageId)).size).toBe(calls.length);
  });

  test('comes to its rate once the first newcomers have identified', () => {
    const second = calls.filter(({ dueMs }) => dueMs >= 4_000 && dueMs < 5_000);
    expect(second.length).toBeGreaterThanOrEqual(995);
    expect(second.length).toBeLessThanOrEqual(1_005);
  });

  test('has a whole history before every identify, and leaves out whom it could not identify in time', () => {
    const due = new Map(calls.map(({ messageId, dueMs }) => [messageId, dueMs]));
    const identifies = calls.filter(({ kind }) => kind === 'identify');
    expect(calls.filter(({ kind }) => kind === 'history')).toHaveLength(identifies.length * historyEvents);
    for (const { visitor = -1, dueMs, messageId } of identifies) {
      expect(messageId).toBe(identifyId(visitor));
      expect(dueMs).toBeLessThanOrEqual(10_000);
      for (let number = 0; number < historyEvents; number += 1) {
        expect(due.get(historyId(visitor, number))).toBeLessThan(dueMs);
      }
    }
  });
});
