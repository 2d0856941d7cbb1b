/** Writes Kafka's primitive types, big-endian, into a growing buffer. For requests; record batches have their own. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(256);
  #end = 0;

  int8(value: number): this {
    const at = this.#grow(1);
    this.#bytes.writeInt8(value, at);
    return this;
  }
  int16(value: number): this {
    const at = this.#grow(2);
    this.#bytes.writeInt16BE(value, at);
    return this;
  }
  int32(value: number): this {
    const at = this.#grow(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }
  /** Offsets and producer ids: safe integers. */
  int64(value: number): this {
    const at = this.#grow(8);
    this.#bytes.writeInt32BE(Math.floor(value / 4294967296), at);
    this.#bytes.writeUInt32BE(value < 0 ? (value % 4294967296) >>> 0 : value % 4294967296, at + 4);
    return this;
  }
  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const length = Buffer.byteLength(value);
    this.int16(length);
    const at = this.#grow(length);
    this.#bytes.write(value, at);
    return this;
  }
  /** As they are: their length is said elsewhere. */
  bytes(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  array<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.int32(items.length);
    items.forEach(write);
    return this;
  }
  /** Flexible versions: lengths are unsigned varints of length + 1. */
  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    this.uvarint(length + 1);
    const at = this.#grow(length);
    this.#bytes.write(value, at);
    return this;
  }
  compactArray<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.uvarint(items.length + 1);
    items.forEach(write);
    return this;
  }
  uvarint(value: number): this {
    let rest = value;
    while (rest > 127) {
      this.#putByte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.#putByte(rest);
    return this;
  }
  /** No tagged fields: the end of every structure of a flexible version. */
  noTags(): this {
    return this.uvarint(0);
  }
  get length(): number {
    return this.#end;
  }
  /** Overwrites four bytes written before: a length that is known only afterwards. */
  setInt32(at: number, value: number): void {
    this.#bytes.writeInt32BE(value, at);
  }
  /** What was written; the writer must not be used after. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  #putByte(value: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  /** Makes room and says where it begins. May replace the buffer: ask for it after. */
  #grow(bytes: number): number {
    const at = this.#end;
    this.#end += bytes;
    if (this.#end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }
}
