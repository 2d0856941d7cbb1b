/** Keys of the store as lmdb has them: UTF-8. Written where lmdb wants them, without a buffer for each. */

/** Keys up to so many characters are written by hand where they are ASCII, which most are. */
const shortCharsMax = 200;

export const utf8Keys = {
  /** @returns where it ends. */
  writeKey(key: string, target: Buffer, position: number): number {
    const { length } = key;
    if (length > shortCharsMax) return writeWhole(key, target, position);
    for (let i = 0; i < length; i += 1) {
      const unit = key.charCodeAt(i);
      if (unit > 127) return writeWhole(key, target, position);
      target[position + i] = unit;
    }
    return position + length;
  },
  readKey(target: Buffer, start: number, end: number): string {
    return target.toString('utf8', start, end);
  },
};

/** lmdb knows a RangeError: there was no room. */
function writeWhole(key: string, target: Buffer, position: number): number {
  const bytes = Buffer.from(key);
  target.set(bytes, position);
  return position + bytes.length;
}
