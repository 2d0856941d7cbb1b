/**
 * Numbers and texts as bytes, the way state-codec.ts lays out a person. One block is written again and again, and what is
 * in it copied once at its end; short texts are written and compared by hand, because a call into native code costs more
 * than they do. Pure.
 */

/** How a text lies, in the two low bits of its length. */
const ASCII = 0;
const UTF8 = 1;
/** A text that UTF-8 does not have: half of a surrogate pair, as JSON may say it. */
const UTF16 = 2;
const KINDS = 4;

/** A text up to so many characters is written by hand. */
const shortCharsMax = 64;
const FIRST_BYTES = 64 * 1_024;
const VARINT_BYTES_MAX = 8;

/** Whoever writes takes what is written before anybody writes again. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = viewOf(this.#bytes);
  #at = 0;

  begin(): void {
    this.#at = 0;
  }

  get at(): number {
    return this.#at;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  /** 32 bits. */
  word(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  wordAt(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  double(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** A whole number, 0 to 2^53. */
  count(value: number): void {
    this.#room(VARINT_BYTES_MAX);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) + 128;
    this.#bytes[this.#at++] = rest;
  }

  text(text: string): void {
    const { length } = text;
    if (length > shortCharsMax) {
      this.#longText(text);
      return;
    }
    this.#room(VARINT_BYTES_MAX + length);
    const start = this.#at;
    this.count(length * KINDS + ASCII);
    const bytes = this.#bytes;
    const from = this.#at;
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit > 127) {
        this.#at = start;
        this.#longText(text);
        return;
      }
      bytes[from + i] = unit;
    }
    this.#at = from + length;
  }

  copy(bytes: Buffer, from: number, to: number): void {
    this.#room(to - from);
    bytes.copy(this.#bytes, this.#at, from, to);
    this.#at += to - from;
  }

  /** What was written since `begin`. */
  taken(): Buffer {
    const taken = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(taken, 0, 0, this.#at);
    return taken;
  }

  #longText(text: string): void {
    const utf8 = Buffer.from(text);
    const isExact = utf8.toString() === text;
    const bytes = isExact ? utf8 : Buffer.from(text, 'utf16le');
    this.count(bytes.length * KINDS + (isExact ? UTF8 : UTF16));
    this.copy(bytes, 0, bytes.length);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

/** Reads what a ByteWriter has written. */
export class ByteReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }
  word(): number {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }
  double(): number {
    this.at += 8;
    return this.bytes.readDoubleLE(this.at - 8);
  }

  count(): number {
    let byte = this.byte();
    if (byte < 128) return byte;
    let value = byte - 128;
    for (let unit = 128; byte >= 128; unit *= 128) {
      byte = this.byte();
      value += (byte & 127) * unit;
    }
    return value;
  }

  text(): string {
    const header = this.count();
    const from = this.at;
    this.at += Math.floor(header / KINDS);
    switch (header % KINDS) {
      case ASCII:
        return this.bytes.toString('latin1', from, this.at);
      case UTF16:
        return this.bytes.toString('utf16le', from, this.at);
      default:
        return this.bytes.toString('utf8', from, this.at);
    }
  }

  /** A text that many people have: the names of rules and of their conditions. The string is that of the last time. */
  sharedText(): string {
    const start = this.at;
    const header = this.count();
    const length = Math.floor(header / KINDS);
    if (header % KINDS !== ASCII || length > shortCharsMax) {
      this.at = start;
      return this.text();
    }
    const from = this.at;
    this.at += length;
    return shared(this.bytes, from, this.at);
  }
}

/** A text is found again by its hash; another one of that hash takes its place. */
const sharedTextsMax = 4_096;
const sharedTexts: string[] = Array.from({ length: sharedTextsMax }, () => '');

function shared(bytes: Buffer, from: number, to: number): string {
  let hash = to - from;
  for (let i = from; i < to; i += 1) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
  const slot = (hash ^ (hash >>> 12)) & (sharedTextsMax - 1);
  const known = sharedTexts[slot] ?? '';
  if (isText(known, bytes, from, to)) return known;
  const text = bytes.toString('latin1', from, to);
  sharedTexts[slot] = text;
  return text;
}

function isText(text: string, bytes: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = from; i < to; i += 1) {
    if (text.charCodeAt(i - from) !== bytes[i]) return false;
  }
  return true;
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
