/**
 * A profile as stored. Most of its attributes were written by one call, so who wrote is said once for a run of them; a value
 * is a byte that says what it is, and then the value. Earlier versions have stored JSON. Pure.
 */
import { parseExactly } from '../../runtime/exact-json.ts';
import type { Profile } from './profile.ts';
import type { Relationship } from './relationships.ts';
import { ByteReader, ByteWriter } from './state-bytes.ts';
import { setWritten, type SaidTime, type Stamp, type Written } from './written.ts';

/** JSON begins with a brace. */
const FORMAT = 1;

/** Bits of what a profile has. */
const HAS_ID = 1;
const HAS_EMAIL = 2;
const HAS_RELATIONSHIPS = 4;
const HAS_KNOWN_AS_OF = 8;
/** Of two that have no place of their own: a profile that moves is written in the order in which it was made. */
const KNOWN_AS_OF_FIRST = 16;

/** What a value is, and the bit of one that was written by another than the attribute before. */
const NULL = 0;
const FALSE = 1;
const TRUE = 2;
const DOUBLE = 3;
const TEXT = 4;
/** Whatever else JSON can say. */
const JSON_TEXT = 5;
const BY_ANOTHER = 8;
/** Of one that has a time beside it (created-at.ts); not a number where that was taken back. */
const HAS_SAID = 16;

const out = new ByteWriter();

export function encodeProfile(profile: Profile): Buffer {
  const { version, attributes, id, email, relationships, knownAsOf } = profile;
  out.begin();
  out.byte(FORMAT);
  out.byte(
    (id === null ? 0 : HAS_ID) |
      (email === null ? 0 : HAS_EMAIL) |
      (relationships === undefined ? 0 : HAS_RELATIONSHIPS) |
      (knownAsOf === undefined ? 0 : HAS_KNOWN_AS_OF) |
      (relationships !== undefined && isKnownAsOfFirst(profile) ? KNOWN_AS_OF_FIRST : 0),
  );
  out.count(version);
  if (id !== null) out.text(id);
  if (email !== null) out.text(email);
  if (relationships !== undefined) out.text(JSON.stringify(relationships));
  if (knownAsOf !== undefined) out.double(knownAsOf);
  let by: Stamp | undefined;
  for (const name in attributes) {
    const written = attributes[name];
    if (written === undefined) continue;
    writeAttribute(name, written, by);
    ({ by } = written);
  }
  return out.taken();
}

export function decodeProfile(stored: Buffer): Profile {
  if (stored[0] !== FORMAT) return parseExactly(stored.toString()) as Profile; // written by settle as it was
  const reader = new ByteReader(stored, 1);
  const has = reader.byte();
  const version = reader.count();
  const id = (has & HAS_ID) === 0 ? null : reader.text();
  const email = (has & HAS_EMAIL) === 0 ? null : reader.text();
  const relationships =
    (has & HAS_RELATIONSHIPS) === 0 ? undefined : (parseExactly(reader.text()) as readonly Relationship[]); // written by encodeProfile
  const knownAsOf = (has & HAS_KNOWN_AS_OF) === 0 ? undefined : reader.double();
  const attributes = readAttributes(reader);
  if (relationships === undefined && knownAsOf === undefined) return { version, attributes, id, email };
  const related = relationships && { relationships };
  const known = knownAsOf === undefined ? undefined : { knownAsOf };
  if ((has & KNOWN_AS_OF_FIRST) !== 0) return { version, attributes, id, email, ...known, ...related };
  return { version, attributes, id, email, ...related, ...known };
}

function isKnownAsOfFirst(profile: Profile): boolean {
  for (const name in profile) {
    if (name === 'relationships') return false;
    if (name === 'knownAsOf') return true;
  }
  return false;
}

function writeAttribute(name: string, { value, by, said }: Written, last: Stamp | undefined): void {
  const isAnother = last === undefined || last[0] !== by[0] || last[1] !== by[1];
  out.text(name);
  const kind = kindOf(value);
  out.byte(kind | (isAnother ? BY_ANOTHER : 0) | (said === undefined ? 0 : HAS_SAID));
  if (kind === DOUBLE)
    out.double(value as number); // as kindOf says
  else if (kind === TEXT) out.text(value as string);
  else if (kind === JSON_TEXT) out.text(JSON.stringify(value));
  if (isAnother) writeStamp(by);
  if (said === undefined) return;
  out.double(said.ms ?? NaN);
  writeStamp(said.by);
}

function writeStamp([at, messageId]: Stamp): void {
  out.double(at);
  out.text(messageId);
}

function kindOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return TEXT;
    case 'number':
      return DOUBLE;
    case 'boolean':
      return value ? TRUE : FALSE;
    default:
      return value === null ? NULL : JSON_TEXT;
  }
}

function readAttributes(reader: ByteReader): Profile['attributes'] {
  const attributes: Record<string, Written> = {};
  const { bytes } = reader;
  let by: Stamp = [0, ''];
  while (reader.at < bytes.length) {
    const name = reader.sharedText();
    const kind = reader.byte();
    const value = readValue(reader, kind & ~(BY_ANOTHER | HAS_SAID));
    if ((kind & BY_ANOTHER) !== 0) by = [reader.double(), reader.text()];
    setWritten(
      attributes,
      name,
      (kind & HAS_SAID) === 0 ? { value, by } : { value, by, said: readSaid(reader) },
    );
  }
  return attributes;
}

function readSaid(reader: ByteReader): SaidTime {
  const ms = reader.double();
  return { ms: Number.isNaN(ms) ? null : ms, by: [reader.double(), reader.text()] };
}

function readValue(reader: ByteReader, kind: number): unknown {
  switch (kind) {
    case NULL:
      return null;
    case FALSE:
      return false;
    case TRUE:
      return true;
    case DOUBLE:
      return reader.double();
    case TEXT:
      return reader.text();
    case JSON_TEXT:
      return parseExactly(reader.text());
    default:
      throw new RangeError(`unknown kind ${String(kind)} of an attribute's value`);
  }
}
