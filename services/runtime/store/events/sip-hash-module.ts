/**
 * The WebAssembly module of sip-hash.ts, instruction by instruction: `hash(blocks)` reads the key and so many blocks of
 * eight bytes from its memory, and writes 16 bytes. Names of instructions are those of the WebAssembly specification.
 */

/** Places in the module's memory, in bytes. */
export const KEY_AT = 0;
export const OUTPUT_AT = 16;
export const INPUT_AT = 32;
const PAGE_BYTES = 65_536;
/** Lanes' keys have at most a few hundred bytes; a longer one than this is nobody's. */
export const inputBytesMax = PAGE_BYTES - INPUT_AT - 8;

type Code = readonly number[];

const I32 = 0x7f;
const I64 = 0x7e;
const NO_VALUE = 0x40;
const END = 0x0b;
const I64_ADD = 0x7c;
const I64_XOR = 0x85;
const I64_ROTL = 0x89;

/** Locals: the number of blocks, where the next is, the four words of the state, the block in hand. */
const BLOCKS = 0;
const AT = 1;
const V0 = 2;
const V1 = 3;
const V2 = 4;
const V3 = 5;
const M = 6;

const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const i32 = (value: number): Code => [0x41, ...signed(BigInt(value))];
const i64 = (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))];
/** Aligned to 8 bytes; `offset` is added to the address on the stack. */
const load = (offset: number): Code => [0x29, 3, ...unsigned(offset)];
const store = (offset: number): Code => [0x37, 3, ...unsigned(offset)];

const xorInto = (local: number, ...value: Code): Code => [...get(local), ...value, I64_XOR, ...set(local)];
const addInto = (local: number, other: number): Code => [
  ...get(local),
  ...get(other),
  I64_ADD,
  ...set(local),
];
const rotate = (local: number, bits: bigint): Code => [...get(local), ...i64(bits), I64_ROTL, ...set(local)];

const ROUND: Code = [
  ...addInto(V0, V1),
  ...rotate(V1, 13n),
  ...xorInto(V1, ...get(V0)),
  ...rotate(V0, 32n),
  ...addInto(V2, V3),
  ...rotate(V3, 16n),
  ...xorInto(V3, ...get(V2)),
  ...addInto(V0, V3),
  ...rotate(V3, 21n),
  ...xorInto(V3, ...get(V0)),
  ...addInto(V2, V1),
  ...rotate(V1, 17n),
  ...xorInto(V1, ...get(V2)),
  ...rotate(V2, 32n),
];
const rounds = (count: number): Code => Array.from({ length: count }, () => ROUND).flat();

/** A word of the state at the start: a constant and half of the key. */
const begin = (local: number, constant: bigint, keyAt: number): Code => [
  ...i32(0),
  ...load(keyAt),
  ...i64(constant),
  I64_XOR,
  ...set(local),
];
const writeState = (at: number): Code => [
  ...i32(0),
  ...get(V0),
  ...get(V1),
  I64_XOR,
  ...get(V2),
  I64_XOR,
  ...get(V3),
  I64_XOR,
  ...store(at),
];

const HASH: Code = [
  ...begin(V0, 0x736f6d6570736575n, KEY_AT),
  ...begin(V1, 0x646f72616e646f6dn ^ 0xeen, KEY_AT + 8),
  ...begin(V2, 0x6c7967656e657261n, KEY_AT),
  ...begin(V3, 0x7465646279746573n, KEY_AT + 8),
  ...[0x03, NO_VALUE], // loop: there is at least one block
  ...[...get(AT), ...load(INPUT_AT), ...set(M)],
  ...xorInto(V3, ...get(M)),
  ...rounds(2),
  ...xorInto(V0, ...get(M)),
  ...[...get(AT), ...i32(8), 0x6a, ...set(AT)], // i32.add
  ...[...get(BLOCKS), ...i32(1), 0x6b, 0x22, BLOCKS], // i32.sub, local.tee
  ...[0x0d, 0], // br_if
  END,
  ...xorInto(V2, ...i64(0xeen)),
  ...rounds(4),
  ...writeState(OUTPUT_AT),
  ...xorInto(V1, ...i64(0xddn)),
  ...rounds(4),
  ...writeState(OUTPUT_AT + 8),
  END,
];

/** A section, an entry, a body: its length in bytes, then what it has. */
const sized = (content: Code): Code => [...unsigned(content.length), ...content];
const section = (id: number, content: Code): Code => [id, ...sized(content)];
const name = (text: string): Code => sized([...Buffer.from(text)]);

const LOCALS: Code = [2, 1, I32, 5, I64]; // beside the parameter: AT; the state and the block

/** What is used of WebAssembly: the types of Node's own library leave it out. */
interface WebAssemblyPort {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}
const { Instance, Module } = (globalThis as unknown as { WebAssembly: WebAssemblyPort }).WebAssembly;

export interface SipHashInstance {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly hash: (blocks: number) => void;
}

/** An instance with a memory of its own. */
export function sipHashInstance(): SipHashInstance {
  return new Instance(sipHashModule).exports as SipHashInstance; // what the module below exports
}

const sipHashModule = new Module(
  Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, [1, 0x60, 1, I32, 0]), // one type: (i32) -> ()
    ...section(3, [1, 0]), // one function, of that type
    ...section(5, [1, 1, 1, 1]), // one memory, of one page and no more
    ...section(7, [2, ...name('memory'), 2, 0, ...name('hash'), 0, 0]), // exports
    ...section(10, [1, ...sized([...LOCALS, ...HASH])]), // code
  ]),
);

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
function signed(value: bigint): Code {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const isLast = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
