/**
 * The routing fields of a CollectedEvent, read in place: no string, no object, no copy. The Avro record starts with
 * them for this (contract, *The envelope*); a property test holds this reader against the schema.
 */
import { WIRE_HEADER_BYTES } from '../../../schemas/codec.ts';
import type { Identifier, IdentifierKind } from '../../../schemas/lanes.ts';

/** Indexes of EventType and IdentifierKind in schemas/avro/CollectedEvent.avsc. */
export const IDENTIFY = 3;
/** The place of a control call: nobody's event. */
export const MARKER = 4;
export const NOBODY = 0;
const kinds: readonly (IdentifierKind | null)[] = [null, 'id', 'email', 'cio_id'];
/** From here on types say something of a visitor or a person: they wait and go on like an event, and are none. */
const RELATE = 5;
/** membership, which comes from identity and not through lanes. */
const TYPE_MAX = 7;

/** An event that somebody did, and that is counted as such when it is merged. */
export function isCounted(type: number): boolean {
  return type < RELATE;
}

/** Where a text lies in `bytes`; start is -1 for null. */
export interface Span {
  start: number;
  end: number;
}

/** Further identifiers of an identify. */
export interface IdentifyFields {
  readonly id: string | null;
  readonly email: string | null;
  readonly cioId: string | null;
  readonly updateOnly: boolean;
}

const empty = Buffer.alloc(0);

/** One reader, used again for every record: copy what you keep. */
export class EventRouting {
  bytes: Buffer = empty;
  /** The value with its wire header. */
  start = 0;
  end = 0;
  receivedAt = 0;
  type = 0;
  kind = 0;
  timestamp = 0;
  readonly identifier: Span = { start: -1, end: -1 };
  readonly anonymousId: Span = { start: -1, end: -1 };
  readonly messageId: Span = { start: -1, end: -1 };
  readonly workspace: Span = { start: -1, end: -1 };
  #at = 0;

  /** Reads the value in bytes[start, end). False when it is not a record of the schema. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.#at = start + WIRE_HEADER_BYTES;
    this.receivedAt = this.#long();
    this.type = this.#long();
    this.kind = this.#long();
    this.#optional(this.identifier);
    this.#optional(this.anonymousId);
    this.#text(this.messageId);
    this.timestamp = this.#long();
    this.#text(this.workspace);
    return this.#at <= end && this.type >= 0 && this.type <= TYPE_MAX && kinds[this.kind] !== undefined;
  }

  get body(): number {
    return this.start + WIRE_HEADER_BYTES;
  }

  text(span: Span): string {
    return this.bytes.toString('utf8', span.start, span.end);
  }
  textOrNull(span: Span): string | null {
    return span.start < 0 ? null : this.text(span);
  }

  /** Whom the call names, as sent. */
  named(): Identifier | null {
    const kind = kinds[this.kind];
    if (kind === undefined || kind === null || this.identifier.start < 0) return null;
    return { kind, value: this.text(this.identifier) };
  }

  /** The fields behind the routing fields that an identify is decided by; right after `read`. */
  identifyFields(): IdentifyFields {
    this.#text(span); // source
    this.#optional(span); // name
    const [id, email, cioId] = [this.#optionalText(), this.#optionalText(), this.#optionalText()];
    return { id, email, cioId, updateOnly: this.bytes[this.#at] === 1 };
  }

  /** Which call a marker is of; right after `read`. */
  callOfMarker(): string | null {
    this.#text(span); // source
    this.#optional(span);
    return this.textOrNull(span);
  }

  #optionalText(): string | null {
    this.#optional(span);
    return this.textOrNull(span);
  }

  /** ["null", "string"]: a branch index of 0 or 1, zigzag. */
  #optional(into: Span): void {
    if (this.bytes[this.#at] === 2) {
      this.#at += 1;
      this.#text(into);
      return;
    }
    // Anything but branch 0 is no record of ours: past the end, so that read says so.
    this.#at += this.bytes[this.#at] === 0 ? 1 : this.end;
    into.start = -1;
    into.end = -1;
  }

  #text(into: Span): void {
    const length = this.#long();
    into.start = this.#at;
    this.#at += length >= 0 ? length : this.end + 1;
    into.end = this.#at;
  }

  /** A zigzag varint of at most 56 bits: times of 2,000,000 years; longer ones are no number that we can hold. */
  #long(): number {
    const bytes = this.bytes;
    let at = this.#at;
    let low = 0;
    let byte = 0;
    let shift = 0;
    do {
      byte = bytes[at] as number; // past the end it is undefined, which ends the loop
      at += 1;
      low |= (byte & 127) << shift;
      shift += 7;
    } while (byte >= 128 && shift < 28);
    if (!(byte >= 128)) {
      this.#at = at;
      return (low >>> 1) ^ -(low & 1);
    }
    let high = 0;
    shift = 0;
    do {
      byte = bytes[at] as number;
      at += 1;
      high |= (byte & 127) << shift;
      shift += 7;
    } while (byte >= 128 && shift < 28);
    this.#at = byte >= 128 ? at + this.end : at;
    const half = high * 2 ** 27 + (low >>> 1);
    return (low & 1) === 0 ? half : -half - 1;
  }
}

/** Scratch of identifyFields. */
const span: Span = { start: -1, end: -1 };
