/**
 * Avro's string, written without a call into native code for the length of each: most texts of ours are short and ASCII,
 * and asking for their length costs more than writing them. The bytes are those of avsc, which writes whatever else there
 * is (quick-text.test.ts).
 */
import avro from 'avsc';

/** Where avsc writes; its declarations leave it out. */
export interface WritingTap {
  readonly buf: Buffer;
  pos: number;
}

const AvscString = avro.types.StringType as unknown as new () => {
  _write(tap: WritingTap, value: unknown): void;
};
const AvscUnion = avro.types.UnwrappedUnionType as unknown as new (
  schema: unknown,
  options: unknown,
) => { _write(tap: WritingTap, value: unknown): void };

/** A text up to so many characters is written by hand. Its length takes one byte, as that of any below 64 does. */
const SHORT_CHARS_MAX = 48;
const UTF8_BYTES_MAX = 3;
const LENGTH_BYTES_MAX = 5;

class QuickText extends AvscString {
  override _write(tap: WritingTap, value: unknown): void {
    if (
      typeof value !== 'string' ||
      !(value.length <= SHORT_CHARS_MAX ? isShort(tap, value) : isLong(tap, value))
    )
      super._write(tap, value); // which refuses what is no text
  }
}

/** false: it is not ASCII, or has no room, and nothing counts as written. */
function isShort(tap: WritingTap, text: string): boolean {
  const { buf, pos } = tap;
  const { length } = text;
  if (pos + 1 + length > buf.length) return false;
  const end = putAscii(text, buf, pos + 1);
  if (end === undefined) return false;
  buf[pos] = length * 2;
  tap.pos = end;
  return true;
}

/** Where there is room for it. @returns where it ends; undefined: it is not ASCII, and some of it may be written. */
export function putAscii(text: string, into: Buffer, start: number): number | undefined {
  let at = start;
  for (let each = 0; each < text.length; each += 1) {
    const unit = text.charCodeAt(each);
    if (unit > 127) return undefined;
    into[at++] = unit;
  }
  return at;
}

/** Written where it goes if it is ASCII, and its length before it. false: its length takes other room, or there is none. */
function isLong(tap: WritingTap, text: string): boolean {
  const { buf, pos } = tap;
  const { length } = text;
  if (pos + LENGTH_BYTES_MAX + length * UTF8_BYTES_MAX > buf.length) return false;
  const lengthBytes = lengthBytesOf(length);
  const bytes = buf.write(text, pos + lengthBytes);
  if (lengthBytesOf(bytes) !== lengthBytes) return false;
  let at = pos;
  let rest = bytes * 2;
  for (; rest > 127; rest = Math.floor(rest / 128)) buf[at++] = (rest & 127) | 128;
  buf[at] = rest;
  tap.pos = pos + lengthBytes + bytes;
  return true;
}

/** Of its zigzag varint. */
function lengthBytesOf(length: number): number {
  if (length < 64) return 1;
  if (length < 8_192) return 2;
  return length < 1_048_576 ? 3 : LENGTH_BYTES_MAX;
}

/** What may be null: no look-up by the kind of the value where it is. */
class Optional extends AvscUnion {
  override _write(tap: WritingTap, value: unknown): void {
    if (value === null) tap.buf[tap.pos++] = 0;
    else super._write(tap, value);
  }
}

export const quickText = new QuickText() as unknown as avro.Type; // avsc's declarations do not know that it can be extended

/** @param options of avsc, as its hook is given them. */
export function optional(schema: unknown, options: unknown): avro.Type {
  return new Optional(schema, options) as unknown as avro.Type;
}
