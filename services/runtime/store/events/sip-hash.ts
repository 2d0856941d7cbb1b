/**
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein): a hash under a secret. Whoever chooses a key and does not know the
 * secret can do no better than chance to make two keys agree, so the hash can stand for the key. In WebAssembly, which
 * has 64-bit words; the module is put together below from its instructions.
 */
import { randomBytes } from 'node:crypto';
import { viewOf } from '../../byte-view.ts';
import { assert, CodedError } from '../../errors.ts';
import { sipHashInstance, KEY_AT, INPUT_AT, OUTPUT_AT, inputBytesMax } from './sip-hash-module.ts';

export const secretBytes = 16;
/** Four words of 32 bits, little-endian in the order of the 16 bytes of the hash. */
export type HashWords = Uint32Array;

const BLOCK_BYTES = 8;

export function newSecret(): Buffer {
  return randomBytes(secretBytes);
}

/** One for all secrets: a memory of WebAssembly reserves gigabytes of addresses, and partitions are opened often. */
const { memory, hash: run } = sipHashInstance();
const key = new Uint32Array(memory.buffer, KEY_AT, secretBytes / 4);
const input = new Int32Array(memory.buffer, INPUT_AT);
const output = new Uint32Array(memory.buffer, OUTPUT_AT, 4);
/** Whose secret lies there. Batches hash under one for long. */
let inPlace: Uint32Array | undefined;

export class SipHash {
  /** As it lies in the memory. */
  readonly #secret = new Uint32Array(secretBytes / 4);

  constructor(secret: Uint8Array) {
    assert(secret.length === secretBytes, `a secret has ${String(secretBytes)} bytes`);
    new Uint8Array(this.#secret.buffer).set(secret);
  }

  /** Another secret: words of 32 bits, the fourth of them 0. */
  setKey(first: number, second: number, third: number): void {
    const secret = this.#secret;
    secret[0] = first;
    secret[1] = second;
    secret[2] = third;
    secret[3] = 0;
    if (inPlace === secret) inPlace = undefined;
  }

  /** Writes the hash of bytes[start, end) to out. */
  hash(out: HashWords, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > inputBytesMax) throw tooLarge(length);
    const view = viewOf(bytes);
    let word = 0;
    let at = start;
    for (; at + 4 <= end; at += 4) input[word++] = view.getInt32(at, true);
    // The last block: what is left, zeros, and in its last byte the length.
    let rest = 0;
    for (let shift = 0; at < end; at += 1, shift += 8) rest |= view.getUint8(at) << shift;
    const blocks = Math.floor(length / BLOCK_BYTES) + 1;
    const last = 2 * blocks - 1;
    input[word] = rest;
    if (word < last) input[last] = 0;
    input[last] = (input[last] as number) | (length << 24); // within the input
    if (inPlace !== this.#secret) {
      key.set(this.#secret);
      inPlace = this.#secret;
    }
    run(blocks);
    out[0] = output[0] as number; // it has four
    out[1] = output[1] as number;
    out[2] = output[2] as number;
    out[3] = output[3] as number;
  }
}

function tooLarge(bytes: number): CodedError {
  const message = `could not hash a key of ${String(bytes)} bytes: a key has at most ${String(inputBytesMax)} bytes`;
  return new CodedError('key_too_large', message);
}
