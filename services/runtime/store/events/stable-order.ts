/** Sorting many numbers without comparing them: a lane of a million events is sorted in the batch that begins its release. */

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
/** Fewer are sorted sooner by comparing. */
const COMPARED_MAX = 512;

/** The indexes of the values from the least to the greatest; equal ones in the order in which they are. Whole numbers. */
export function stableOrder(values: Float64Array): Uint32Array {
  const order = new Uint32Array(values.length);
  for (let i = 0; i < order.length; i += 1) order[i] = i;
  if (values.length <= COMPARED_MAX) {
    return order.sort((a, b) => (values[a] as number) - (values[b] as number) || a - b); // both < length
  }
  let [least, greatest] = [Infinity, -Infinity];
  // Counting loops, since an iterator over a million numbers takes longer than a pass. Indexes are below the length.
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  let from = order;
  let to = new Uint32Array(values.length);
  // Digit by digit from the lowest, each pass keeping the order of the one before.
  for (let unit = 1; unit <= greatest - least; unit *= DIGITS) {
    pass(values, least, 1 / unit, from, to);
    [from, to] = [to, from];
  }
  return from;
}

// eslint-disable-next-line @typescript-eslint/max-params -- one loop over typed arrays, which an object would hide
function pass(values: Float64Array, least: number, scale: number, from: Uint32Array, to: Uint32Array): void {
  const ends = new Uint32Array(DIGITS + 1);
  const digits = new Uint16Array(from.length);
  // Indexes are below the length, digits below DIGITS; scale is a power of two, so the product is exact.
  for (let i = 0; i < from.length; i += 1) {
    const digit = Math.floor(((values[from[i] as number] as number) - least) * scale) & (DIGITS - 1);
    digits[i] = digit;
    ends[digit + 1] = (ends[digit + 1] as number) + 1;
  }
  for (let digit = 1; digit <= DIGITS; digit += 1) {
    ends[digit] = (ends[digit] as number) + (ends[digit - 1] as number);
  }
  for (let i = 0; i < from.length; i += 1) {
    const digit = digits[i] as number;
    const at = ends[digit] as number;
    to[at] = from[i] as number;
    ends[digit] = at + 1;
  }
}
