/** Ids as clients make them, from seeded random numbers: the same seed makes the same storefront on every machine. */
import type { Random } from '../../services/testing/random.ts';

const ULID_DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function hex(random: Random, digits: number): string {
  let out = '';
  while (out.length < digits) out += random.below(16).toString(16);
  return out;
}

export function uuid(random: Random): string {
  const variant = '89ab'.charAt(random.between(0, 3));
  return `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-${variant}${hex(random, 3)}-${hex(random, 12)}`;
}

/** Shaped like a ULID, whose first half is a time. */
export function ulid(random: Random, timeMs: number): string {
  let time = timeMs;
  let head = '';
  for (let i = 0; i < 10; i += 1) {
    head = ULID_DIGITS.charAt(time % 32) + head;
    time = Math.floor(time / 32);
  }
  let tail = '';
  for (let i = 0; i < 16; i += 1) tail += ULID_DIGITS.charAt(random.below(32));
  return head + tail;
}
