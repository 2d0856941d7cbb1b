/** UUIDs of version 7: unique, and near in time means near in order. For calls that bring no message id. */
import { randomBytes } from 'node:crypto';

const UUID_BYTES = 16;
const POOL_BYTES = UUID_BYTES * 256;

export function messageIds(now: () => number = Date.now): () => string {
  let pool = randomBytes(POOL_BYTES);
  let used = 0;
  return () => {
    if (used === POOL_BYTES) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    const bytes = pool.subarray(used, (used += UUID_BYTES));
    bytes.writeUIntBE(now(), 0, 6);
    bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    const hex = bytes.toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  };
}
