/**
 * Bytes of records as they may lie on a topic: a file for each version of each schema that ever was, in schemas/golden.
 * Files are added to, never edited.
 */
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import {
  type Codec,
  localCodecs,
  schemaText,
  WIRE_HEADER_BYTES,
  type Codecs,
  type RecordName,
} from '../../schemas/codec.ts';

export const goldenFolder = new URL('../../schemas/golden/', import.meta.url);
/** As `sha256sum` writes and reads it. */
export const SUMS = 'SHA256SUMS';

/** A schema as the registry has it. */
export type Schema = string | readonly Schema[] | NamedSchema;
export interface NamedSchema {
  readonly type: Schema;
  readonly name?: string;
  readonly symbols?: readonly string[];
  readonly items?: Schema;
  readonly fields?: readonly Field[];
}
export interface Field {
  readonly name: string;
  readonly type: Schema;
  readonly default?: unknown;
}

export interface GoldenCase {
  /** As the writer had it; a Buffer as Node writes one to JSON. */
  readonly value: Readonly<Record<string, unknown>>;
  /** The record in hex, without a wire header: the id in it is each registry's own. */
  readonly bytes: string;
}

export interface GoldenFile {
  readonly record: RecordName;
  /** 1 is the first schema of the record that landed. */
  readonly version: number;
  /** The writer's schema, without the words. */
  readonly writer: NamedSchema;
  readonly cases: readonly GoldenCase[];
}

/** Without `doc`, which no byte depends on. */
function wordless(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(wordless);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([name]) => name !== 'doc');
  return Object.fromEntries(kept.map(([name, value]) => [name, wordless(value)]));
}

export function schemaOf(record: RecordName): NamedSchema {
  return wordless(JSON.parse(schemaText(record))) as NamedSchema; // the registry accepted it
}

export const recordNames = Object.keys(localCodecs()).sort() as RecordName[]; // the type says so

export function goldenNames(): string[] {
  return readdirSync(goldenFolder)
    .filter((name) => name.endsWith('.json'))
    .sort();
}

/** Every version of the record, oldest first; the last is today's, if it is there already. */
export function goldenFiles(record: RecordName): GoldenFile[] {
  return goldenNames()
    .filter((name) => name.startsWith(`${record}-`))
    .map((name) => JSON.parse(readFileSync(new URL(name, goldenFolder), 'utf8'), revived) as GoldenFile) // ours
    .sort((a, b) => a.version - b.version);
}

export function goldenName({ record, version }: Pick<GoldenFile, 'record' | 'version'>): string {
  return `${record}-${String(version)}.json`;
}

export function isWrittenBy(file: GoldenFile | undefined, schema: NamedSchema): boolean {
  return JSON.stringify(file?.writer) === JSON.stringify(schema);
}

export function sumOf(text: string): string {
  return hash('sha256', text, 'hex');
}

/** What a value of an older writer is today: what it lacks is as today's schema says, also in a record within. */
export function valueToday({ record }: GoldenFile, value: GoldenCase['value']): Record<string, unknown> {
  return filled(schemaOf(record), value);
}

function filled({ fields = [] }: NamedSchema, value: GoldenCase['value']): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ name, type, default: usual }) => {
      const given = name in value ? value[name] : usual;
      const inner = [type].flat().find((branch) => isRecord(branch));
      return [name, inner === undefined || !isObject(given) ? given : filled(inner, given)];
    }),
  );
}

function isRecord(schema: unknown): schema is NamedSchema {
  return isObject(schema) && schema['type'] === 'record';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Codecs that know every golden version, and the values in wire format as a service reads them. */
export class GoldenLog {
  readonly codecs: Codecs = localCodecs();

  /** @returns the file's cases in order, under the id of this process's schema if it is the writer's. */
  values(file: GoldenFile): Buffer[] {
    const codec: Codec<RecordName> = this.codecs[file.record];
    const isToday = isWrittenBy(file, schemaOf(file.record));
    const id = isToday ? codec.schemaId : 1_000 + file.version;
    if (!isToday) codec.learn(id, JSON.stringify(file.writer));
    return file.cases.map(({ bytes }) => inWireFormat(id, bytes));
  }
}

function inWireFormat(schemaId: number, hex: string): Buffer {
  const header = Buffer.alloc(WIRE_HEADER_BYTES);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, Buffer.from(hex, 'hex')]);
}

function revived(_: string, value: unknown): unknown {
  const isBuffer =
    typeof value === 'object' &&
    value !== null &&
    'data' in value &&
    'type' in value &&
    value.type === 'Buffer';
  return isBuffer ? Buffer.from(value.data as number[]) : value; // Buffer.toJSON wrote it
}
