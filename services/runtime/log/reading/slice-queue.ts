/** Fetched slices that nobody has taken yet, oldest first, bounded in bytes. Room is reserved before it is asked for. */
import { Bell } from '../connection/bell.ts';
import type { FetchedSlice } from '../protocol/record-slice.ts';

export class SliceQueue {
  readonly #bytesMax: number;
  readonly #filled = new Bell();
  readonly #emptied = new Bell();
  #slices: FetchedSlice[] = [];
  #first = 0;
  #bytes = 0;
  #reservedBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }
  get length(): number {
    return this.#slices.length - this.#first;
  }

  /** Bytes that may be fetched now, at most wanted; 0 when the queue is full. To be given back with `unreserve`. */
  reserve(bytesWanted: number): number {
    const bytes = Math.max(0, Math.min(bytesWanted, this.#bytesMax - this.#bytes - this.#reservedBytes));
    this.#reservedBytes += bytes;
    return bytes;
  }
  unreserve(bytes: number): void {
    this.#reservedBytes -= bytes;
    if (bytes > 0) this.#emptied.ring();
  }

  push(slice: FetchedSlice): void {
    this.#slices.push(slice);
    this.#bytes += slice.byteLength;
    this.#filled.ring();
  }

  /** Up to bytesMax, but at least one slice if there is one. */
  take(bytesMax: number): FetchedSlice[] {
    const taken: FetchedSlice[] = [];
    let left = bytesMax;
    for (let slice = this.#slices[this.#first]; slice !== undefined; slice = this.#slices[this.#first]) {
      if (taken.length > 0 && slice.byteLength > left) break;
      taken.push(slice);
      left -= slice.byteLength;
      this.#bytes -= slice.byteLength;
      this.#first++;
    }
    if (this.#first === this.#slices.length || this.#first > 1_000) {
      this.#slices = this.#slices.slice(this.#first);
      this.#first = 0;
    }
    if (taken.length > 0) this.#emptied.ring();
    return taken;
  }

  async waitForSlices(timeoutMs: number): Promise<void> {
    if (this.length === 0) await this.#filled.wait(timeoutMs);
  }
  async waitForRoom(timeoutMs: number): Promise<void> {
    await this.#emptied.wait(timeoutMs);
  }

  /** Lets all who wait look again: the reader has failed or closes. */
  wakeAll(): void {
    this.#filled.ring();
    this.#emptied.ring();
  }
}
