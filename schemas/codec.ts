/**
 * Avro values in Confluent's wire format: a zero byte, the schema id (4 bytes, big-endian), the record.
 * Encoding and decoding happen here with avsc; only registration and look-ups go through the registry's client
 * (services/runtime/registry.ts), which costs a promise and a copy for each message.
 */
import { readFileSync } from 'node:fs';
import { exactType, type AvroType } from './exact-long.ts';
import type { Records } from './records.ts';

export type RecordName = keyof Records;

export const WIRE_HEADER_BYTES = 5;

/** A value was written with a schema that this process has not loaded yet. Load it from the registry and try again. */
export class UnknownSchemaError extends Error {
  readonly code = 'schema_unknown';
  readonly schemaId: number;
  constructor(schemaId: number) {
    super(`could not decode a value: schema ${String(schemaId)} is not loaded`);
    this.schemaId = schemaId;
  }
}

/** Values are written here first: avsc's own way zeroes a buffer for each, and writes those above 1 KiB twice. */
let scratch: Buffer = Buffer.allocUnsafeSlow(64 << 10);

export function schemaText(record: RecordName): string {
  return readFileSync(new URL(`./avro/${record}.avsc`, import.meta.url), 'utf8');
}

export class Codec<Name extends RecordName> {
  readonly record: Name;
  readonly schemaId: number;
  readonly #type: AvroType;
  readonly #readers = new Map<number, ReturnType<AvroType['createResolver']>>();

  /** @param schemaId id under which the registry knows this process's own schema of the record. */
  constructor(record: Name, schemaId: number) {
    this.record = record;
    this.schemaId = schemaId;
    this.#type = exactType(schemaText(record));
  }

  /** The value with its wire header. Throws when a field is missing or of the wrong type: that is a bug. */
  encode(value: Records[Name]): Buffer {
    let end = this.encodeAt(value, scratch, 0);
    if (end < 0) {
      scratch = Buffer.allocUnsafeSlow(2 * (scratch.length - end));
      end = this.encodeAt(value, scratch, 0);
    }
    const out = Buffer.allocUnsafe(end);
    scratch.copy(out, 0, 0, end);
    return out;
  }

  /**
   * As `encode`, into memory of the caller's. @returns where it ends; less than 0: minus the bytes that were missing, and
   * what lies from `start` on is anything.
   */
  encodeAt(value: Records[Name], bytes: Buffer, start: number): number {
    const end = this.#type.encode(value, bytes, start + WIRE_HEADER_BYTES);
    if (end < 0) return end;
    bytes[start] = 0;
    bytes.writeUInt32BE(this.schemaId, start + 1);
    return end;
  }

  /** Throws UnknownSchemaError; InexactNumberError where a number is beyond what is held exactly. */
  decode(bytes: Buffer, start = 0, end = bytes.length): Records[Name] {
    const id = schemaIdOf(bytes, start);
    const body = bytes.subarray(start + WIRE_HEADER_BYTES, end);
    if (id === this.schemaId) return this.#type.fromBuffer(body) as Records[Name];
    const resolver = this.#readers.get(id);
    if (resolver === undefined) throw new UnknownSchemaError(id);
    return this.#type.fromBuffer(body, resolver) as Records[Name];
  }

  /** Makes values written with another version of the schema readable. */
  learn(schemaId: number, writerSchema: string): void {
    this.#readers.set(schemaId, this.#type.createResolver(exactType(writerSchema)));
  }

  knows(schemaId: number): boolean {
    return schemaId === this.schemaId || this.#readers.has(schemaId);
  }
}

/** Schema id of a value in wire format. Throws RangeError on anything else. */
export function schemaIdOf(bytes: Buffer, start = 0): number {
  if (bytes[start] !== 0)
    throw new RangeError('not a value in Confluent wire format: the first byte is not 0');
  return bytes.readUInt32BE(start + 1);
}

/** A codec for each record, as services/runtime/registry.ts hands it out after registration. */
export type Codecs = { readonly [Name in RecordName]: Codec<Name> };

/** Codecs that need no registry, for tests of pure parts: ids count from 1 in the order of names. */
export function localCodecs(): Codecs {
  const names: readonly RecordName[] = [
    'Activity',
    'BatchRecord',
    'CollectedEvent',
    'DeadLetter',
    'Definition',
    'DroppedEvent',
    'IdentityDecision',
    'IdentityFact',
    'IdentityRequest',
    'InAppAnswer',
    'InAppRequest',
    'InAppTransfer',
    'JourneyEntry',
    'JourneySkip',
    'KeyChange',
    'MergedEvent',
    'MessageEvent',
    'PersonChange',
    'SegmentChange',
    'TableRow',
    'Transfer',
  ];
  const codecs = Object.fromEntries(names.map((name, index) => [name, new Codec(name, index + 1)]));
  return codecs as unknown as Codecs; // fromEntries cannot express that each name maps to its own codec
}
