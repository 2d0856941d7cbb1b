import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BytePool } from '../byte-pool.ts';
import { FrameAssembler } from './frames.ts';

const sizes = fc.array(
  fc.oneof(fc.integer({ min: 4, max: 300 }), fc.integer({ min: 60_000, max: 300_000 })),
  {
    minLength: 1,
    maxLength: 6,
  },
);

function stream(lengths: readonly number[]): { frames: Buffer[]; bytes: Buffer } {
  const frames = lengths.map((length, i) => Buffer.alloc(length, i + 1));
  const parts = frames.flatMap((frame) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(frame.length);
    return [length, frame];
  });
  return { frames, bytes: Buffer.concat(parts) };
}

describe('answers off a socket', () => {
  test('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
        (lengths, cuts) => {
          const { frames, bytes } = stream(lengths);
          const got: Buffer[] = [];
          const assembler = new FrameAssembler(new BytePool(1 << 20), (frame) =>
            got.push(Buffer.from(frame)),
          );
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const space = assembler.space();
            const count = Math.min(space.length, cuts[i % cuts.length] ?? 1, bytes.length - at);
            bytes.copy(space, 0, at, at + count);
            assembler.received(count);
            at += count;
          }
          expect(got.map((frame) => frame.length)).toEqual(lengths);
          expect(got.every((frame, i) => frame.equals(frames[i] ?? Buffer.alloc(0)))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a length that cannot be stops the stream instead of taking gigabytes', () => {
    const assembler = new FrameAssembler(new BytePool(0), () => undefined);
    expect(() => {
      assembler.feed(Buffer.from('HTTP/1.1 400'));
    }).toThrow('could not read an answer');
  });
});

describe('pooled memory', () => {
  test('is lent again after it was given back, and what was not lent is not taken', () => {
    const pool = new BytePool(1 << 20);
    const first = pool.take(100_000);
    pool.giveBack(first.subarray(4));
    expect(pool.take(100_000).buffer).toBe(first.buffer);
    pool.giveBack(Buffer.alloc(100_000));
    expect(pool.retainedBytes).toBe(0);
  });

  test('is kept up to its maximum only', () => {
    const pool = new BytePool(1 << 20);
    [1, 2, 3]
      .map(() => pool.take(600_000))
      .forEach((bytes) => {
        pool.giveBack(bytes);
      });
    expect(pool.retainedBytes).toBeLessThanOrEqual(1 << 20);
  });
});
