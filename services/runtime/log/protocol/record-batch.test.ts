import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BytePool } from '../byte-pool.ts';
import { visibleBatches } from './fetch-response.ts';
import { RecordBatch } from './record-batch.ts';
import { FetchedSlice } from './record-slice.ts';

interface KafkajsRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly headers?: Record<string, string>;
}
const load = createRequire(import.meta.url);
const kafkajsRecord = load('kafkajs/src/protocol/recordBatch/record/v0') as (
  record: KafkajsRecord,
) => unknown;
const { RecordBatch: kafkajsBatch } = load('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>;
};

const bytes = (maxLength: number) =>
  fc.option(fc.uint8Array({ maxLength }).map((array) => Buffer.from(array)));
const records = fc.array(fc.record({ key: bytes(80), value: bytes(300) }), { minLength: 1, maxLength: 200 });
const seals = fc.record({
  producerId: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  firstSequence: fc.integer({ min: -1, max: 0x7fffffff }),
  transactional: fc.boolean(),
  time: fc.integer({ min: 0, max: 4_102_444_800_000 }),
});

describe('a record batch', () => {
  test('has the bytes that kafkajs writes for the same records', async () => {
    await fc.assert(
      fc.asyncProperty(records, seals, async (given, seal) => {
        const batch = new RecordBatch(new BytePool(0));
        for (const { key, value } of given) batch.append(key, value);
        const expected = await kafkajsBatch({
          ...seal,
          producerId: String(seal.producerId),
          firstTimestamp: seal.time,
          maxTimestamp: seal.time,
          lastOffsetDelta: given.length - 1,
          records: given.map((record, offsetDelta) =>
            kafkajsRecord({ ...record, offsetDelta, timestampDelta: 0 }),
          ),
        });
        expect(batch.seal(seal).equals(expected.buffer)).toBe(true);
      }),
    );
  });

  test('has the same bytes when key and value lie one behind the other among others', () => {
    const both = fc.record({
      key: fc.uint8Array({ maxLength: 9_000 }),
      value: fc.uint8Array({ maxLength: 9_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(both, { minLength: 1, maxLength: 80 }),
        seals,
        fc.nat(9),
        (given, seal, before) => {
          const apart = new RecordBatch(new BytePool(0));
          const within = new RecordBatch(new BytePool(0));
          for (const { key, value } of given) {
            apart.append(key, value);
            const bytes = Buffer.concat([Buffer.alloc(before, 1), key, value, Buffer.from('behind it')]);
            const keyEnd = before + key.length;
            within.appendPosted({ bytes, start: before, keyEnd, end: keyEnd + value.length });
          }
          expect(within.seal(seal).equals(apart.seal(seal))).toBe(true);
        },
      ),
    );
  });

  test('has them for keys and values at every length at which a length field grows', async () => {
    for (const length of [0, 63, 64, 8_191, 8_192, 1_000_000]) {
      const value = Buffer.alloc(length, 7);
      const batch = new RecordBatch(new BytePool(0));
      const seal = {
        producerId: 5,
        producerEpoch: 1,
        firstSequence: 2,
        transactional: true,
        time: 1_700_000_000_000,
      };
      const expected = await kafkajsBatch({
        ...seal,
        firstTimestamp: seal.time,
        maxTimestamp: seal.time,
        records: [kafkajsRecord({ key: null, value, offsetDelta: 0, timestampDelta: 0 })],
      });
      batch.append(null, value);
      expect(batch.seal(seal).equals(expected.buffer)).toBe(true);
    }
  });

  test('is read back as it was written', () => {
    fc.assert(
      fc.property(records, seals, (given, seal) => {
        const batch = new RecordBatch(new BytePool(0));
        for (const { key, value } of given) batch.append(key, value);
        const { batches, next } = visibleBatches({ bytes: batch.seal(seal), aborted: [] }, 0);
        expect(next).toBe(given.length);
        const read: [number, number, string, string][] = [];
        slice(batches, 0, next).forEach((r) => {
          const key = r.bytes.toString('hex', r.keyStart, r.keyEnd);
          read.push([r.offset, r.appendedAt, key, r.bytes.toString('hex', r.valueStart, r.valueEnd)]);
        });
        expect(read).toEqual(
          given.map(({ key, value }, i) => [
            i,
            seal.time,
            key?.toString('hex') ?? '',
            value?.toString('hex') ?? '',
          ]),
        );
      }),
    );
  });

  test('gives its memory back once, however often it is released', () => {
    const pool = new BytePool(1 << 20);
    const batch = new RecordBatch(pool);
    batch.append(null, Buffer.alloc(100_000));
    batch.release();
    const retained = pool.retainedBytes;
    batch.release();
    expect(pool.retainedBytes).toBe(retained);
  });
});

describe('a slice', () => {
  test('reads times of a batch that spans more than 12 days, headers, and absent keys and values', async () => {
    const base = 1_700_000_000_000;
    const deltas = [0, 2 ** 30, 2 ** 31 + 7, 31 * 86_400_000, 2 ** 40, -5];
    const { buffer } = await kafkajsBatch({
      firstTimestamp: base,
      maxTimestamp: base + 2 ** 40,
      producerId: '-1',
      lastOffsetDelta: deltas.length - 1,
      records: deltas.map((timestampDelta, offsetDelta) =>
        kafkajsRecord({
          timestampDelta,
          offsetDelta,
          key: offsetDelta % 2 === 0 ? null : Buffer.from('k'),
          value: offsetDelta === 3 ? null : Buffer.from(`v${String(offsetDelta)}`),
          headers: { trace: 'x'.repeat(offsetDelta * 40) },
        }),
      ),
    });
    const { batches, next } = visibleBatches({ bytes: buffer, aborted: [] }, 0);
    const read: [number, string, string][] = [];
    slice(batches, 0, next).forEach((r) => {
      const key = r.bytes.toString('utf8', r.keyStart, r.keyEnd);
      read.push([r.appendedAt - base, key, r.bytes.toString('utf8', r.valueStart, r.valueEnd)]);
    });
    expect(read).toEqual(
      deltas.map((delta, i) => [delta, i % 2 === 0 ? '' : 'k', i === 3 ? '' : `v${String(i)}`]),
    );
  });

  test('skips what lies before its first offset and stops where it is told', () => {
    const batch = new RecordBatch(new BytePool(0));
    for (let i = 0; i < 10; i++) batch.append(null, Buffer.from([i]));
    const sealed = batch.seal({
      producerId: -1,
      producerEpoch: -1,
      firstSequence: -1,
      transactional: false,
      time: 0,
    });
    const { batches, next } = visibleBatches({ bytes: sealed, aborted: [] }, 3);
    const offsets = (to?: number) => {
      const seen: number[] = [];
      slice(batches, 3, next).forEach(({ offset }) => seen.push(offset), to);
      return seen;
    };
    expect(offsets()).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(offsets(5)).toEqual([3, 4]);
    expect(offsets(3)).toEqual([]);
  });

  test('is not read after its release, since its bytes may be another answer by then', () => {
    const gone = slice([], 0, 0);
    gone.release();
    expect(() => {
      gone.forEach(() => undefined);
    }).toThrow('release');
  });
});

function slice(
  batches: ReturnType<typeof visibleBatches>['batches'],
  from: number,
  next: number,
): FetchedSlice {
  const content = { topic: 'eventsCollected' as const, partition: 0, from, next, byteLength: 0, batches };
  return new FetchedSlice(content, () => undefined);
}
