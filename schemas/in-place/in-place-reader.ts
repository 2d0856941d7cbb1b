/**
 * Reads an Avro record where it lies: no object, no copy, a string only where one is asked for. The classes beside this
 * file are made from schemas/avro by `npm run generate` and say which field comes after which; this one says how a field
 * of each type lies. Nothing throws on the way: what is not a record of the schema leads past its end, and `isWhole` says
 * so.
 */
import { WIRE_HEADER_BYTES } from '../codec.ts';

/** Where a text lies in `bytes`; start is -1 for null. */
export interface Span {
  start: number;
  end: number;
}

const NULL_BRANCH = 0;
const VALUE_BRANCH = 2; // index 1, zigzag
/** Of a number, in bits: those read first, and those of the rest from which on 2^53 is reached. */
const LOW_BITS = 28;
const HIGH_END = 2 ** 26;

/** One object, used again for every record: valid until the next one, and only while the bytes are. */
export class InPlaceReader {
  bytes: Buffer = Buffer.alloc(0);
  /** Of the value with its wire header. */
  start = 0;
  end = 0;
  /** Where the next field lies. */
  protected at = 0;
  #kept = '';
  #keptBytes: Uint8Array = new Uint8Array(0);

  text(span: Span): string {
    return this.bytes.toString('utf8', span.start, span.end);
  }
  textOrNull(span: Span): string | null {
    return span.start < 0 ? null : this.text(span);
  }

  protected begin(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.at = start + WIRE_HEADER_BYTES;
  }

  protected isWhole(): boolean {
    return this.at <= this.end;
  }

  /** Throws RangeError when what was read goes beyond the value. */
  protected mustBeWhole(record: string): void {
    if (!this.isWhole()) throw new RangeError(`a record of ${record} ends early, or is none`);
  }

  protected skipText(): void {
    const length = this.readLong();
    this.at += length >= 0 ? length : this.end + 1;
  }
  protected skipOptionalText(): void {
    if (this.isThere()) this.skipText();
  }
  protected readSpan(into: Span): void {
    const length = this.readLong();
    into.start = this.at;
    this.at += length >= 0 ? length : this.end + 1;
    into.end = this.at;
  }
  protected readOptionalSpan(into: Span): void {
    if (this.isThere()) {
      this.readSpan(into);
      return;
    }
    into.start = -1;
    into.end = -1;
  }

  protected readText(): string {
    const length = this.readLong();
    const start = this.at;
    this.at += length >= 0 ? length : this.end + 1;
    return this.isWhole() ? this.bytes.toString('utf8', start, this.at) : '';
  }
  protected readOptionalText(): string | null {
    return this.isThere() ? this.readText() : null;
  }
  protected textAt(at: number): string {
    this.at = at;
    return this.readText();
  }
  protected optionalTextAt(at: number): string | null {
    this.at = at;
    return this.readOptionalText();
  }
  /** A text that is mostly the one of the record before, whose string is then taken again. One field of a reader. */
  protected readSameText(): string {
    const length = this.readLong();
    const start = this.at;
    this.at += length >= 0 ? length : this.end + 1;
    if (!this.isWhole()) return '';
    const { bytes } = this;
    const kept = this.#keptBytes;
    if (kept.length !== length || bytes.compare(kept, 0, length, start, this.at) !== 0) {
      this.#keptBytes = Uint8Array.prototype.slice.call(bytes, start, this.at);
      this.#kept = bytes.toString('utf8', start, this.at);
    }
    return this.#kept;
  }

  protected readFlag(): boolean {
    return this.bytes[this.at++] === 1;
  }

  /** A union of null and something: whether something follows. */
  protected isThere(): boolean {
    const branch = this.bytes[this.at];
    if (branch === VALUE_BRANCH) {
      this.at += 1;
      return true;
    }
    // Any other branch is no record of ours.
    this.at += branch === NULL_BRANCH ? 1 : this.end + 1;
    return false;
  }

  protected readOptionalLong(): number | null {
    return this.isThere() ? this.readLong() : null;
  }
  protected skipLong(): void {
    this.readLong();
  }
  protected skipOptionalLong(): void {
    if (this.isThere()) this.readLong();
  }

  /** A zigzag varint, exact: one beyond 2^53 is no number that we can hold, and leads past the end. */
  protected readLong(): number {
    const bytes = this.bytes;
    let at = this.at;
    let low = 0;
    let byte = 0;
    let shift = 0;
    do {
      byte = bytes[at] as number; // past the end it is undefined, which ends the loop
      at += 1;
      low |= (byte & 127) << shift;
      shift += 7;
    } while (byte >= 128 && shift < LOW_BITS);
    if (!(byte >= 128)) {
      this.at = at;
      return (low >>> 1) ^ -(low & 1);
    }
    let high = 0;
    shift = 0;
    do {
      byte = bytes[at] as number;
      at += 1;
      high |= (byte & 127) << shift;
      shift += 7;
    } while (byte >= 128 && shift < LOW_BITS);
    this.at = byte >= 128 || high >= HIGH_END ? at + this.end : at;
    const half = high * 2 ** 27 + (low >>> 1);
    return (low & 1) === 0 ? half : -half - 1;
  }
}

/** What an enum's index stands for. Throws RangeError when it stands for nothing, or for what the stream may not have. */
export function symbolAt<T>(symbols: readonly (T | undefined)[], index: number, record: string): T {
  const symbol = symbols[index];
  if (symbol === undefined) throw new RangeError(`no symbol ${String(index)} in a record of ${record}`);
  return symbol;
}
