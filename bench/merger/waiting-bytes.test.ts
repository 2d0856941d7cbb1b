import { describe, expect, test } from '@jest/globals';
import type { PeerRecord } from './peer-record.ts';
import { WaitingBytes } from './waiting-bytes.ts';

const DAY_MS = 86_400_000;

function record(anonymousId: string, day: number, isIdentify = false): PeerRecord {
  const receivedAt = day * DAY_MS + 1;
  const userId = isIdentify ? 'user' : null;
  return { anonymousId, isIdentify, receivedAt, timestamp: receivedAt, userId, messageId: '', json: '' };
}

describe('bytes that wait', () => {
  test('are gone once their visitor is claimed, and so is what comes later', () => {
    const waiting = new WaitingBytes();
    waiting.take(record('a', 1), 100);
    waiting.take(record('a', 2), 10);
    waiting.take(record('b', 2), 1);
    expect(waiting.bytes).toBe(111);
    waiting.take(record('a', 3, true), 50);
    waiting.take(record('a', 3), 100);
    expect(waiting.bytes).toBe(1);
  });

  test('are gone after 30 days', () => {
    const waiting = new WaitingBytes();
    waiting.take(record('a', 1), 100);
    waiting.take(record('a', 2), 10);
    waiting.take(record('b', 31), 1);
    expect(waiting.bytes).toBe(111);
    waiting.take(record('b', 32), 1);
    expect(waiting.bytes).toBe(12);
    waiting.take(record('a', 32, true), 5);
    expect(waiting.bytes).toBe(2);
  });
});
