/**
 * The parts of a body as they come. A part is an object of its own with a hundred bytes or more beside its own, so who sends
 * a body byte by byte would have it take a hundred times what is counted: small parts are copied together.
 */

/** A larger part is kept as it is, for what it costs beside its bytes is little. */
const keptBytesMin = 4 * 1_024;
const blockBytesMin = 512;
const blockBytesMax = 64 * 1_024;

export class BodyParts {
  readonly #parts: Buffer[] = [];
  #block = Buffer.alloc(0);
  /** Of the block. */
  #used = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Objects that are kept. */
  get count(): number {
    return this.#parts.length + (this.#used > 0 ? 1 : 0);
  }

  add(part: Buffer): void {
    this.#bytes += part.length;
    if (part.length >= keptBytesMin) {
      this.#endBlock();
      this.#parts.push(part);
      return;
    }
    if (part.length > this.#block.length - this.#used) this.#nextBlock(part.length);
    this.#used += part.copy(this.#block, this.#used);
  }

  /** In one piece; the only part as it came. */
  whole(): Buffer {
    this.#endBlock();
    const [first] = this.#parts;
    return this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts, this.#bytes);
  }

  #endBlock(): void {
    if (this.#used > 0) this.#parts.push(this.#block.subarray(0, this.#used));
    this.#block = this.#block.subarray(this.#used);
    this.#used = 0;
  }

  /** As much again as there is, so that a body of one small part takes little and one of very many few blocks. */
  #nextBlock(bytesMin: number): void {
    this.#endBlock();
    const bytes = Math.min(blockBytesMax, Math.max(blockBytesMin, this.#bytes, bytesMin));
    this.#block = Buffer.allocUnsafeSlow(Math.max(bytes, bytesMin));
  }
}
