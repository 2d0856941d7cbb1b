/** The merger's lanes as the task shell runs them. */
import { holdMsMax } from '../../schemas/hold.ts';
import { watermarkRequest } from '../../schemas/identity-request.ts';
import { watermarkRecord } from '../../schemas/merged-event.ts';
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { duplicateEntriesMax, duplicatesMs, graceMs, waitingMs } from './decide/limits.ts';
import { LanesProcessor } from './processor.ts';

export const lanesService: ServiceSpec = {
  name: 'merger',
  inputs: ['eventsCollected', 'identityDecisions'],
  journal: 'mergerJournal',
  deciderVersion: 6,
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
      {
        topic: 'eventsMerged',
        value: codecs.MergedEvent.encode(watermarkRecord(partition, handled.time)),
      },
    ],
  },
  open: (partition, partitions, stores, codecs) =>
    new LanesProcessor({ partition, partitions }, stores, codecs),
};
