/**
 * How a segment is laid out, so that any record of it can be read and checked without what lies before it.
 *
 * A segment is pages of 8 KiB. At each page's start stands a block, unless a longer one reaches over it:
 *
 * block:  u32 magic | u32 length | u32 CRC-32C | so many bytes
 * filler: u32 magic | anything, up to the end of the page; where a page has less room than a header there is none
 * end:    as a block without bytes; the last thing in a segment that was gone on from
 *
 * A block lies within a page. One record that is too large for a page makes a longer block: it begins anywhere, with the
 * first bytes of the record in that page, and zeros follow it up to the end of its last page. A checksum goes by the
 * block's place, too, so a block that lies where another should is as wrong as one whose bytes differ.
 */
import { crc32c } from '@node-rs/crc32';

export const pageBytes = 8 << 10;
export const headerBytes = 12;
/** Of the log's buffer, and so of the largest record with its header. */
export const blockBytesMax = 1 << 20;
/** Of a longer block at least so much lies in the page where it begins: what a record says of its length. */
const leadBytes = 16;

const BLOCK = 0xb10c_0001;
const FILLER = 0xb10c_0002;
const END = 0xb10c_0003;

/** What is left of the page that this offset lies in. */
export function roomIn(offset: number): number {
  return pageBytes - (offset % pageBytes);
}

/** May a block with a first record of so many bytes begin at this offset? */
export function mayBegin(offset: number, bytes: number): boolean {
  const room = roomIn(offset);
  if (headerBytes + bytes <= room) return true;
  return headerBytes + bytes > pageBytes && room >= headerBytes + leadBytes;
}

/** Where the block behind one from start to end begins, or the filler before it. */
export function behind(start: number, end: number): number {
  const isLonger = end - start > roomIn(start);
  return isLonger && end % pageBytes !== 0 ? end + roomIn(end) : end;
}

export function writeHeader(bytes: Buffer, { segment, offset }: Place): void {
  const body = bytes.subarray(headerBytes);
  bytes.writeUInt32LE(BLOCK, 0);
  bytes.writeUInt32LE(body.length, 4);
  bytes.writeUInt32LE(crc32c(body, seedOf(segment, offset)) >>> 0, 8);
}

/** Over what is left of a page. */
export function writeFiller(room: Buffer): void {
  room.fill(0);
  if (room.length >= headerBytes) room.writeUInt32LE(FILLER, 0);
}

/** Of a segment that ends at this offset: where its end mark lies, and the mark. */
export function endMark({ segment, offset }: Place): { readonly offset: number; readonly bytes: Buffer } {
  const at = roomIn(offset) < headerBytes ? offset + roomIn(offset) : offset;
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeUInt32LE(END, 0);
  bytes.writeUInt32LE(seedOf(segment, at), 8);
  return { offset: at, bytes };
}

export interface Place {
  readonly segment: number;
  readonly offset: number;
}

/** Also of places: neighbours must not look alike. */
function seedOf(segment: number, offset: number): number {
  return (Math.imul(segment, 0x9e37_79b1) ^ Math.imul(offset, 0x85eb_ca6b)) >>> 0;
}

export type Step = 'block' | 'filler' | 'end' | 'short' | 'damaged';

/** Bytes of a segment, and where they lie in it. */
export interface Stretch extends Place {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly length: number;
}

/** Goes from block to block. One object for many steps: garbage would cost more than a step. */
export class BlockWalk {
  bodyStart = 0;
  /** Where the block ends, also when the bytes do not reach so far. */
  bodyEnd = 0;
  /** Where to go on. */
  next = 0;

  /** Says what lies at this index of the stretch, where a block may begin, and checks it. */
  step({ bytes, view, length, segment, offset }: Stretch, at: number): Step {
    const room = roomIn(offset + at);
    this.next = at + room;
    if (room < headerBytes) return 'filler';
    this.bodyStart = this.bodyEnd = at + headerBytes;
    if (this.bodyStart > length) return 'short';
    const magic = view.getUint32(at, true);
    if (magic === FILLER) return 'filler';
    const sum = view.getUint32(at + 8, true);
    const seed = seedOf(segment, offset + at);
    if (magic === END) return sum === seed && view.getUint32(at + 4, true) === 0 ? 'end' : 'damaged';
    const size = view.getUint32(at + 4, true);
    if (magic !== BLOCK || size > blockBytesMax) return 'damaged';
    this.bodyEnd += size;
    if (this.bodyEnd > length) return 'short';
    if (crc32c(bytes.subarray(this.bodyStart, this.bodyEnd), seed) >>> 0 !== sum) return 'damaged';
    this.next = behind(offset + at, offset + this.bodyEnd) - offset;
    return 'block';
  }
}
