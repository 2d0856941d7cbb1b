/**
 * The native compression of ClickHouse's HTTP interface (`compress=1`), as JDBC's and Go's drivers ask for it: blocks of a
 * checksum (16 bytes), the method (LZ4), both sizes (4 bytes each, little-endian) and the data. The engine listens on the
 * loopback alone, where no byte has to be saved: the data is LZ4 of one sequence of literals, which costs no time.
 */
import { Transform } from 'node:stream';
import { cityHash128 } from './city-hash.ts';

/** Of the data in one block, before compression. */
const BLOCK_BYTES_MAX = 64 * 1024;
const CHECKSUM_BYTES = 16;
/** Method and both sizes; they are part of what is checked and of the first size. */
const HEADER_BYTES = 9;
const LZ4 = 0x82;

/** Whole blocks of what is written to it. Nothing is held back, so that rows arrive as they come. */
export function nativeBlocks(): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      for (const block of blocksOf(chunk)) this.push(block);
      done();
    },
  });
}

/** All blocks of these bytes; of none, none. */
export function nativeBlocksOf(bytes: Buffer): Buffer {
  return Buffer.concat([...blocksOf(bytes)]);
}

function* blocksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES_MAX) {
    yield blockOf(bytes.subarray(at, at + BLOCK_BYTES_MAX));
  }
}

function blockOf(data: Buffer): Buffer {
  const length = lengthBytes(data.length);
  const compressedBytes = HEADER_BYTES + length.length + data.length;
  const block = Buffer.alloc(CHECKSUM_BYTES + compressedBytes);
  block[CHECKSUM_BYTES] = LZ4;
  block.writeUInt32LE(compressedBytes, CHECKSUM_BYTES + 1);
  block.writeUInt32LE(data.length, CHECKSUM_BYTES + 5);
  block.set(length, CHECKSUM_BYTES + HEADER_BYTES);
  block.set(data, CHECKSUM_BYTES + HEADER_BYTES + length.length);
  const [low, high] = cityHash128(block.subarray(CHECKSUM_BYTES));
  block.writeBigUInt64LE(low, 0);
  block.writeBigUInt64LE(high, 8);
  return block;
}

/** How an LZ4 sequence says that so many literals follow: four bits, and from 15 on bytes that are added. */
function lengthBytes(literals: number): number[] {
  if (literals < 15) return [literals << 4];
  const more = literals - 15;
  return [0xf0, ...Array.from({ length: Math.floor(more / 255) }, () => 255), more % 255];
}
