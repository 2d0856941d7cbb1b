/**
 * Every topic, declared once. No other file holds a topic's name as text.
 * Retention and partition counts follow the contract, *Topics*.
 */

const DAY_MS = 86_400_000;
/** Events wait 30 days at most; the log reaches one day further, so that expiry is ours and never the broker's. */
const LOG_RETENTION_MS = 31 * DAY_MS;

/** A process of ours, or `people`: whoever subscribes from outside, or looks by hand. */
export type Party = 'gateway' | 'merger' | 'identity' | 'trigger' | 'in-app' | 'sink' | 'people';

export interface TopicDeclaration {
  readonly name: string;
  /** What its records are keyed by, in words. */
  readonly key: string;
  readonly writers: readonly Party[];
  readonly readers: readonly Party[];
  /** `lanes`: the installation's partition count, equal on all co-partitioned topics. `one`: a single total order. */
  readonly partitions: 'lanes' | 'one';
  readonly kept: { readonly retentionMs: number } | 'forever' | 'compacted';
  /** Name of the Avro record in schemas/avro that values of this topic hold. */
  readonly record: string;
  /** Read by people outside the product: its fields are a contract. */
  readonly public: boolean;
}

type Declared = Pick<TopicDeclaration, 'name' | 'record' | 'key' | 'writers' | 'readers'> &
  Partial<TopicDeclaration>;

const topic = (declared: Declared): TopicDeclaration => ({
  kept: { retentionMs: LOG_RETENTION_MS },
  partitions: 'lanes',
  public: declared.readers.includes('people') && declared.name !== 'dead.letters',
  ...declared,
});

/** One record per batch of a task; nobody else reads it. */
const journal = (of: 'merger' | 'identity' | 'trigger' | 'in-app'): TopicDeclaration =>
  topic({
    name: `${of}.journal`,
    record: 'BatchRecord',
    key: 'task *i* writes partition *i*',
    writers: [of],
    readers: [of],
  });

export const topics = {
  eventsCollected: topic({
    name: 'events.collected',
    record: 'CollectedEvent',
    key: 'lane',
    writers: ['gateway'],
    readers: ['merger', 'in-app', 'sink'],
  }),
  identityRequests: topic({
    name: 'identity.requests',
    record: 'IdentityRequest',
    key: 'workspace',
    writers: ['merger', 'gateway'],
    readers: ['identity'],
  }),
  identityLog: topic({
    name: 'identity.log',
    record: 'IdentityFact',
    key: 'workspace',
    writers: ['identity'],
    readers: ['sink'],
    kept: 'forever',
  }),
  identityDecisions: topic({
    name: 'identity.decisions',
    record: 'IdentityDecision',
    key: 'lane, or one to every partition',
    writers: ['identity'],
    readers: ['merger', 'in-app', 'sink'],
    kept: 'forever',
  }),
  eventsMerged: topic({
    name: 'events.merged',
    record: 'MergedEvent',
    key: 'person',
    writers: ['merger', 'identity'],
    readers: ['trigger', 'in-app', 'sink', 'people'],
  }),
  segmentsChanged: topic({
    name: 'segments.changed',
    record: 'SegmentChange',
    key: 'person',
    writers: ['trigger'],
    readers: ['sink', 'people'],
    kept: 'forever',
  }),
  journeysEntered: topic({
    name: 'journeys.entered',
    record: 'JourneyEntry',
    key: 'person',
    writers: ['trigger'],
    readers: ['sink', 'people'],
    kept: 'forever',
  }),
  journeysSkipped: topic({
    name: 'journeys.skipped',
    record: 'JourneySkip',
    key: 'person',
    writers: ['trigger'],
    readers: ['sink', 'people'],
  }),
  peopleChanged: topic({
    name: 'people.changed',
    record: 'PersonChange',
    key: 'person and aspect (`graph` or `profile`)',
    writers: ['identity', 'trigger'],
    readers: ['sink', 'people'],
    kept: 'compacted',
  }),
  activitiesLogged: topic({
    name: 'activities.logged',
    record: 'Activity',
    key: 'person or lane',
    writers: ['merger', 'identity', 'trigger'],
    readers: ['sink'],
  }),
  eventsDropped: topic({
    name: 'events.dropped',
    record: 'DroppedEvent',
    key: 'key of what was dropped',
    writers: ['gateway', 'merger', 'identity', 'trigger', 'in-app', 'sink'],
    readers: ['sink'],
  }),
  definitions: topic({
    name: 'definitions',
    record: 'Definition',
    key: 'kind and id',
    writers: ['gateway'],
    readers: ['gateway', 'merger', 'identity', 'trigger', 'in-app'],
    kept: 'forever',
    partitions: 'one',
  }),
  keysChanged: topic({
    name: 'keys.changed',
    record: 'KeyChange',
    key: 'key id and kind of change',
    writers: ['gateway'],
    readers: ['gateway'],
    kept: 'compacted',
    partitions: 'one',
  }),
  tablesChanged: topic({
    name: 'tables.changed',
    record: 'TableRow',
    key: 'workspace, table and row',
    writers: ['gateway'],
    readers: ['gateway', 'in-app'],
    kept: 'compacted',
    partitions: 'one',
  }),
  mergerJournal: journal('merger'),
  identityJournal: journal('identity'),
  triggerJournal: journal('trigger'),
  triggerTransfers: topic({
    name: 'trigger.transfers',
    record: 'Transfer',
    key: 'person',
    writers: ['trigger'],
    readers: ['trigger'],
  }),
  inAppRequests: topic({
    name: 'in-app.requests',
    record: 'InAppRequest',
    key: 'lane',
    writers: ['gateway'],
    readers: ['in-app'],
  }),
  inAppAnswers: topic({
    name: 'in-app.answers',
    record: 'InAppAnswer',
    key: 'lane',
    writers: ['in-app'],
    readers: ['gateway'],
    kept: { retentionMs: DAY_MS },
  }),
  inAppTransfers: topic({
    name: 'in-app.transfers',
    record: 'InAppTransfer',
    key: 'person',
    writers: ['in-app'],
    readers: ['in-app'],
  }),
  inAppJournal: journal('in-app'),
  messagesLogged: topic({
    name: 'messages.logged',
    record: 'MessageEvent',
    key: 'lane, or person',
    writers: ['in-app'],
    readers: ['sink', 'people'],
    kept: 'forever',
  }),
  deadLetters: topic({
    name: 'dead.letters',
    record: 'DeadLetter',
    key: 'key of the record',
    writers: ['merger', 'identity', 'trigger', 'in-app', 'sink'],
    readers: ['people'],
  }),
} as const satisfies Record<string, TopicDeclaration>;

export type TopicId = keyof typeof topics;
export const topicIds = Object.keys(topics) as TopicId[];

/** Partitions of the embedded installation. An installation on many machines uses 64. */
export const EMBEDDED_PARTITIONS = 8;
