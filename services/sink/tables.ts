/**
 * Which records of which topic become rows of which table. Field paths are those of schemas/avro; a column has the name of
 * its last part. Of the tables of one topic a record is a row of one at most.
 */
import type { RecordName } from '../../schemas/codec.ts';
import type { TopicId } from '../../schemas/topics.ts';

export interface TableSpec {
  readonly table: string;
  readonly topic: TopicId;
  readonly record: RecordName;
  /** Fields that become columns, in any order. */
  readonly fields: readonly string[];
  /** Fields that Avro lets be null and the table does not: a record without one is no row. */
  readonly required: readonly string[];
  /** Only records whose enum fields have one of these symbols are rows. */
  readonly only: Readonly<Record<string, readonly string[]>>;
  /** The table keeps the latest row of a key: writing a row again changes nothing, and older rows go away. */
  readonly keepsLatest: boolean;
}

function table(
  spec: Pick<TableSpec, 'table' | 'topic' | 'record'> &
    Partial<TableSpec> & { readonly fields: readonly string[] },
): TableSpec {
  return { required: [], only: {}, keepsLatest: false, ...spec };
}

const EVENTS = ['event', 'page', 'screen'];
const eventFields = [
  'received_at',
  'type',
  'anonymous_id',
  'message_id',
  'timestamp',
  'source',
  'name',
  'properties',
  'context',
  'bot',
];

export const tables: readonly TableSpec[] = [
  table({
    table: 'stored_merged',
    topic: 'eventsMerged',
    record: 'MergedEvent',
    fields: [
      ...['workspace', 'person_id', 'merged_at', 'previously_anonymous', 'decided_as_of'],
      ...[...eventFields, 'identifier_kind', 'identifier'].map((field) => `event.${field}`),
    ],
    only: { kind: ['event'], 'event.type': EVENTS },
  }),
  table({
    table: 'stored_identifies',
    topic: 'eventsMerged',
    record: 'MergedEvent',
    fields: [
      ...['workspace', 'person_id', 'merged_at', 'known_as_of', 'decided_as_of'],
      ...['received_at', 'timestamp', 'anonymous_id', 'message_id', 'identifier_kind', 'identifier'].map(
        (field) => `event.${field}`,
      ),
    ],
    required: ['known_as_of'], // a browser identifies on every page: only what identity was asked about says something new
    only: { kind: ['event'], 'event.type': ['identify'] },
  }),
  table({
    table: 'stored_collected',
    topic: 'eventsCollected',
    record: 'CollectedEvent',
    fields: ['workspace', ...eventFields],
    only: { identifier_kind: ['none'], type: EVENTS },
  }),
  table({
    table: 'stored_facts',
    topic: 'identityLog',
    record: 'IdentityFact',
    fields:
      'number workspace kind at person_id other_person_id identifier_kind identifier message_id detail'.split(
        ' ',
      ),
  }),
  table({
    table: 'stored_decisions',
    topic: 'identityDecisions',
    record: 'IdentityDecision',
    fields: 'kind workspace lane request_number person_id claimed_at reason'.split(' '),
    required: ['lane'], // those without one go to every partition and say what identity.log says
    only: { kind: ['granted', 'resolved', 'refused'] }, // the answer to a barrier says nothing of anybody
  }),
  table({
    table: 'stored_people',
    topic: 'peopleChanged',
    record: 'PersonChange',
    fields:
      'aspect workspace person_id at version state id email created_at first_seen_at attributes relationships'.split(
        ' ',
      ),
    keepsLatest: true,
  }),
  table({
    table: 'stored_segment_changes',
    topic: 'segmentsChanged',
    record: 'SegmentChange',
    fields: 'workspace segment_id person_id change at cause_message_id rule_version cause'.split(' '),
  }),
  table({
    table: 'stored_journey_entries',
    topic: 'journeysEntered',
    record: 'JourneyEntry',
    fields: 'workspace journey_id person_id entered_at trigger_message_id rule_version key evidence'.split(
      ' ',
    ),
  }),
  table({
    table: 'stored_journey_skips',
    topic: 'journeysSkipped',
    record: 'JourneySkip',
    fields: 'workspace journey_id person_id key at reason trigger_message_id rule_version detail'.split(' '),
  }),
  table({
    table: 'stored_message_events',
    topic: 'messagesLogged',
    record: 'MessageEvent',
    fields:
      'workspace message_id version variant anonymous_id person_id event reason action at exposure cause_message_id value currency'.split(
        ' ',
      ),
  }),
  table({
    table: 'stored_activities',
    topic: 'activitiesLogged',
    record: 'Activity',
    fields: 'workspace kind person_id anonymous_id timestamp processed_at message_id detail'.split(' '),
  }),
  table({
    table: 'stored_dropped',
    topic: 'eventsDropped',
    record: 'DroppedEvent',
    fields: 'workspace reason stage at message_id anonymous_id person_id detail'.split(' '),
  }),
];

/** Topics that the sink reads. */
export const sinkTopics: readonly TopicId[] = [...new Set(tables.map(({ topic }) => topic))];

/** Where a record came from; the last two columns of every table. */
export const PLACE_COLUMNS = ['_partition', '_offset'] as const;
