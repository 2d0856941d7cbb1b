/**
 * How a spool file is laid out. Little-endian.
 *
 * head:   u32 magic | u32 version | f64 when it was made, ms since 1970 | 8 random bytes, its name beside its number
 * frame:  u32 length of the body | u32 CRC-32C of the body, by the frame's place | body
 * body:   u8 topic | u32 length of the key | key | value
 * end:    as a frame, with a length of all ones and no body: the file was whole when the next one was begun
 *
 * Checksums go by number and offset, so a frame that lies where another should is as wrong as one whose bytes differ.
 */
import { crc32c } from '@node-rs/crc32';
import { toWorkspace, type Workspace } from '../../../schemas/ids.ts';
import { TakenRecord } from '../../runtime/taken-records.ts';

const MAGIC = 0x4c50_5348;
const VERSION = 1;
export const headBytes = 24;
const FRAME_HEADER_BYTES = 8;
const BODY_HEADER_BYTES = 5;
const END_LENGTH = 0xffff_ffff;
export const endBytes = FRAME_HEADER_BYTES;
/** The log takes no record above 1 MiB. */
export const frameBytesMax = (1 << 20) + FRAME_HEADER_BYTES + BODY_HEADER_BYTES;

/** Never renumbered: files outlive an upgrade. */
const TOPICS = { eventsCollected: 1, eventsDropped: 2 } as const satisfies Record<
  TakenRecord['topic'],
  number
>;
const TOPIC_OF = new Map<number, TakenRecord['topic']>(
  Object.entries(TOPICS).map(([topic, code]) => [code, topic as TakenRecord['topic']]), // keys of TOPICS
);

export interface Place {
  readonly file: number;
  readonly offset: number;
}

export interface FileHead {
  readonly madeAt: number;
  readonly nonce: Buffer;
}

export function writeHead({ madeAt, nonce }: FileHead): Buffer {
  const bytes = Buffer.alloc(headBytes);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(VERSION, 4);
  bytes.writeDoubleLE(madeAt, 8);
  nonce.copy(bytes, 16);
  return bytes;
}

/** undefined: no head of this version. */
export function readHead(bytes: Buffer): FileHead | undefined {
  const isHead =
    bytes.length >= headBytes && bytes.readUInt32LE(0) === MAGIC && bytes.readUInt32LE(4) === VERSION;
  return isHead ? { madeAt: bytes.readDoubleLE(8), nonce: Buffer.from(bytes.subarray(16, 24)) } : undefined;
}

export function frameBytesOf({ length }: Pick<TakenRecord, 'length'>): number {
  return FRAME_HEADER_BYTES + BODY_HEADER_BYTES + length;
}

/** The frames of these records, as they lie from this place on; with `end`, the end mark behind them. */
export function writeFrames(records: readonly TakenRecord[], { file, offset }: Place, end: boolean): Buffer {
  const length = records.reduce((sum, record) => sum + frameBytesOf(record), 0);
  const bytes = Buffer.allocUnsafe(length + (end ? endBytes : 0));
  let at = 0;
  for (const record of records) {
    const body = at + FRAME_HEADER_BYTES;
    const next = at + frameBytesOf(record);
    bytes[body] = TOPICS[record.topic];
    bytes.writeUInt32LE(record.keyEnd - record.start, body + 1);
    record.bytes.copy(bytes, body + BODY_HEADER_BYTES, record.start, record.end);
    bytes.writeUInt32LE(next - body, at);
    bytes.writeUInt32LE(sumOf(bytes.subarray(body, next), { file, offset: offset + at }), at + 4);
    at = next;
  }
  if (end) {
    bytes.writeUInt32LE(END_LENGTH, at);
    bytes.writeUInt32LE(sumOf(bytes.subarray(0, 0), { file, offset: offset + at }), at + 4);
  }
  return bytes;
}

/** What lies at a place: a record, the end mark, the beginning of what may be either, or neither. */
export type Found =
  | { readonly type: 'record'; readonly record: TakenRecord; readonly bytes: number }
  | { readonly type: 'end' | 'short' | 'bad' };

/** @param bytes of the file, from `place` on; records are views of them. */
export function frameAt(bytes: Buffer, place: Place): Found {
  if (bytes.length < FRAME_HEADER_BYTES) return { type: 'short' };
  const [length, sum] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
  if (length === END_LENGTH) return { type: sum === sumOf(bytes.subarray(0, 0), place) ? 'end' : 'bad' };
  if (length < BODY_HEADER_BYTES || length + FRAME_HEADER_BYTES > frameBytesMax) return { type: 'bad' };
  if (bytes.length < FRAME_HEADER_BYTES + length) return { type: 'short' };
  const body = bytes.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length);
  const topic = TOPIC_OF.get(body[0] ?? 0);
  const keyEnd = BODY_HEADER_BYTES + body.readUInt32LE(1);
  if (topic === undefined || keyEnd > length || sum !== sumOf(body, place)) return { type: 'bad' };
  const workspace = workspaceOf(body.subarray(BODY_HEADER_BYTES, keyEnd));
  const lies = { bytes: body, start: BODY_HEADER_BYTES, keyEnd, end: length };
  const record = new TakenRecord({ topic, workspace }, lies);
  return { type: 'record', record, bytes: FRAME_HEADER_BYTES + length };
}

/** Every key begins with it (schemas/lanes.ts). */
function workspaceOf(key: Buffer): Workspace {
  const colon = key.indexOf(':');
  return toWorkspace(key.toString('latin1', 0, colon < 0 ? key.length : colon));
}

function sumOf(body: Buffer, { file, offset }: Place): number {
  const seed = (Math.imul(file, 0x9e37_79b1) ^ Math.imul(offset, 0x85eb_ca6b)) >>> 0;
  return crc32c(body, seed) >>> 0;
}
