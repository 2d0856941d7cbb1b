/** The answer to a Fetch, version 11. Record batches stay where they are; only their headers are read. */
import { gunzipSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { CodedError } from '../../errors.ts';
import { type AbortedTransaction, AbortedTransactions } from './aborted-transactions.ts';
import {
  ATTRIBUTES_APPEND_TIME,
  ATTRIBUTES_COMPRESSION,
  ATTRIBUTES_CONTROL,
  ATTRIBUTES_TRANSACTIONAL,
  BATCH_HEADER_BYTES,
  MAGIC,
} from './record-batch.ts';
import type { SliceBatch } from './record-slice.ts';
import { int64At, type WireReader } from './wire-reader.ts';

export interface FetchedPartition {
  readonly topicName: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Offset of the first record that is not decided yet: the end for a read_committed reader. */
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The record batches, in the answer's frame. The last may be cut off. */
  readonly bytes: Buffer;
}

export interface FetchResponse {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export function decodeFetched(answer: WireReader): FetchResponse {
  answer.int32(); // throttle time
  const errorCode = answer.int16();
  answer.int32(); // session
  const partitions = answer
    .array(() => {
      const topicName = answer.string() ?? '';
      return answer.array(() => decodePartition(answer, topicName));
    })
    .flat();
  return { errorCode, partitions };
}

function decodePartition(answer: WireReader, topicName: string): FetchedPartition {
  const partition = answer.int32();
  const errorCode = answer.int16();
  answer.int64(); // high watermark
  const lastStableOffset = answer.int64();
  answer.int64(); // log start
  const aborted = answer.array(() => ({ producerId: answer.int64(), firstOffset: answer.int64() }));
  answer.int32(); // preferred replica
  const length = answer.bytesLength();
  const start = answer.position;
  if (start + length > answer.bytes.length) throw new RangeError('the answer ends early');
  answer.position = start + length;
  const bytes = answer.bytes.subarray(start, start + length);
  return { topicName, partition, errorCode, lastStableOffset, aborted, bytes };
}

/**
 * The batches that a read_committed reader may see, and where to go on. Empty batches (compaction leaves them behind),
 * markers and aborted batches are passed over but counted in `next`; kafkajs does not count them, and asks for the same
 * offset for ever.
 *
 * Throws `corrupt_batch` when a checksum differs, `unsupported_compression`, `unsupported_format`.
 */
export function visibleBatches(
  fetched: Pick<FetchedPartition, 'bytes' | 'aborted'>,
  from: number,
): { readonly batches: readonly SliceBatch[]; readonly next: number } {
  const { bytes } = fetched;
  const aborted = new AbortedTransactions(fetched.aborted);
  const batches: SliceBatch[] = [];
  let next = from;
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length;) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break; // cut off: it comes whole when its partition is asked first
    const header = readHeader(bytes, at, end);
    const control = (header.attributes & ATTRIBUTES_CONTROL) !== 0;
    const hidden = aborted.hides({
      producerId: int64At(bytes, at + 43),
      lastOffset: header.lastOffset,
      transactional: (header.attributes & ATTRIBUTES_TRANSACTIONAL) !== 0,
      marker: control ? markerType(bytes, at) : undefined,
    });
    if (!hidden && !control && header.records > 0 && header.lastOffset >= from)
      batches.push(sliceBatch(bytes, header));
    next = Math.max(next, header.lastOffset + 1);
    at = end;
  }
  return { batches, next };
}

interface BatchHeader {
  readonly at: number;
  readonly end: number;
  readonly attributes: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly records: number;
}

function readHeader(bytes: Buffer, at: number, end: number): BatchHeader {
  const attributes = checkedAttributes(bytes, at, end);
  const baseOffset = int64At(bytes, at);
  const lastOffset = baseOffset + bytes.readInt32BE(at + 23);
  return { at, end, attributes, baseOffset, lastOffset, records: bytes.readInt32BE(at + 57) };
}

function sliceBatch(bytes: Buffer, { at, end, attributes, ...range }: BatchHeader): SliceBatch {
  const appendTime = (attributes & ATTRIBUTES_APPEND_TIME) === 0 ? undefined : int64At(bytes, at + 35);
  const rest = { ...range, firstTime: int64At(bytes, at + 27), appendTime };
  const start = at + BATCH_HEADER_BYTES;
  if ((attributes & ATTRIBUTES_COMPRESSION) === 0) return { ...rest, bytes, start, end };
  const plain = decompressed(bytes.subarray(start, end), attributes & ATTRIBUTES_COMPRESSION);
  return { ...rest, bytes: plain, start: 0, end: plain.length };
}

function checkedAttributes(bytes: Buffer, at: number, end: number): number {
  const magic = bytes[at + 16] ?? 0;
  const offset = String(int64At(bytes, at));
  if (magic !== MAGIC)
    throw new CodedError(
      'unsupported_format',
      `could not read offset ${offset}: record format ${String(magic)}`,
    );
  if (crc32c(bytes.subarray(at + 21, end)) !== bytes.readUInt32BE(at + 17))
    throw new CodedError('corrupt_batch', `could not read offset ${offset}: its checksum differs`);
  return bytes.readInt16BE(at + 21);
}

/** A marker's only record: length, attributes, two deltas, key length, then the key: version i16, type i16. */
function markerType(bytes: Buffer, at: number): 'abort' | 'commit' {
  const KEY = BATCH_HEADER_BYTES + 5;
  return bytes.readInt16BE(at + KEY + 2) === 0 ? 'abort' : 'commit';
}

const GZIP = 1;
const COMPRESSION_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const BATCH_PLAIN_BYTES_MAX = 64 << 20;

function decompressed(body: Buffer, compression: number): Buffer {
  if (compression === GZIP) return gunzipSync(body, { maxOutputLength: BATCH_PLAIN_BYTES_MAX });
  const name = COMPRESSION_NAMES[compression] ?? String(compression);
  throw new CodedError('unsupported_compression', `could not read a record batch compressed with ${name}`);
}
