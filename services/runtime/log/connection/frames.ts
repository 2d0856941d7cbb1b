/**
 * Answers come off a socket straight into their place. A socket has one reused read buffer; as soon as the length of a
 * large answer is known, the socket reads into the answer's own frame, which comes from a pool. (kafkajs takes a fresh
 * 64 KiB for each read and concatenates them.)
 */
import { CodedError } from '../../errors.ts';
import type { BytePool } from '../byte-pool.ts';

const READ_BUFFER_BYTES = 64 << 10;
/** Smaller answers are left to the garbage collector. */
const POOLED_FRAME_BYTES_MIN = 64 << 10;
/** With less than this missing, one read that also takes what follows is cheaper than two. */
const DIRECT_READ_BYTES_MIN = 32 << 10;
/** Far above any fetch that we ask for; a length beyond it means that the stream is out of step. */
const FRAME_BYTES_MAX = 256 << 20;
const LENGTH_BYTES = 4;

/** Cuts a byte stream into answers: a 4-byte length, then that many bytes. */
export class FrameAssembler {
  readonly #pool: BytePool;
  readonly #deliver: (frame: Buffer) => void;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  #direct = false;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #frame: Buffer | undefined;
  #frameFilled = 0;

  /** @param deliver takes each frame, without its length. */
  constructor(pool: BytePool, deliver: (frame: Buffer) => void) {
    this.#pool = pool;
    this.#deliver = deliver;
  }

  /** Where the next bytes of the stream are to be put. Then call `received`. */
  space(): Buffer {
    const frame = this.#frame;
    this.#direct = frame !== undefined && frame.length - this.#frameFilled >= DIRECT_READ_BYTES_MIN;
    return frame !== undefined && this.#direct ? frame.subarray(this.#frameFilled) : this.#readBuffer;
  }

  /** So many bytes lie in what `space` gave. */
  received(bytes: number): void {
    if (!this.#direct) {
      this.feed(this.#readBuffer.subarray(0, bytes));
      return;
    }
    this.#frameFilled += bytes;
    this.#deliverWhenFull();
  }

  /** Bytes that came some other way (TLS). They are copied. */
  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length)
      at += this.#frame === undefined ? this.#takeLength(chunk, at) : this.#takeBody(this.#frame, chunk, at);
  }

  #takeLength(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#length, this.#lengthFilled, at);
    this.#lengthFilled += taken;
    if (this.#lengthFilled < LENGTH_BYTES) return taken;
    const size = this.#length.readInt32BE(0);
    if (size < 4 || size > FRAME_BYTES_MAX) {
      const message = `could not read an answer: it would have ${String(size)} bytes`;
      throw new CodedError('log_unavailable', message);
    }
    this.#lengthFilled = 0;
    this.#frameFilled = 0;
    this.#frame =
      size < POOLED_FRAME_BYTES_MIN ? Buffer.allocUnsafeSlow(size) : this.#pool.take(size).subarray(0, size);
    return taken;
  }

  #takeBody(frame: Buffer, chunk: Buffer, at: number): number {
    const taken = chunk.copy(frame, this.#frameFilled, at);
    this.#frameFilled += taken;
    this.#deliverWhenFull();
    return taken;
  }

  #deliverWhenFull(): void {
    const frame = this.#frame;
    if (frame === undefined || this.#frameFilled < frame.length) return;
    this.#frame = undefined;
    this.#deliver(frame);
  }
}
