/**
 * A record of a person’s stream: what routing and rules ask of most events.
 * Made from schemas/avro/MergedEvent.avsc and scripts/readers/reader-specs.ts by `npm run generate`. Do not edit.
 */
import { InPlaceReader, symbolAt } from './in-place-reader.ts';

const mergedKinds = ['event', 'watermark', 'absorb', 'absorbed', 'deleted', 'split', 'object'] as const;

const eventTypes = [
  'event',
  'page',
  'screen',
  'identify',
  undefined,
  'relate',
  'traits',
  'membership',
  undefined,
  undefined,
  'object',
] as const;

const identifierKinds = ['none', 'id', 'email', 'cio_id'] as const;

export class MergedFields extends InPlaceReader {
  kind: Exclude<(typeof mergedKinds)[number], undefined> = 'event';
  workspace = '';
  #personId = 0;
  mergedAt = 0;
  previouslyAnonymous = false;
  sourcePartition: number | null = null;
  otherPersonId: string | null = null;
  factNumber: number | null = null;
  knownAsOf: number | null = null;
  #knownId = 0;
  #knownEmail = 0;
  hasEvent = false;
  receivedAt = 0;
  type: Exclude<(typeof eventTypes)[number], undefined> = 'event';
  identifierKind: Exclude<(typeof identifierKinds)[number], undefined> = 'none';
  #anonymousId = 0;
  #messageId = 0;
  timestamp = 0;
  name: string | null = null;
  /** Where the fields begin that are read when they are asked for. */
  #later = 0;

  /** Reads the value in bytes[start, end), a record of this process's own schema. Throws RangeError when it is not one. */
  read(bytes: Buffer, start: number, end: number): void {
    this.begin(bytes, start, end);
    this.kind = symbolAt(mergedKinds, this.readLong(), 'events.merged');
    this.workspace = this.readSameText();
    this.#personId = this.at;
    this.skipText();
    this.mergedAt = this.readLong();
    this.previouslyAnonymous = this.readFlag();
    this.sourcePartition = this.readOptionalLong();
    this.otherPersonId = this.readOptionalText();
    this.factNumber = this.readOptionalLong();
    this.knownAsOf = this.readOptionalLong();
    this.#knownId = this.at;
    this.skipOptionalText();
    this.#knownEmail = this.at;
    this.skipOptionalText();
    this.skipLong(); // decided_as_of
    this.hasEvent = this.isThere();
    if (this.hasEvent) this.#readEvent();
    this.mustBeWhole('events.merged');
  }

  get personId(): string {
    return this.textAt(this.#personId);
  }
  get knownId(): string | null {
    return this.optionalTextAt(this.#knownId);
  }
  get knownEmail(): string | null {
    return this.optionalTextAt(this.#knownEmail);
  }
  get anonymousId(): string | null {
    return this.optionalTextAt(this.#anonymousId);
  }
  get messageId(): string {
    return this.textAt(this.#messageId);
  }
  #readEvent(): void {
    this.receivedAt = this.readLong();
    this.type = symbolAt(eventTypes, this.readLong(), 'events.merged');
    this.identifierKind = symbolAt(identifierKinds, this.readLong(), 'events.merged');
    this.skipOptionalText(); // identifier
    this.#anonymousId = this.at;
    this.skipOptionalText();
    this.#messageId = this.at;
    this.skipText();
    this.timestamp = this.readLong();
    this.skipText(); // workspace
    this.skipText(); // source
    this.name = this.readOptionalText();
    this.#later = this.at;
  }

  /** Of the record that was read last. Throws RangeError when it ends before these fields do. */
  details(): {
    readonly id: string | null;
    readonly email: string | null;
    readonly attributes_at: number | null;
    readonly properties: string | null;
    readonly context: string | null;
    readonly bot: boolean;
  } {
    this.at = this.#later;
    const id = this.readOptionalText();
    const email = this.readOptionalText();
    this.skipOptionalText(); // cio_id
    this.at += 1; // update_only
    const attributesAt = this.readOptionalLong();
    const properties = this.readOptionalText();
    const context = this.readOptionalText();
    const bot = this.readFlag();
    this.mustBeWhole('events.merged');
    return { id, email, attributes_at: attributesAt, properties, context, bot };
  }
}
