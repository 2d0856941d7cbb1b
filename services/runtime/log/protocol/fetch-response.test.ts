import { gzipSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { describe, expect, test } from '@jest/globals';
import { BytePool } from '../byte-pool.ts';
import { visibleBatches } from './fetch-response.ts';
import { RecordBatch } from './record-batch.ts';
import { FetchedSlice } from './record-slice.ts';

describe('the batches of an answer', () => {
  test('one that compaction emptied moves the position on', () => {
    const { batches, next } = visibleBatches({ bytes: emptied(sealed(3), 0, 41), aborted: [] }, 0);
    expect([batches.length, next]).toEqual([0, 42]);
  });

  test('one that is cut off is left for the next answer', () => {
    const first = sealed(2);
    const second = at(sealed(2), 2);
    for (const length of [0, 5, 60, 61, second.length - 1]) {
      const bytes = Buffer.concat([first, second.subarray(0, length)]);
      expect(visibleBatches({ bytes, aborted: [] }, 0).next).toBe(2);
    }
    expect(visibleBatches({ bytes: Buffer.concat([first, second]), aborted: [] }, 0).next).toBe(4);
  });

  test('a bit that has flipped is found', () => {
    const bytes = sealed(3);
    bytes[70] = (bytes[70] ?? 0) ^ 1;
    expect(() => visibleBatches({ bytes, aborted: [] }, 0)).toThrow(
      expect.objectContaining({ code: 'corrupt_batch' }),
    );
  });

  test('gzip is read', () => {
    const plain = sealed(50);
    const bytes = withAttributes(Buffer.concat([plain.subarray(0, 61), gzipSync(plain.subarray(61))]), 1);
    const { batches, next } = visibleBatches({ bytes, aborted: [] }, 0);
    const values: number[] = [];
    new FetchedSlice(
      { topic: 'eventsCollected', partition: 0, from: 0, next, byteLength: 0, batches },
      () => undefined,
    ).forEach((r) => values.push(r.bytes.readInt32BE(r.valueStart)));
    expect(values).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test.each([
    [2, 'snappy'],
    [3, 'lz4'],
    [4, 'zstd'],
  ])('compression %i is refused by its name, %s', (codec, name) => {
    const bytes = withAttributes(sealed(1), codec);
    expect(() => visibleBatches({ bytes, aborted: [] }, 0)).toThrow(
      expect.objectContaining({ code: 'unsupported_compression', message: expect.stringContaining(name) }),
    );
  });

  test('records of a batch that the broker stamped were all appended then', () => {
    const bytes = withAttributes(sealed(2), 8, 1_800_000_000_000);
    const { batches, next } = visibleBatches({ bytes, aborted: [] }, 0);
    const times = new Set<number>();
    new FetchedSlice(
      { topic: 'eventsCollected', partition: 0, from: 0, next, byteLength: 0, batches },
      () => undefined,
    ).forEach((r) => times.add(r.appendedAt));
    expect([...times]).toEqual([1_800_000_000_000]);
  });
});

function sealed(records: number): Buffer {
  const batch = new RecordBatch(new BytePool(0));
  for (let i = 0; i < records; i++) {
    const value = Buffer.alloc(20);
    value.writeInt32BE(i, 0);
    batch.append(Buffer.from('key'), value);
  }
  const seal = { producerId: 1, producerEpoch: 0, firstSequence: 0, transactional: false, time: 1_000 };
  return Buffer.from(batch.seal(seal));
}

/** The same batch at another offset: the checksum does not cover it. */
function at(bytes: Buffer, offset: number): Buffer {
  bytes.writeInt32BE(offset, 4);
  return bytes;
}

function withAttributes(bytes: Buffer, attributes: number, maxTime = 1_000): Buffer {
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt16BE(attributes, 21);
  bytes.writeBigInt64BE(BigInt(maxTime), 35);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

/** As compaction leaves a batch whose records are all superseded: a header with its range of offsets. */
function emptied(bytes: Buffer, baseOffset: number, lastDelta: number): Buffer {
  const header = at(Buffer.from(bytes.subarray(0, 61)), baseOffset);
  header.writeInt32BE(lastDelta, 23);
  header.writeInt32BE(0, 57);
  return withAttributes(header, 0);
}
