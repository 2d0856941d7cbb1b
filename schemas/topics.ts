/**
 * Every topic, declared once. No other file holds a topic's name as text.
 * Retention and partition counts follow the contract, *Topics*.
 */

const DAY_MS = 86_400_000;
/** Events wait 30 days at most; the log reaches one day further, so that expiry is ours and never the broker's. */
const LOG_RETENTION_MS = 31 * DAY_MS;

export interface TopicDeclaration {
  readonly name: string;
  /** `lanes`: the installation's partition count, equal on all co-partitioned topics. `one`: a single total order. */
  readonly partitions: 'lanes' | 'one';
  readonly kept: { readonly retentionMs: number } | 'forever' | 'compacted';
  /** Name of the Avro record in schemas/avro that values of this topic hold. */
  readonly record: string;
  /** Read by people outside the product: its fields are a contract. */
  readonly public: boolean;
}

function topic(
  name: string,
  record: string,
  kept: TopicDeclaration['kept'] = { retentionMs: LOG_RETENTION_MS },
  rest: Partial<Pick<TopicDeclaration, 'partitions' | 'public'>> = {},
): TopicDeclaration {
  return { name, record, kept, partitions: 'lanes', public: false, ...rest };
}

export const topics = {
  eventsCollected: topic('events.collected', 'CollectedEvent'),
  identityRequests: topic('identity.requests', 'IdentityRequest'),
  identityLog: topic('identity.log', 'IdentityFact', 'forever'),
  identityDecisions: topic('identity.decisions', 'IdentityDecision', 'forever'),
  eventsMerged: topic('events.merged', 'MergedEvent', undefined, { public: true }),
  segmentsChanged: topic('segments.changed', 'SegmentChange', 'forever', { public: true }),
  journeysEntered: topic('journeys.entered', 'JourneyEntry', 'forever', { public: true }),
  peopleChanged: topic('people.changed', 'PersonChange', 'compacted', { public: true }),
  activitiesLogged: topic('activities.logged', 'Activity'),
  eventsDropped: topic('events.dropped', 'DroppedEvent'),
  definitions: topic('definitions', 'Definition', 'forever', { partitions: 'one' }),
  mergerJournal: topic('merger.journal', 'BatchRecord'),
  identityJournal: topic('identity.journal', 'BatchRecord'),
  triggerJournal: topic('trigger.journal', 'BatchRecord'),
  triggerTransfers: topic('trigger.transfers', 'Transfer'),
  deadLetters: topic('dead.letters', 'DeadLetter'),
} as const satisfies Record<string, TopicDeclaration>;

export type TopicId = keyof typeof topics;
export const topicIds = Object.keys(topics) as TopicId[];

/** Partitions of the embedded installation. An installation on many machines uses 64. */
export const EMBEDDED_PARTITIONS = 8;
