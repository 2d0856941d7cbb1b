/** Whoever chooses keys cannot make them meet: what differs gets a hash of its own, whatever the secret of the process is. */
import { expect, test } from '@jest/globals';
import { keyHash } from './key-hash.ts';

const hashesOf = (keys: readonly string[]) => new Set(keys.map((key) => keyHash(key))).size;

/** Each of two texts in each place: 2 ** places keys. */
function combined(texts: readonly [string, string], places: number): string[] {
  let keys = ['v:'];
  for (let at = 0; at < places; at += 1) keys = keys.flatMap((key) => texts.map((text) => key + text));
  return keys;
}

test('pairs of texts that a multiplication and a shift would let meet do not', () => {
  // High bits of a unit, which a product by an odd number leaves where they are, and what the shift makes of them.
  for (const [before, after] of [
    ['\u8000', '\u8001'],
    ['\ub000', '\ub001'],
    ['\u8000', '\uc001'],
  ] as const) {
    for (const gap of ['', 'a', 'aa']) {
      const other =
        String.fromCharCode(before.charCodeAt(0) ^ 0x8000) +
        gap +
        String.fromCharCode(after.charCodeAt(0) ^ 0x8001);
      for (const lead of ['', 'a']) {
        const keys = combined([lead + before + gap + after, lead + other], 10);
        expect(hashesOf(keys)).toBeGreaterThan(1_000);
      }
    }
  }
});

test('keys that differ in order, in length, or in one character are spread over the low bits, too', () => {
  const keys = Array.from({ length: 10_000 }, (_, at) => `visitor:shop:${String(at).padStart(8, '0')}`);
  expect(hashesOf(keys)).toBeGreaterThan(9_990);
  const low = (bits: number) => new Set(keys.map((key) => keyHash(key) & (2 ** bits - 1))).size;
  expect(low(16)).toBeGreaterThan(8_700); // 10,000 thrown into 65,536 places take 9,268 of them
  expect(hashesOf(combined(['ab', 'ba'], 10))).toBeGreaterThan(1_000);
  expect(hashesOf(Array.from({ length: 1_000 }, (_, length) => '\0'.repeat(length)))).toBe(1_000);
  expect(hashesOf(Array.from({ length: 100 }, (_, at) => 'x'.repeat(5_000) + String(at)))).toBe(100);
});
