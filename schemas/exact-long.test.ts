/** Numbers of records are what was written, to the last digit, or the record is refused. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs } from './codec.ts';
import { exactType, InexactNumberError } from './exact-long.ts';
import { identityRequest } from './identity-request.ts';

const type = exactType(
  '{"type":"record","name":"Numbers","fields":[{"name":"a","type":"long"},{"name":"b","type":["null",{"type":"long","logicalType":"timestamp-millis"}]},{"name":"c","type":"string"}]}',
);
const EXACT_MAX = 2n ** 53n - 1n;
/** Written by Avro's definition, which has 64 bits. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
const record = (a: bigint, b: bigint): Buffer =>
  Buffer.concat([varint(a), Buffer.from([2]), varint(b), Buffer.from([2, 0x78])]);
const near = (middle: bigint) => fc.bigInt({ min: middle - 300n, max: middle + 300n });
const long = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ...[0n, 2n ** 31n, 2n ** 52n, 2n ** 53n, 2n ** 54n].flatMap((each) => [near(each), near(-each)]),
);
const isExact = (value: bigint): boolean => value <= EXACT_MAX && value >= -EXACT_MAX - 1n;

describe('a long of a record', () => {
  test('is read exactly, or its record is refused as one that cannot be read', () => {
    fc.assert(
      fc.property(long, long, (a, b) => {
        if (isExact(a) && isExact(b)) {
          expect({ ...(type.fromBuffer(record(a, b)) as object) }).toEqual({
            a: Number(a),
            b: Number(b),
            c: 'x',
          });
        } else {
          expect(() => type.fromBuffer(record(a, b)) as unknown).toThrow(InexactNumberError);
        }
      }),
    );
  });

  test('is written exactly', () => {
    const exact = long.filter(
      (each) => Number.isSafeInteger(Number(each)) && each !== EXACT_MAX && isExact(each),
    );
    fc.assert(
      fc.property(exact, exact, (a, b) => {
        const bytes = type.toBuffer({ a: Number(a), b: Number(b), c: 'x' });
        expect(bytes.toString('hex')).toBe(record(a, b).toString('hex'));
      }),
    );
  });

  test('that goes on for ever is refused', () => {
    for (const length of [11, 40]) {
      const bytes = Buffer.concat([Buffer.alloc(length, 0xff), record(0n, 0n)]);
      expect(() => type.fromBuffer(bytes) as unknown).toThrow();
    }
  });

  test('is as exact where a value of an older version is read', () => {
    const older = exactType('{"type":"record","name":"Numbers","fields":[{"name":"a","type":"long"}]}');
    const newer = exactType(
      '{"type":"record","name":"Numbers","fields":[{"name":"a","type":"long"},{"name":"d","type":"int","default":0}]}',
    );
    const resolver = newer.createResolver(older);
    const read = (a: bigint): unknown => newer.fromBuffer(varint(a), resolver);
    expect(read(-(2n ** 52n) - 1n)).toMatchObject({ a: -(2 ** 52) - 1, d: 0 });
    expect(() => read(2n ** 53n)).toThrow(InexactNumberError);
  });
});

test('the codecs of our records have exact longs', () => {
  const codec = localCodecs().IdentityRequest;
  const far = -(2 ** 52) - 1;
  const request = identityRequest({
    kind: 'watermark',
    workspace: 'shop',
    received_at: far,
    source_offset: far,
  });
  const read = codec.decode(codec.encode(request));
  expect([read.received_at, read.source_offset]).toEqual([far, far]);
});
