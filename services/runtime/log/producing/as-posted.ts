/** A key and a value that lie apart, as what is posted: one behind the other. */
import type { Posted } from '../ports.ts';

export function asPosted(key: Uint8Array, value: Uint8Array, partition?: number): Posted {
  const bytes = Buffer.concat([key, value]);
  return { bytes, start: 0, keyEnd: key.length, end: bytes.length, partition };
}
