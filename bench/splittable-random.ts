/**
 * Java's SplittableRandom, bit for bit: the Kafka Streams application that the merger is measured against makes its
 * events with it, and only the same events make a fair race. 64-bit words are kept as two halves.
 */
const GAMMA_HIGH = 0x9e3779b9;
const GAMMA_LOW = 0x7f4a7c15;

export class SplittableRandom {
  #high: number;
  #low: number;
  /** Halves of the last word. */
  high = 0;
  low = 0;

  constructor(seed: number) {
    this.#high = Math.floor(seed / 2 ** 32) | 0;
    this.#low = seed | 0;
  }

  /** In [0, 1), 53 bits. */
  double(): number {
    this.#long();
    return ((this.high >>> 0) * 2 ** 21 + (this.low >>> 11)) * 2 ** -53;
  }

  /** In [0, bound), bound below 2^31. */
  int(bound: number): number {
    const mask = bound - 1;
    let word = this.#int();
    if ((bound & mask) === 0) return word & mask;
    for (let u = word >>> 1; ; u = this.#int() >>> 1) {
      word = u % bound;
      if (u + mask - word <= 0x7fffffff) return word;
    }
  }

  /** In [0, bound), bound below 2^53 and no power of two. */
  long(bound: number): number {
    this.#long();
    const word = (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0);
    return Number((word >> 1n) % BigInt(bound)); // rejection would take a bound near 2^63
  }

  #next(): void {
    const low = (this.#low >>> 0) + GAMMA_LOW;
    this.#high = (this.#high + GAMMA_HIGH + (low > 0xffffffff ? 1 : 0)) | 0;
    this.#low = low | 0;
    this.high = this.#high;
    this.low = this.#low;
  }
  #long(): void {
    this.#next();
    this.#xorShift(30);
    this.#times(0xbf58476d, 0x1ce4e5b9);
    this.#xorShift(27);
    this.#times(0x94d049bb, 0x133111eb);
    this.#xorShift(31);
  }
  #int(): number {
    this.#next();
    this.#xorShift(33);
    this.#times(0x62a9d9ed, 0x799705f5);
    this.#xorShift(28);
    this.#times(0xcb24d0a5, 0xc88c35b3);
    return this.high;
  }
  #xorShift(bits: number): void {
    const { high, low } = this;
    if (bits < 32) {
      this.low = low ^ ((low >>> bits) | (high << (32 - bits)));
      this.high = high ^ (high >>> bits);
    } else this.low = low ^ (high >>> (bits - 32));
  }
  #times(high: number, low: number): void {
    [this.high, this.low] = product(this.high, this.low, high, low);
  }
}

/** Low 64 bits of a product of two 64-bit words, as halves. */
export function product(aHigh: number, aLow: number, bHigh: number, bLow: number): [number, number] {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  const low = a0 * b0;
  const middle = a1 * b0 + (low >>> 16);
  const carried = a0 * b1 + (middle % 0x10000);
  const upper = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000);
  const high = (upper + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0;
  return [high, ((carried & 0xffff) << 16) | (low & 0xffff)];
}
