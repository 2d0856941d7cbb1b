import { expect, test } from '@jest/globals';
import { expiredDays } from './expiry.ts';

const days = ['20260101', '20260102', '20260131', 'all'];
const at = (iso: string) => Date.parse(iso);

test('a day goes when its last moment is more than 30 days old', () => {
  expect(expiredDays(days, at('2026-01-31T23:59:59.999Z'))).toEqual([]);
  expect(expiredDays(days, at('2026-02-01T00:00:00Z'))).toEqual(['20260101']);
  expect(expiredDays(days, at('2026-02-02T00:00:00Z'))).toEqual(['20260101', '20260102']);
});

test('nothing goes before there is a watermark', () => {
  expect(expiredDays(days, 0)).toEqual([]);
});
