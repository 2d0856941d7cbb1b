/**
 * Avro's long as a number: exact, or refused. avsc 5.7.9 computes with twice the number in a double: below -2^52 what it
 * reads and writes is another number than was meant, in places of the other sign, and it says nothing.
 */
import avro from 'avsc';
import { optional, quickText } from './quick-text.ts';

/** Up to here, on both sides of 0, avsc is exact. */
const AVSC_EXACT_MAX = 2 ** 52;
/** What 64 bits take. */
const LONG_BYTES_MAX = 10;

/** A record has a number that a double cannot tell from its neighbours: it is one that cannot be read. */
export class InexactNumberError extends RangeError {
  readonly code = 'undecodable';
  constructor(value: number) {
    super(
      `could not read a record: a number of it, near ${String(value)}, is beyond what is held exactly (-2^53 to 2^53 - 1)`,
    );
    this.name = 'InexactNumberError';
  }
}

/** Where avsc reads and writes; its declarations leave it out, as they do what it calls on a type. */
interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
  writeLong(value: number): void;
}
const AvscLong = avro.types.LongType as unknown as new () => { _write(tap: Tap, value: unknown): void };

class ExactLong extends AvscLong {
  /** Called on resolvers of older schemas, too, so it asks nothing of `this`. */
  _read(tap: Tap): number {
    const from = tap.pos;
    const value = tap.readLong();
    return value > -AVSC_EXACT_MAX && value < AVSC_EXACT_MAX ? value : exactly(tap.buf, from);
  }

  override _write(tap: Tap, value: unknown): void {
    if (Number.isSafeInteger(value) && (value as number) < -AVSC_EXACT_MAX)
      writeFarBelow(tap, value as number);
    else super._write(tap, value); // which refuses what is no number that it can write
  }
}

/** A zigzag varint: its lowest bit is the sign, and what is above it, the number, is summed up by itself. */
function exactly(bytes: Buffer, from: number): number {
  let byte = bytes[from] ?? 0;
  const isNegative = (byte & 1) === 1;
  let half = (byte & 127) >>> 1;
  let scale = 64;
  for (let at = from + 1; byte >= 128; at += 1) {
    if (at - from === LONG_BYTES_MAX) throw new InexactNumberError(isNegative ? -half : half);
    byte = bytes[at] ?? 0; // past the end: avsc says that the record ends too early
    half += (byte & 127) * scale;
    scale *= 128;
  }
  const value = isNegative ? -half - 1 : half;
  if (half > Number.MAX_SAFE_INTEGER) throw new InexactNumberError(value);
  return value;
}

function writeFarBelow(tap: Tap, value: number): void {
  const half = -(value + 1);
  let rest = Math.floor(half / 64);
  tap.buf[tap.pos++] = (half % 64) * 2 + 1 + 128;
  for (; rest >= 128; rest = Math.floor(rest / 128)) tap.buf[tap.pos++] = (rest % 128) + 128;
  tap.buf[tap.pos++] = rest;
}

export type AvroType = avro.Type;

const exactLong = new ExactLong() as unknown as AvroType; // avsc's declarations do not know that it can be extended

/** A type of avsc's whose longs are exact, whatever logical type they are of, and whose texts are written quickly. */
export function exactType(schemaText: string): AvroType {
  return avro.Type.forSchema(JSON.parse(schemaText) as avro.Schema, {
    wrapUnions: false,
    typeHook: (schema, options) => {
      if (Array.isArray(schema)) return schema[0] === 'null' ? optional(schema, options) : undefined;
      if (isOf(schema, 'long')) return exactLong;
      return isOf(schema, 'string') ? quickText : undefined;
    },
  });
}

function isOf(schema: avro.Schema, name: 'long' | 'string'): boolean {
  return schema === name || (schema as { readonly type?: unknown }).type === name;
}
