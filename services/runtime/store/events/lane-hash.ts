/**
 * 128 bits of a lane's key (murmur3, x86 variant, tail padded with zeros), computed in place from the record's key.
 * At 100 million lanes the chance that any two share a hash is below 1e-22, so the hash stands for the lane.
 */

import { viewOf } from '../../byte-view.ts';

/** Hash words of the last call, h0 to h3. One writer, one thread. */
export type HashWords = Uint32Array;

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** Writes the hash of bytes[start, end) to out. */
export function hashLane(out: HashWords, bytes: Uint8Array, start: number, end: number): void {
  const view = viewOf(bytes);
  let h1 = 1;
  let h2 = 2;
  let h3 = 3;
  let h4 = 4;
  for (let i = start; i < end; i += 16) {
    const whole = i + 16 <= end;
    const k1 = Math.imul(whole ? view.getInt32(i, true) : tail(view, i, end), C1);
    h1 ^= Math.imul((k1 << 15) | (k1 >>> 17), C2);
    h1 = (Math.imul((((h1 << 19) | (h1 >>> 13)) + h2) | 0, 5) + 0x561ccd1b) | 0;
    const k2 = Math.imul(whole ? view.getInt32(i + 4, true) : tail(view, i + 4, end), C2);
    h2 ^= Math.imul((k2 << 16) | (k2 >>> 16), C3);
    h2 = (Math.imul((((h2 << 17) | (h2 >>> 15)) + h3) | 0, 5) + 0x0bcaa747) | 0;
    const k3 = Math.imul(whole ? view.getInt32(i + 8, true) : tail(view, i + 8, end), C3);
    h3 ^= Math.imul((k3 << 17) | (k3 >>> 15), C4);
    h3 = (Math.imul((((h3 << 15) | (h3 >>> 17)) + h4) | 0, 5) + 0x96cd1c35) | 0;
    const k4 = Math.imul(whole ? view.getInt32(i + 12, true) : tail(view, i + 12, end), C4);
    h4 ^= Math.imul((k4 << 18) | (k4 >>> 14), C1);
    h4 = (Math.imul((((h4 << 13) | (h4 >>> 19)) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  const length = end - start;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = ((h1 ^ length) + h2 + h3 + h4) | 0;
  h2 = mix((h2 + h1) | 0);
  h3 = mix((h3 + h1) | 0);
  h4 = mix((h4 + h1) | 0);
  h1 = mix(h1);
  out[0] = (h1 + h2 + h3 + h4) | 0;
  out[1] = (h2 + h1) | 0;
  out[2] = (h3 + h1) | 0;
  out[3] = (h4 + h1) | 0;
}

function mix(h: number): number {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** Four bytes, little-endian; those at or past end count as zero. */
function tail(view: DataView, i: number, end: number): number {
  if (i + 4 <= end) return view.getInt32(i, true);
  let k = 0;
  for (let j = i; j < end; j += 1) k |= view.getUint8(j) << ((j - i) * 8);
  return k;
}
