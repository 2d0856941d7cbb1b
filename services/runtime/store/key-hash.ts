/**
 * Hash of a key, for tables in memory. Under a secret of the process: whoever chooses keys and does not know it cannot make
 * many of them meet in one place.
 */
import { randomInt } from 'node:crypto';

const HALF = 2 ** 31;
const start = randomInt(HALF);
const factor = 2 * randomInt(HALF / 2) + 1;

/** 32 bits, signed. */
export function keyHash(key: string): number {
  const { length } = key;
  const pairs = length & ~1;
  let hash = start ^ length;
  for (let i = 0; i < pairs; i += 2) {
    hash = Math.imul(hash ^ key.charCodeAt(i) ^ (key.charCodeAt(i + 1) << 16), factor);
    hash ^= hash >>> 15;
  }
  if (pairs < length) hash = Math.imul(hash ^ key.charCodeAt(pairs), factor);
  hash = Math.imul(hash ^ (hash >>> 16), factor);
  return hash ^ (hash >>> 13);
}
