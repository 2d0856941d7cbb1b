/**
 * MergedEvent values of kind `event` without decoding the event: an Avro record is its fields one after another, so
 * our own fields are written and the collected record's bytes appended as they were read. A release writes the same
 * fields before each of its events, so they are written once and kept where they are.
 */
import { WIRE_HEADER_BYTES, type Codecs } from '../../../schemas/codec.ts';
import type { PersonId, Workspace } from '../../../schemas/ids.ts';
import type { KnownIdentifiers } from '../decide/known-identifiers.ts';
import type { EventRouting } from './routing.ts';

export interface MergedHeader {
  readonly personId: PersonId;
  readonly mergedAt: number;
  readonly previouslyAnonymous: boolean;
  readonly asOf: number;
  /** Absent: identity was not asked about this event. */
  readonly known?: KnownIdentifiers | undefined;
}

const KIND_EVENT = 0;
const NULL_BRANCH = 0;
const VALUE_BRANCH = 2; // index 1, zigzag
/** Header, kind, merged_at, known_as_of, decided_as_of, flag and branches; texts come on top. */
const FIXED_BYTES_MAX = WIRE_HEADER_BYTES + 60;

export class MergedBytes {
  readonly #schemaId: number;
  #scratch = Buffer.allocUnsafeSlow(64 << 10);
  #at = 0;
  /** What stands in the scratch before the event: written for this workspace and this header. */
  #fieldsEnd = 0;
  #workspace = '';
  #header: MergedHeader | undefined;

  constructor(codecs: Codecs) {
    this.#schemaId = codecs.MergedEvent.schemaId;
  }

  /** A view that the next call overwrites. The event must be written with this process's schema. */
  of(event: EventRouting, workspace: Workspace, header: MergedHeader): Buffer {
    if (!this.#isWritten(workspace, header)) this.#write(workspace, header);
    const { bytes, body, end } = event;
    const from = this.#fieldsEnd;
    const length = from + end - body;
    this.#room(length);
    this.#scratch.set(bytes.subarray(body, end), from);
    return this.#scratch.subarray(0, length);
  }

  #isWritten(workspace: Workspace, header: MergedHeader): boolean {
    const last = this.#header;
    return (
      last !== undefined &&
      header.personId === last.personId &&
      header.mergedAt === last.mergedAt &&
      header.previouslyAnonymous === last.previouslyAnonymous &&
      header.asOf === last.asOf &&
      header.known === last.known &&
      workspace === this.#workspace
    );
  }

  #write(workspace: Workspace, header: MergedHeader): void {
    const { personId, mergedAt, previouslyAnonymous, asOf, known } = header;
    const knownChars = (known?.id?.length ?? 0) + (known?.email?.length ?? 0);
    this.#at = 0;
    this.#room(FIXED_BYTES_MAX + 3 * (workspace.length + personId.length + knownChars));
    const out = this.#scratch;
    out[0] = 0;
    out.writeUInt32BE(this.#schemaId, 1);
    out[WIRE_HEADER_BYTES] = KIND_EVENT;
    this.#at = WIRE_HEADER_BYTES + 1;
    this.#text(workspace);
    this.#text(personId);
    this.#long(mergedAt);
    out[this.#at] = previouslyAnonymous ? 1 : 0;
    out[this.#at + 1] = NULL_BRANCH; // source_partition
    out[this.#at + 2] = NULL_BRANCH; // other_person_id
    out[this.#at + 3] = NULL_BRANCH; // fact_number
    this.#at += 4;
    if (known === undefined) {
      out.fill(NULL_BRANCH, this.#at, this.#at + 3);
      this.#at += 3;
    } else this.#writeKnown(known);
    this.#long(asOf); // decided_as_of
    out[this.#at] = VALUE_BRANCH; // event
    this.#fieldsEnd = this.#at + 1;
    this.#workspace = workspace;
    this.#header = header;
  }

  /** The fields stay where they are when the scratch grows. */
  #room(bytes: number): void {
    if (this.#scratch.length >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(bytes * 2);
    larger.set(this.#scratch.subarray(0, this.#fieldsEnd));
    this.#scratch = larger;
  }

  #writeKnown({ asOf, id, email }: KnownIdentifiers): void {
    this.#scratch[this.#at] = VALUE_BRANCH;
    this.#at += 1;
    this.#long(asOf);
    for (const text of [id, email]) {
      this.#scratch[this.#at] = text === null ? NULL_BRANCH : VALUE_BRANCH;
      this.#at += 1;
      if (text !== null) this.#text(text);
    }
  }

  #text(text: string): void {
    this.#long(Buffer.byteLength(text));
    this.#at += this.#scratch.write(text, this.#at);
  }

  /** Zigzag varint of an integer that a double holds exactly. */
  #long(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest >= 128) {
      this.#scratch[this.#at] = (rest % 128) + 128;
      this.#at += 1;
      rest = Math.floor(rest / 128);
    }
    this.#scratch[this.#at] = rest;
    this.#at += 1;
  }
}
