/**
 * The routing fields of a collected event.
 * Made from schemas/avro/CollectedEvent.avsc and scripts/readers/reader-specs.ts by `npm run generate`. Do not edit.
 */
import { InPlaceReader, type Span } from './in-place-reader.ts';

export const eventTypes = [
  'event',
  'page',
  'screen',
  'identify',
  'marker',
  'relate',
  'traits',
  'membership',
  'withdrawal',
  'consent',
  'object',
] as const;

export const identifierKinds = ['none', 'id', 'email', 'cio_id'] as const;

export class CollectedRouting extends InPlaceReader {
  receivedAt = 0;
  /** Index of eventTypes. */
  type = 0;
  /** Index of identifierKinds. */
  identifierKind = 0;
  readonly identifier: Span = { start: -1, end: -1 };
  readonly anonymousId: Span = { start: -1, end: -1 };
  readonly messageId: Span = { start: -1, end: -1 };
  timestamp = 0;
  readonly workspace: Span = { start: -1, end: -1 };
  /** Where the fields begin that are read when they are asked for. */
  #later = 0;

  /** Reads the value in bytes[start, end), a record of this process's own schema. False when it is not one. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.begin(bytes, start, end);
    this.receivedAt = this.readLong();
    this.type = this.readLong();
    this.identifierKind = this.readLong();
    this.readOptionalSpan(this.identifier);
    this.readOptionalSpan(this.anonymousId);
    this.readSpan(this.messageId);
    this.timestamp = this.readLong();
    this.readSpan(this.workspace);
    this.#later = this.at;
    return (
      this.isWhole() &&
      this.type >= 0 &&
      this.type < 11 &&
      this.identifierKind >= 0 &&
      this.identifierKind < 4
    );
  }

  /** Of the record that was read last. Throws RangeError when it ends before these fields do. */
  identifyValues(): {
    readonly id: string | null;
    readonly email: string | null;
    readonly cio_id: string | null;
    readonly update_only: boolean;
  } {
    this.at = this.#later;
    this.skipText(); // source
    this.skipOptionalText(); // name
    const id = this.readOptionalText();
    const email = this.readOptionalText();
    const cioId = this.readOptionalText();
    const updateOnly = this.readFlag();
    this.mustBeWhole('events.collected');
    return { id, email, cio_id: cioId, update_only: updateOnly };
  }

  /** Of the record that was read last. Throws RangeError when it ends before these fields do. */
  markerValues(): { readonly name: string | null } {
    this.at = this.#later;
    this.skipText(); // source
    const name = this.readOptionalText();
    this.mustBeWhole('events.collected');
    return { name };
  }

  /** Of the record that was read last. Throws RangeError when it ends before these fields do. */
  waitingValues(): { readonly waits: boolean } {
    this.at = this.#later;
    this.skipText(); // source
    this.skipOptionalText(); // name
    this.skipOptionalText(); // id
    this.skipOptionalText(); // email
    this.skipOptionalText(); // cio_id
    this.at += 1; // update_only
    this.skipOptionalLong(); // attributes_at
    this.skipOptionalText(); // properties
    this.skipOptionalText(); // context
    this.at += 1; // bot
    const waits = this.readFlag();
    this.mustBeWhole('events.collected');
    return { waits };
  }
}
