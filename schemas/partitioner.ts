/** Kafka's default partitioner (murmur2 of the key), so that every client in every language agrees with ours. */
const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** Of the key that lies there. */
export function murmur2(key: Uint8Array, start = 0, end = key.length): number {
  const length = end - start;
  let h = SEED ^ length;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    let k = byte(key, i) | (byte(key, i + 1) << 8) | (byte(key, i + 2) << 16) | (byte(key, i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = end - i;
  if (rest === 3) h ^= byte(key, i + 2) << 16;
  if (rest >= 2) h ^= byte(key, i + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ byte(key, i), M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

export function partitionOf(key: Uint8Array | string, partitions: number): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  return partitionWithin(bytes, 0, bytes.length, partitions);
}

/** Of a key that lies within these bytes. */
export function partitionWithin(bytes: Uint8Array, start: number, end: number, partitions: number): number {
  return (murmur2(bytes, start, end) & 0x7fffffff) % partitions;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number; // at < length at every call
}
