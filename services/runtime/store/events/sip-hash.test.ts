import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SipHash, newSecret } from './sip-hash.ts';

const MASK = (1n << 64n) - 1n;
const rotl = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & MASK;
const wordAt = (bytes: Uint8Array, at: number): bigint => Buffer.from(bytes).readBigUInt64LE(at);

/** The published description, word for word and as slow as it likes. */
function plainSipHash(secret: Uint8Array, input: Uint8Array): string {
  const [k0, k1] = [wordAt(secret, 0), wordAt(secret, 8)];
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn ^ 0xeen;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      v0 = (v0 + v1) & MASK;
      v1 = rotl(v1, 13n) ^ v0;
      v0 = rotl(v0, 32n);
      v2 = (v2 + v3) & MASK;
      v3 = rotl(v3, 16n) ^ v2;
      v0 = (v0 + v3) & MASK;
      v3 = rotl(v3, 21n) ^ v0;
      v2 = (v2 + v1) & MASK;
      v1 = rotl(v1, 17n) ^ v2;
      v2 = rotl(v2, 32n);
    }
  };
  const padded = Buffer.alloc((Math.floor(input.length / 8) + 1) * 8);
  padded.set(input);
  padded[padded.length - 1] = input.length & 0xff;
  for (let at = 0; at < padded.length; at += 8) {
    const m = wordAt(padded, at);
    v3 ^= m;
    rounds(2);
    v0 ^= m;
  }
  const out = Buffer.alloc(16);
  v2 ^= 0xeen;
  rounds(4);
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 0);
  v1 ^= 0xddn;
  rounds(4);
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 8);
  return out.toString('hex');
}

function hashed(secret: Uint8Array, bytes: Uint8Array, start = 0, end = bytes.length): string {
  const out = new Uint32Array(4);
  new SipHash(secret).hash(out, bytes, start, end);
  return Buffer.from(out.buffer).toString('hex');
}

function wordsOf(secret: Buffer): [number, number, number] {
  return [secret.readUInt32LE(0), secret.readUInt32LE(4), secret.readUInt32LE(8)];
}

describe('the hash of a lane', () => {
  const secret = Uint8Array.from({ length: 16 }, (_, i) => i);

  test('is SipHash-2-4-128: the first of the published vectors', () => {
    expect(hashed(secret, Buffer.alloc(0))).toBe('a3817f04ba25a8e66df67214c7550293');
    expect(hashed(secret, Buffer.from([0]))).toBe('da87c1d86b99af44347659119b22fc45');
  });

  test('is what the description says, whatever lies around the key and was hashed before', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.array(
          fc.tuple(
            fc.uint8Array({ maxLength: 9 }),
            fc.uint8Array({ maxLength: 300 }),
            fc.uint8Array({ maxLength: 9 }),
          ),
          { minLength: 1, maxLength: 5 },
        ),
        (key, inputs) => {
          const hash = new SipHash(key);
          const out = new Uint32Array(4);
          for (const [before, input, after] of inputs) {
            const frame = Buffer.concat([before, input, after]);
            hash.hash(out, frame, before.length, before.length + input.length);
            expect(Buffer.from(out.buffer).toString('hex')).toBe(plainSipHash(key, input));
          }
        },
      ),
    );
  });

  test('is under its own secret, whichever others are in use beside it and whenever it changes', () => {
    const secretOf = fc.uint8Array({ minLength: 12, maxLength: 12 });
    const hashers = [0, 1, 2].map(() => ({
      hash: new SipHash(new Uint8Array(16)),
      secret: Buffer.alloc(16),
    }));
    const step = fc.record({
      who: fc.constantFrom(...hashers),
      another: fc.option(secretOf),
      input: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const out = new Uint32Array(4);
        for (const { who, another, input } of steps) {
          if (another !== null) {
            who.secret.set(another);
            who.hash.setKey(...wordsOf(who.secret));
          }
          who.hash.hash(out, input, 0, input.length);
          expect(Buffer.from(out.buffer).toString('hex')).toBe(plainSipHash(who.secret, input));
        }
      }),
    );
  });

  test('two secrets have nothing to do with each other', () => {
    const key = Buffer.from('default:a:victim-1');
    expect(hashed(newSecret(), key)).not.toBe(hashed(newSecret(), key));
  });

  test('a key that no lane has is refused, not cut', () => {
    expect(() => hashed(secret, Buffer.alloc(70_000))).toThrow(/at most 65496 bytes/);
  });
});
