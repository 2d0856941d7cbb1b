/**
 * A record of events.merged, read in place: what routing and rules ask of most events, without making the strings that
 * nobody asks for. The order of fields is that of MergedEvent.avsc, and merged-view.test.ts compares with the codec.
 */
import { schemaIdOf, WIRE_HEADER_BYTES, type Codec } from '../../schemas/codec.ts';
import type { CollectedEvent, MergedEvent } from '../../schemas/records.ts';

const KINDS: readonly MergedEvent['kind'][] = [
  'event',
  'watermark',
  'absorb',
  'absorbed',
  'deleted',
  'split',
];
/** A marker is no event of a person. */
export type EventType = Exclude<CollectedEvent['type'], 'marker'>;
const TYPES: readonly (EventType | undefined)[] = [
  'event',
  'page',
  'screen',
  'identify',
  undefined,
  'relate',
  'traits',
  'membership',
];
const IDENTIFIER_KINDS: readonly CollectedEvent['identifier_kind'][] = ['none', 'id', 'email', 'cio_id'];

/** A value with its wire header. */
interface Lying {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** One object, reused: valid until the next `read`, and only while the bytes are. */
export class MergedView {
  kind: MergedEvent['kind'] = 'event';
  workspace = '';
  mergedAt = 0;
  previouslyAnonymous = false;
  sourcePartition: number | null = null;
  otherPersonId: string | null = null;
  factNumber: number | null = null;
  /** Null: identity was not asked, and said nothing of known_id and known_email. */
  knownAsOf: number | null = null;
  hasEvent = false;
  receivedAt = 0;
  type: EventType = 'event';
  identifierKind: CollectedEvent['identifier_kind'] = 'none';
  timestamp = 0;
  name: string | null = null;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #personId = 0;
  #known = 0;
  #anonymousId = 0;
  #messageId = 0;
  #rest = 0;
  #workspaceBytes = Buffer.alloc(0);

  /** Reads a value of any version that the codec knows: another than its own is written anew, so one reader serves. */
  take(codec: Codec<'MergedEvent'>, { bytes, start, end }: Lying): void {
    if (schemaIdOf(bytes, start) === codec.schemaId) this.read(bytes, start);
    else this.read(codec.encode(codec.decode(bytes, start, end)), 0);
  }

  /** @param start of the value, at its wire header; the schema id must be this process's own. */
  read(bytes: Buffer, start: number): void {
    this.#bytes = bytes;
    this.#at = start + WIRE_HEADER_BYTES;
    this.kind = pick(KINDS, this.#long());
    this.#readWorkspace();
    this.#personId = this.#at;
    this.#skipText();
    this.mergedAt = this.#long();
    this.previouslyAnonymous = bytes[this.#at++] === 1;
    this.sourcePartition = this.#long() === 0 ? null : this.#long();
    this.otherPersonId = this.#long() === 0 ? null : this.#text();
    this.factNumber = this.#long() === 0 ? null : this.#long();
    this.knownAsOf = this.#long() === 0 ? null : this.#long();
    this.#known = this.#at;
    this.#skipOptionalText();
    this.#skipOptionalText();
    this.#long(); // decided_as_of
    this.hasEvent = this.#long() === 1;
    if (this.hasEvent) this.#readEvent();
  }

  get personId(): string {
    return this.#textAt(this.#personId);
  }
  get knownId(): string | null {
    this.#at = this.#known;
    return this.#optionalText();
  }
  get knownEmail(): string | null {
    this.#at = this.#known;
    this.#skipOptionalText();
    return this.#optionalText();
  }
  get anonymousId(): string | null {
    this.#at = this.#anonymousId;
    return this.#optionalText();
  }
  get messageId(): string {
    return this.#textAt(this.#messageId);
  }

  /** The fields that only few events are asked for. */
  details(): Pick<CollectedEvent, 'id' | 'email' | 'attributes_at' | 'properties' | 'context'> {
    this.#at = this.#rest;
    const id = this.#optionalText();
    const email = this.#optionalText();
    this.#skipOptionalText(); // cio_id
    this.#at += 1; // update_only
    const attributesAt = this.#long() === 0 ? null : this.#long();
    const properties = this.#optionalText();
    return { id, email, attributes_at: attributesAt, properties, context: this.#optionalText() };
  }

  #readEvent(): void {
    this.receivedAt = this.#long();
    this.type = pick(TYPES, this.#long());
    this.identifierKind = pick(IDENTIFIER_KINDS, this.#long());
    this.#skipOptionalText(); // identifier
    this.#anonymousId = this.#at;
    this.#skipOptionalText();
    this.#messageId = this.#at;
    this.#skipText();
    this.timestamp = this.#long();
    this.#skipText(); // workspace
    this.#skipText(); // source
    this.name = this.#optionalText();
    this.#rest = this.#at;
  }

  /** A stream is mostly of one workspace, so its string is made once. */
  #readWorkspace(): void {
    const length = this.#long();
    const known = this.#workspaceBytes;
    const end = this.#at + length;
    if (known.length !== length || this.#bytes.compare(known, 0, length, this.#at, end) !== 0) {
      this.#workspaceBytes = Buffer.from(this.#bytes.subarray(this.#at, end));
      this.workspace = this.#workspaceBytes.toString();
    }
    this.#at = end;
  }

  /** Zigzag varint. Arithmetic, not bit operations: times need 42 bits. */
  #long(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError('a record of events.merged ends early');
      if (byte < 0x80) {
        value += byte * factor;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      value += (byte - 0x80) * factor;
      factor *= 0x80;
    }
  }

  #text(): string {
    const length = this.#long();
    const start = this.#at;
    this.#at += length;
    return this.#bytes.toString('utf8', start, this.#at);
  }
  #textAt(at: number): string {
    this.#at = at;
    return this.#text();
  }
  #optionalText(): string | null {
    return this.#long() === 0 ? null : this.#text();
  }
  #skipText(): void {
    const length = this.#long();
    this.#at += length;
  }
  #skipOptionalText(): void {
    if (this.#long() !== 0) this.#skipText();
  }
}

function pick<T>(symbols: readonly (T | undefined)[], index: number): T {
  const symbol = symbols[index];
  if (symbol === undefined) throw new RangeError(`no symbol ${String(index)} in a record of events.merged`);
  return symbol;
}
