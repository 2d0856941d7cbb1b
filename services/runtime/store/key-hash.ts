/**
 * Hash of a key, for tables in memory: a sum in which each character has a secret factor of its own, by its place. Whoever
 * chooses keys and does not know the factors cannot make many of them meet: two keys do by chance alone, once in 131,072 at
 * the most often. (With one factor for all places, what differs in a high bit can be made to meet under every secret.)
 */
import { randomFillSync } from 'node:crypto';
import { keyBytesMax } from './ports.ts';

/** As many as a key that can be stored has characters; one that is longer, and is found nowhere, takes them again. */
const PLACES = 2 ** Math.ceil(Math.log2(keyBytesMax));
const factors = randomFillSync(new Int32Array(PLACES + 1));

/** 32 bits, signed. */
export function keyHash(key: string): number {
  const { length } = key;
  let sum = Math.imul(length, factors[PLACES] ?? 0);
  for (let i = 0; i < length; i += 1) {
    sum = (sum + Math.imul(key.charCodeAt(i), factors[i & (PLACES - 1)] ?? 0)) | 0;
  }
  // No two sums become one, and the low bits, by which a place is chosen, come to depend on all of them.
  sum = Math.imul(sum ^ (sum >>> 16), 0x85eb_ca6b);
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2_ae35);
  return sum ^ (sum >>> 16);
}
