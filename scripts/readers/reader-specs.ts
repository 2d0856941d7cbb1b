/** Which fields of which records are read where they lie, and how: what scripts/generate-readers.ts makes classes of. */
import type { RecordName } from '../../schemas/codec.ts';

/**
 * - `value`: read at once: a number, a boolean, a text; null where the schema allows it.
 * - `index`: an enum's index, which must stand for a symbol.
 * - `symbol`: an enum's symbol.
 * - `span`: where the text lies.
 * - `place`: found at once, made a string when it is asked for.
 * - `same`: a text that is mostly the one of the record before.
 */
export type FieldUse = 'value' | 'index' | 'symbol' | 'span' | 'place' | 'same';

export interface ReaderSpec {
  readonly file: string;
  readonly className: string;
  readonly record: RecordName;
  /** As a heading comment. */
  readonly about: string;
  /** What the record is called where a person reads of its fault. */
  readonly called: string;
  /** Whether a value that is no record of the schema is answered by false, or by a RangeError. */
  readonly refusal: 'false' | 'throws';
  /** By the path from the record: `event.name`. What is not named is gone over. */
  readonly uses: Readonly<Record<string, FieldUse>>;
  /** By the path: symbols that no record of the stream may have. */
  readonly without: Readonly<Record<string, readonly string[]>>;
  /** Methods that read further fields, behind the last of `uses`, when they are asked; they give the schema's names. */
  readonly later: Readonly<Record<string, readonly string[]>>;
}

export const readerSpecs: readonly ReaderSpec[] = [
  {
    file: 'schemas/in-place/collected-routing.ts',
    className: 'CollectedRouting',
    record: 'CollectedEvent',
    about: 'The routing fields of a collected event.',
    called: 'events.collected',
    refusal: 'false',
    uses: {
      received_at: 'value',
      type: 'index',
      identifier_kind: 'index',
      identifier: 'span',
      anonymous_id: 'span',
      message_id: 'span',
      timestamp: 'value',
      workspace: 'span',
    },
    without: {},
    later: {
      identifyValues: ['id', 'email', 'cio_id', 'update_only'],
      markerValues: ['name'],
      waitingValues: ['waits'],
    },
  },
  {
    file: 'schemas/in-place/merged-fields.ts',
    className: 'MergedFields',
    record: 'MergedEvent',
    about: 'A record of a person’s stream: what routing and rules ask of most events.',
    called: 'events.merged',
    refusal: 'throws',
    uses: {
      kind: 'symbol',
      workspace: 'same',
      person_id: 'place',
      merged_at: 'value',
      previously_anonymous: 'value',
      source_partition: 'value',
      other_person_id: 'value',
      fact_number: 'value',
      known_as_of: 'value',
      known_id: 'place',
      known_email: 'place',
      'event.received_at': 'value',
      'event.type': 'symbol',
      'event.identifier_kind': 'symbol',
      'event.anonymous_id': 'place',
      'event.message_id': 'place',
      'event.timestamp': 'value',
      'event.name': 'value',
    },
    without: { 'event.type': ['marker', 'withdrawal', 'consent'] },
    later: {
      details: [
        'event.id',
        'event.email',
        'event.attributes_at',
        'event.properties',
        'event.context',
        'event.bot',
      ],
    },
  },
];
