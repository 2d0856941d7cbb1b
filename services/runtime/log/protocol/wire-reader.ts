/** Reads Kafka's primitive types from an answer. A read past the end throws RangeError: the answer is not what it says. */
export class WireReader {
  readonly bytes: Buffer;
  position = 0;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int8(): number {
    return this.bytes.readInt8(this.#skip(1));
  }
  int16(): number {
    return this.bytes.readInt16BE(this.#skip(2));
  }
  int32(): number {
    return this.bytes.readInt32BE(this.#skip(4));
  }
  int64(): number {
    return int64At(this.bytes, this.#skip(8));
  }
  string(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#text(length);
  }
  array<Item>(read: () => Item): Item[] {
    return this.#items(this.int32(), read);
  }
  /** Length in bytes of what follows; null is 0. */
  bytesLength(): number {
    return Math.max(0, this.int32());
  }
  compactString(): string | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.#text(length);
  }
  compactArray<Item>(read: () => Item): Item[] {
    return this.#items(this.uvarint() - 1, read);
  }
  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.#skip(1));
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.#skip(this.uvarint());
    }
  }

  #items<Item>(count: number, read: () => Item): Item[] {
    const items: Item[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }
  #text(length: number): string {
    const at = this.#skip(length);
    return this.bytes.toString('utf8', at, at + length);
  }
  #skip(bytes: number): number {
    const at = this.position;
    if (at + bytes > this.bytes.length) throw new RangeError('the answer ends early');
    this.position = at + bytes;
    return at;
  }
}

/** A signed 64-bit integer that is known to be safe as a number (offsets, ids, times in ms). */
export function int64At(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4294967296 + bytes.readUInt32BE(at + 4);
}
