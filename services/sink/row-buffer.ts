/**
 * Rows of one table in RowBinary, written into memory that is used again for the next batch. Remembers where each row
 * begins, so that single rows can be picked when some are missing.
 */
import { op, type RowPlan, type Step } from './row-plan.ts';

/** DateTime64(3) holds 1900 to 2299; what a client sent beyond is moved to the nearest that fits. */
const TIME_MIN = Date.UTC(1900, 0, 1);
const TIME_MAX = Date.UTC(2299, 11, 31, 23, 59, 59, 999);
const TWO_32 = 4_294_967_296;
/** Below this many bytes a loop is quicker than a call of Buffer.copy. */
const COPY_BYTES_MIN = 40;
/** A row is never longer than its record by more than this: lengths, null marks, symbols, place. */
const ROW_OVERHEAD_BYTES_MAX = 1024;

export class RowBuffer {
  readonly #steps: readonly Step[];
  #bytes: Buffer;
  #length = 0;
  #rows = 0;
  #starts = new Uint32Array(1024);
  #partitions = new Uint16Array(1024);
  #offsets = new Float64Array(1024);
  /** Reading position in the record under way. */
  #at = 0;

  constructor(plan: RowPlan, bytesInitially = 1 << 16) {
    this.#steps = plan.steps;
    this.#bytes = Buffer.allocUnsafe(bytesInitially);
  }

  get rows(): number {
    return this.#rows;
  }
  get byteLength(): number {
    return this.#length;
  }
  /** A view: valid until the next append or clear. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  partitionOf(row: number): number {
    return this.#partitions[row] ?? 0;
  }
  offsetOf(row: number): number {
    return this.#offsets[row] ?? 0;
  }

  clear(): void {
    this.truncate(0);
  }

  /** Forgets all but the first rows. */
  truncate(rows: number): void {
    this.#length = rows === 0 ? 0 : rows < this.#rows ? (this.#starts[rows] ?? 0) : this.#length;
    this.#rows = Math.min(rows, this.#rows);
  }

  /** The bytes of some rows, copied. */
  pick(rows: readonly number[]): Buffer {
    return Buffer.concat(
      rows.map((row) => {
        const end = row + 1 < this.#rows ? this.#starts[row + 1] : this.#length;
        return this.#bytes.subarray(this.#starts[row], end);
      }),
    );
  }

  /**
   * Appends the record in bytes[start, end) (Avro, without wire header) as a row. False when it is not one of this
   * table. Throws RangeError when the bytes are not such a record; nothing is appended then.
   */
  // eslint-disable-next-line @typescript-eslint/max-params -- called for every row: an object would be garbage
  append(bytes: Buffer, start: number, end: number, partition: number, offset: number): boolean {
    const before = this.#length;
    this.#reserve(end - start + ROW_OVERHEAD_BYTES_MAX);
    this.#at = start;
    let accepted = false;
    try {
      accepted = this.#steps.every((step) => this.#take(step, bytes, end));
      if (accepted && this.#at !== end) throw new RangeError('the record goes on after its last field');
    } finally {
      if (!accepted || this.#at !== end) this.#length = before;
    }
    if (!accepted) return false;
    const out = this.#bytes;
    let at = this.#length;
    out[at++] = partition & 255;
    out[at++] = partition >>> 8;
    this.#length = at;
    this.#writeInteger(offset);
    this.#remember(before, partition, offset);
    return true;
  }

  /** One field. False: the record is no row. */
  #take(step: Step, bytes: Buffer, end: number): boolean {
    switch (step.op) {
      case op.string:
        this.#copyString(bytes, end);
        return true;
      case op.optionalString:
        if (this.#isNull(bytes, end)) this.#bytes[this.#length++] = 1;
        else {
          this.#bytes[this.#length++] = 0;
          this.#copyString(bytes, end);
        }
        return true;
      case op.requiredString:
        if (this.#isNull(bytes, end)) return false;
        this.#copyString(bytes, end);
        return true;
      case op.time:
        this.#writeTime(this.#readNumber(bytes, end));
        return true;
      case op.optionalTime:
        if (this.#isNull(bytes, end)) this.#bytes[this.#length++] = 1;
        else {
          this.#bytes[this.#length++] = 0;
          this.#writeTime(this.#readNumber(bytes, end));
        }
        return true;
      case op.boolean:
        this.#bytes[this.#length++] = this.#readByte(bytes, end);
        return true;
      case op.integer:
        this.#writeInteger(this.#readNumber(bytes, end));
        return true;
      case op.requiredInteger:
        if (this.#isNull(bytes, end)) return false;
        this.#writeInteger(this.#readNumber(bytes, end));
        return true;
      case op.symbol:
      case op.skipSymbol:
        return this.#takeSymbol(step, bytes, end);
      case op.enter:
        return !this.#isNull(bytes, end);
      case op.skipString:
        this.#skip(this.#readNumber(bytes, end), end);
        return true;
      case op.skipOptionalString:
        if (!this.#isNull(bytes, end)) this.#skip(this.#readNumber(bytes, end), end);
        return true;
      case op.skipNumber:
        this.#readNumber(bytes, end);
        return true;
      case op.skipOptionalNumber:
        if (!this.#isNull(bytes, end)) this.#readNumber(bytes, end);
        return true;
      case op.skipBoolean:
        this.#skip(1, end);
        return true;
    }
  }

  #takeSymbol(step: Step, bytes: Buffer, end: number): boolean {
    const text = step.symbols[this.#readNumber(bytes, end)];
    if (text === undefined) throw new RangeError('an enum has no such symbol');
    if (text === null) return false;
    if (step.op === op.symbol) {
      const out = this.#bytes;
      let to = this.#length;
      for (let i = 0; i < text.length; i++) out[to++] = text[i] ?? 0;
      this.#length = to;
    }
    return true;
  }

  #copyString(bytes: Buffer, end: number): void {
    const length = this.#readNumber(bytes, end);
    const from = this.#at;
    this.#skip(length, end);
    const out = this.#bytes;
    let to = this.#length;
    let rest = length;
    while (rest >= 128) {
      out[to++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    out[to++] = rest;
    if (length < COPY_BYTES_MIN) for (let i = 0; i < length; i++) out[to + i] = bytes[from + i] ?? 0;
    else bytes.copy(out, to, from, from + length);
    this.#length = to + length;
  }

  #isNull(bytes: Buffer, end: number): boolean {
    const branch = this.#readByte(bytes, end);
    if (branch === 0) return true;
    if (branch !== 2) throw new RangeError('a union has no such branch');
    return false;
  }

  #readByte(bytes: Buffer, end: number): number {
    if (this.#at >= end) throw new RangeError('the record ends too early');
    return bytes[this.#at++] ?? 0;
  }

  /**
   * A zigzag varint. The first four bytes in integer arithmetic, the others in doubles; the number without its sign, which
   * is the lowest bit, so exact to 2^53. One beyond is refused.
   */
  #readNumber(bytes: Buffer, end: number): number {
    let byte = this.#readByte(bytes, end);
    let low = byte & 127;
    let shift = 7;
    while (byte >= 128 && shift < 28) {
      byte = this.#readByte(bytes, end);
      low |= (byte & 127) << shift;
      shift += 7;
    }
    if (byte < 128) return (low >>> 1) ^ -(low & 1);
    let half = low >>> 1;
    let scale = 134_217_728;
    while (byte >= 128) {
      if (scale > 2 ** 62) throw new RangeError('a number has more than ten bytes');
      byte = this.#readByte(bytes, end);
      half += (byte & 127) * scale;
      scale *= 128;
    }
    if (half > Number.MAX_SAFE_INTEGER) throw new RangeError('a number is beyond what is held exactly');
    return (low & 1) === 0 ? half : -half - 1;
  }

  #skip(length: number, end: number): void {
    if (length < 0 || this.#at + length > end) throw new RangeError('a text is longer than its record');
    this.#at += length;
  }

  #writeTime(time: number): void {
    this.#writeInteger(time < TIME_MIN ? TIME_MIN : time > TIME_MAX ? TIME_MAX : time);
  }

  /** 64 bits, little-endian, two's complement. */
  #writeInteger(value: number): void {
    const high = Math.floor(value / TWO_32);
    const low = value - high * TWO_32;
    const out = this.#bytes;
    let at = this.#length;
    out[at++] = low & 255;
    out[at++] = (low >>> 8) & 255;
    out[at++] = (low >>> 16) & 255;
    out[at++] = low >>> 24;
    out[at++] = high & 255;
    out[at++] = (high >> 8) & 255;
    out[at++] = (high >> 16) & 255;
    out[at++] = (high >> 24) & 255;
    this.#length = at;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #remember(start: number, partition: number, offset: number): void {
    const row = this.#rows;
    if (row === this.#starts.length) {
      this.#starts = grown(this.#starts, new Uint32Array(row * 2));
      this.#partitions = grown(this.#partitions, new Uint16Array(row * 2));
      this.#offsets = grown(this.#offsets, new Float64Array(row * 2));
    }
    this.#starts[row] = start;
    this.#partitions[row] = partition;
    this.#offsets[row] = offset;
    this.#rows = row + 1;
  }
}

function grown<T extends { set(from: ArrayLike<number>): void }>(old: ArrayLike<number>, larger: T): T {
  larger.set(old);
  return larger;
}
