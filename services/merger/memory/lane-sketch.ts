/**
 * About how many different lanes there were, in a kilobyte however many: a HyperLogLog of 1,024 registers, good to 3 % as a
 * rule. Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog" (2007). The lanes' hashes are keyed with the
 * partition's secret, so nobody outside can choose lanes that count for more or less.
 */
const REGISTER_BITS = 10;
const REGISTERS = 1 << REGISTER_BITS;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);
/** Sums are whole numbers below 2^53: what a start sums up in another order comes to the same. */
const SCALE_BITS = 40;
/** So few lanes are told by how many registers nothing has come to. */
const FEW_LANES_MAX = 2.5 * REGISTERS;

export class LaneSketch {
  readonly registers: Uint8Array;
  #sum = 0;
  #empty = 0;

  constructor(registers: Uint8Array = new Uint8Array(REGISTERS)) {
    this.registers = registers;
    for (const rank of registers) {
      this.#sum += 2 ** (SCALE_BITS - rank);
      if (rank === 0) this.#empty += 1;
    }
  }

  /** @param low @param high words of the lane's hash. @returns whether it changes anything. */
  add(low: number, high: number): boolean {
    return this.#raise(low & (REGISTERS - 1), Math.clz32(high) + 1);
  }

  /** Everything of the other is in this one, too. */
  join({ registers }: LaneSketch): void {
    for (let register = 0; register < REGISTERS; register += 1)
      this.#raise(register, registers[register] ?? 0);
  }

  get lanes(): number {
    const many = (ALPHA * REGISTERS * REGISTERS * 2 ** SCALE_BITS) / this.#sum;
    const isFew = many <= FEW_LANES_MAX && this.#empty > 0;
    return Math.round(isFew ? REGISTERS * Math.log(REGISTERS / this.#empty) : many);
  }

  #raise(register: number, rank: number): boolean {
    const before = this.registers[register] ?? 0;
    if (rank <= before) return false;
    if (before === 0) this.#empty -= 1;
    this.registers[register] = rank;
    this.#sum += 2 ** (SCALE_BITS - rank) - 2 ** (SCALE_BITS - before);
    return true;
  }
}
