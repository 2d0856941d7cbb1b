/**
 * Kafka's record batch (magic 2), written record by record into pooled memory: no object a record, one copy of the
 * bytes. Byte-identical to what kafkajs writes for the same records (record-batch.test.ts).
 *
 *   0 base offset i64 | 8 length i32 | 12 leader epoch i32 | 16 magic i8 | 17 CRC32C u32 of all that follows
 *   21 attributes i16 | 23 last offset delta i32 | 27 first time i64 | 35 last time i64
 *   43 producer id i64 | 51 producer epoch i16 | 53 first sequence i32 | 57 records i32 | 61 records
 *
 *   record: length, attributes 0, time delta, offset delta, key, value, headers; all lengths zigzag varints.
 */
import { crc32c } from '@node-rs/crc32';
import type { BytePool } from '../byte-pool.ts';
import type { Posted } from '../ports.ts';

export const BATCH_HEADER_BYTES = 61;
export const ATTRIBUTES_COMPRESSION = 0x07;
export const ATTRIBUTES_APPEND_TIME = 0x08;
export const ATTRIBUTES_TRANSACTIONAL = 0x10;
export const ATTRIBUTES_CONTROL = 0x20;
export const MAGIC = 2;

/** A record's own bytes at most: length (5), attributes and time delta (2), offset delta (5), two lengths (10), headers (1). */
const RECORD_OVERHEAD_BYTES_MAX = 23;

/** Growth is fourfold up to here, which is where batches of outputs are closed. */
const LARGEST_STEP_BYTES = 1 << 20;

export interface BatchSeal {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly transactional: boolean;
  /** Of all its records, ms. The broker puts its own in its place (LogAppendTime). */
  readonly time: number;
}

export class RecordBatch {
  readonly #pool: BytePool;
  #bytes: Buffer;
  #end = BATCH_HEADER_BYTES;
  #records = 0;

  constructor(pool: BytePool) {
    this.#pool = pool;
    this.#bytes = pool.take(1);
  }

  get records(): number {
    return this.#records;
  }
  /** Of the whole batch, header included. */
  get byteLength(): number {
    return this.#end;
  }

  /** What the batch would be at most with this record in it. @param contentBytes of its key and its value. */
  static bytesWith(batchBytes: number, contentBytes: number): number {
    return batchBytes + RECORD_OVERHEAD_BYTES_MAX + contentBytes;
  }

  append(key: Uint8Array | null, value: Uint8Array | null): void {
    const keyBytes = key === null ? 1 : varintBytes(key.length) + key.length;
    const valueBytes = value === null ? 1 : varintBytes(value.length) + value.length;
    let at = this.#begin((key?.length ?? 0) + (value?.length ?? 0), keyBytes + valueBytes);
    at = putBytes(this.#bytes, at, key);
    at = putBytes(this.#bytes, at, value);
    this.#bytes[at++] = 0;
    this.#end = at;
  }

  /** A key and a value that lie one behind the other: no object is made for either. */
  appendPosted({ bytes, start, keyEnd, end }: Posted): void {
    const [keyLength, valueLength] = [keyEnd - start, end - keyEnd];
    const lengths = varintBytes(keyLength) + varintBytes(valueLength);
    const from = this.#begin(end - start, lengths + end - start);
    const out = this.#bytes;
    let at = putVarint(out, from, keyLength);
    for (let each = start; each < keyEnd; each++) out[at++] = bytes[each] ?? 0; // keys are short
    at = putVarint(out, at, valueLength);
    at += bytes.copy(out, at, keyEnd, end);
    out[at++] = 0;
    this.#end = at;
  }

  /** All of a record up to its key. @returns where that goes; its memory is there, as of everything behind it. */
  #begin(contentBytes: number, bytesWithLengths: number): number {
    const bytesMax = RecordBatch.bytesWith(this.#end, contentBytes);
    if (bytesMax > this.#bytes.length) this.#grow(bytesMax);
    const bytes = this.#bytes;
    const delta = this.#records++;
    // Attributes, time delta and the number of headers are zero and take a byte each.
    let at = putVarint(bytes, this.#end, 3 + varintBytes(delta) + bytesWithLengths);
    bytes[at++] = 0;
    bytes[at++] = 0;
    return putVarint(bytes, at, delta);
  }

  /** Writes the header. The bytes belong to this batch until `release`; sealing again replaces the header. */
  seal(seal: BatchSeal): Buffer {
    const out = this.#bytes.subarray(0, this.#end);
    out.writeInt32BE(0, 0);
    out.writeInt32BE(0, 4);
    out.writeInt32BE(this.#end - 12, 8);
    out.writeInt32BE(0, 12);
    out[16] = MAGIC;
    out.writeInt16BE(seal.transactional ? ATTRIBUTES_TRANSACTIONAL : 0, 21);
    out.writeInt32BE(this.#records - 1, 23);
    putInt64(out, seal.time, 27);
    putInt64(out, seal.time, 35);
    putInt64(out, seal.producerId, 43);
    out.writeInt16BE(seal.producerEpoch, 51);
    out.writeInt32BE(seal.firstSequence, 53);
    out.writeInt32BE(this.#records, 57);
    out.writeUInt32BE(crc32c(out.subarray(21)), 17);
    return out;
  }

  /** Gives the memory back: only when the broker has answered for it, as the socket may still read from it. */
  release(): void {
    this.#pool.giveBack(this.#bytes);
  }

  #grow(bytesMin: number): void {
    const larger = this.#pool.take(Math.max(bytesMin, Math.min(this.#bytes.length * 4, LARGEST_STEP_BYTES)));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#pool.giveBack(this.#bytes);
    this.#bytes = larger;
  }
}

/** Bytes of a non-negative number as a zigzag varint. */
function varintBytes(value: number): number {
  if (value < 64) return 1;
  if (value < 8_192) return 2;
  if (value < 1_048_576) return 3;
  return value < 134_217_728 ? 4 : 5;
}

/** Puts a non-negative number; returns where the next byte goes. */
function putVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value * 2;
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}

function putBytes(bytes: Buffer, start: number, content: Uint8Array | null): number {
  if (content === null) {
    bytes[start] = 1; // a length of -1
    return start + 1;
  }
  const at = putVarint(bytes, start, content.length);
  bytes.set(content, at);
  return at + content.length;
}

function putInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / 4294967296), at);
  bytes.writeUInt32BE(value < 0 ? (value % 4294967296) >>> 0 : value % 4294967296, at + 4);
}
