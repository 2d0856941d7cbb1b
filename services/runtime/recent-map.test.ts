import { describe, expect, test } from '@jest/globals';
import { RecentMap } from './recent-map.ts';

describe('a map of what was used lately', () => {
  test('remembers a generation for certain and forgets the one before', () => {
    const map = new RecentMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect([map.get('a'), map.get('b')]).toEqual([1, 2]);
    map.set('c', 3);
    map.set('d', 4);
    expect([map.get('c'), map.get('d')]).toEqual([3, 4]);
    expect(map.get('a')).toBeUndefined();
  });

  test('keeps what is used again and again', () => {
    const map = new RecentMap<string, number>(2);
    map.set('often', 0);
    for (let other = 1; other < 100; other += 1) {
      map.set(String(other), other);
      expect(map.get('often')).toBe(0);
    }
  });

  test('has the latest value of a key', () => {
    const map = new RecentMap<string, number>(2);
    for (const value of [1, 2, 3, 4, 5]) map.set('a', value);
    expect(map.get('a')).toBe(5);
  });
});
