/** The record of each topic, as a type; schemas/topics.ts says the same as text, which topic-records.test.ts compares. */
import type { RecordName } from '../../schemas/codec.ts';
import type { TopicId } from '../../schemas/topics.ts';

export const topicRecords = {
  eventsCollected: 'CollectedEvent',
  identityRequests: 'IdentityRequest',
  identityLog: 'IdentityFact',
  identityDecisions: 'IdentityDecision',
  eventsMerged: 'MergedEvent',
  segmentsChanged: 'SegmentChange',
  journeysEntered: 'JourneyEntry',
  journeysSkipped: 'JourneySkip',
  peopleChanged: 'PersonChange',
  activitiesLogged: 'Activity',
  eventsDropped: 'DroppedEvent',
  definitions: 'Definition',
  keysChanged: 'KeyChange',
  tablesChanged: 'TableRow',
  mergerJournal: 'BatchRecord',
  identityJournal: 'BatchRecord',
  triggerJournal: 'BatchRecord',
  triggerTransfers: 'Transfer',
  inAppRequests: 'InAppRequest',
  inAppAnswers: 'InAppAnswer',
  inAppTransfers: 'InAppTransfer',
  inAppJournal: 'BatchRecord',
  messagesLogged: 'MessageEvent',
  deadLetters: 'DeadLetter',
} as const satisfies Record<TopicId, RecordName>;

export type TopicRecords = typeof topicRecords;
