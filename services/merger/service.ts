/** The merger's lanes as the task shell runs them. */
import { holdMsMax } from '../../schemas/hold.ts';
import { watermarkRequest } from '../../schemas/identity-request.ts';
import { watermarkRecord } from '../../schemas/merged-event.ts';
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { costlyLetters } from '../runtime/task/share/letter-pace.ts';
import { shareOf } from '../runtime/task/share/share.ts';
import { duplicateEntriesMax, duplicatesMs, graceMs, waitingMs } from './decide/limits.ts';
import { LanesProcessor } from './processor.ts';

/**
 * Of a workspace in a batch of one partition: about a quarter of a second. A batch of events that nobody is known by stays
 * below it; identifies and repeats, each of which is answered with a record, do not.
 */
const unitsMax = 250_000;

export const lanesService: ServiceSpec = {
  name: 'merger',
  inputs: ['eventsCollected', 'identityDecisions'],
  journal: 'mergerJournal',
  deciderVersion: 10,
  // Answers never wait: they are what makes room.
  share: shareOf(unitsMax, { letters: costlyLetters, topics: ['eventsCollected'] }),
  stores: {
    events: { retentionMs: waitingMs + graceMs + holdMsMax },
    duplicates: { windowMs: duplicatesMs, lateMs: holdMsMax, entriesMax: duplicateEntriesMax },
  },
  // A visitor who has just identified waits for both.
  urgent: ['identityRequests', 'identityDecisions'],
  watermarks: {
    encode: (partition, handled, codecs) => [
      {
        topic: 'identityRequests',
        value: codecs.IdentityRequest.encode(watermarkRequest(partition, handled)),
      },
      ...[...handled.behind, ['', handled.time] as const].map(([workspace, time]) => ({
        topic: 'eventsMerged' as const,
        value: codecs.MergedEvent.encode(watermarkRecord(partition, time, workspace)),
      })),
    ],
  },
  open: (partition, partitions, stores, codecs) =>
    new LanesProcessor({ partition, partitions }, stores, codecs),
};
