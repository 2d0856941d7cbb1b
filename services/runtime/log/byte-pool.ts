/**
 * Memory of 16 KiB and more, lent and taken back, in powers of two. Fetched frames and outputs are megabytes that live
 * for one transaction: fresh ones each time would be zeroed by the kernel page by page, and freed only by a full
 * garbage collection.
 */
const CLASS_BYTES_MIN = 16 << 10;

export class BytePool {
  readonly #retainedBytesMax: number;
  readonly #free = new Map<number, Buffer[]>();
  /** Weak, so that a buffer which its borrower forgets (a request that failed) is collected. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #retainedBytes = 0;

  constructor(retainedBytesMax: number) {
    this.#retainedBytesMax = retainedBytesMax;
  }

  /** At least sizeBytes, content arbitrary. */
  take(sizeBytes: number): Buffer {
    const size = Math.max(CLASS_BYTES_MIN, 2 ** Math.ceil(Math.log2(sizeBytes)));
    const free = this.#free.get(size)?.pop();
    if (free !== undefined) this.#retainedBytes -= size;
    const bytes = free ?? Buffer.allocUnsafeSlow(size);
    this.#lent.add(bytes.buffer);
    return bytes;
  }

  /** Any view of what take gave. Others, and a second call, do nothing. */
  giveBack(view: Buffer): void {
    const memory = view.buffer;
    if (!this.#lent.delete(memory)) return;
    const size = memory.byteLength;
    if (this.#retainedBytes + size > this.#retainedBytesMax) return;
    this.#retainedBytes += size;
    const free = this.#free.get(size);
    const whole = Buffer.from(memory, 0, size);
    if (free === undefined) this.#free.set(size, [whole]);
    else free.push(whole);
  }

  get retainedBytes(): number {
    return this.#retainedBytes;
  }
}
