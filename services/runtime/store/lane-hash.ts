/**
 * 128 bits of a lane's key (murmur3, x86 variant, tail padded with zeros), computed in place from the record's key.
 * At 100 million lanes the chance that any two share a hash is below 1e-22, so the hash stands for the lane.
 */

/** Hash words of the last call, h0 to h3. One writer, one thread. */
export type HashWords = Uint32Array;

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** Writes the hash of bytes[start, end) to out. */
export function hashLane(out: HashWords, bytes: Uint8Array, start: number, end: number): void {
  let h1 = 1;
  let h2 = 2;
  let h3 = 3;
  let h4 = 4;
  let k1 = 0;
  let k2 = 0;
  let k3 = 0;
  let k4 = 0;
  for (let i = start; i < end; i += 16) {
    k1 = word(bytes, i, end);
    k2 = word(bytes, i + 4, end);
    k3 = word(bytes, i + 8, end);
    k4 = word(bytes, i + 12, end);
    k1 = Math.imul(k1, C1);
    h1 ^= Math.imul((k1 << 15) | (k1 >>> 17), C2);
    h1 = (Math.imul((((h1 << 19) | (h1 >>> 13)) + h2) | 0, 5) + 0x561ccd1b) | 0;
    k2 = Math.imul(k2, C2);
    h2 ^= Math.imul((k2 << 16) | (k2 >>> 16), C3);
    h2 = (Math.imul((((h2 << 17) | (h2 >>> 15)) + h3) | 0, 5) + 0x0bcaa747) | 0;
    k3 = Math.imul(k3, C3);
    h3 ^= Math.imul((k3 << 17) | (k3 >>> 15), C4);
    h3 = (Math.imul((((h3 << 15) | (h3 >>> 17)) + h4) | 0, 5) + 0x96cd1c35) | 0;
    k4 = Math.imul(k4, C4);
    h4 ^= Math.imul((k4 << 18) | (k4 >>> 14), C1);
    h4 = (Math.imul((((h4 << 13) | (h4 >>> 19)) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  finish(out, end - start, [h1, h2, h3, h4]);
}

function finish(
  out: HashWords,
  length: number,
  [a, b, c, d]: readonly [number, number, number, number],
): void {
  let h1 = a ^ length;
  let h2 = b ^ length;
  let h3 = c ^ length;
  let h4 = d ^ length;
  h1 = (h1 + h2 + h3 + h4) | 0;
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

/** Four bytes, little-endian; bytes at or past end count as zero. */
function word(bytes: Uint8Array, i: number, end: number): number {
  if (i + 4 <= end) {
    // In range by the line above; the cast only tells the compiler so, in the hottest line there is.
    return (
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    );
  }
  let k = 0;
  for (let j = i; j < end; j += 1) k |= (bytes[j] as number) << ((j - i) * 8);
  return k;
}
