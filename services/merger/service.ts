/** The merger's lanes as the task shell runs them. */
import { holdMsMax } from '../../schemas/hold.ts';
import { watermarkRequest } from '../../schemas/identity-request.ts';
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { duplicateEntriesMax, duplicatesMs, graceMs, waitingMs } from './decide/limits.ts';
import { LanesProcessor } from './processor.ts';

export const lanesService: ServiceSpec = {
  name: 'merger',
  inputs: ['eventsCollected', 'identityDecisions'],
  journal: 'mergerJournal',
  deciderVersion: 5,
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
        value: codecs.MergedEvent.encode({
          kind: 'watermark',
          workspace: '',
          person_id: '',
          merged_at: handled.time,
          previously_anonymous: false,
          source_partition: partition,
          other_person_id: null,
          fact_number: null,
          known_as_of: null,
          known_id: null,
          known_email: null,
          decided_as_of: 0,
          event: null,
        }),
      },
    ],
  },
  open: (partition, partitions, stores, codecs) =>
    new LanesProcessor({ partition, partitions }, stores, codecs),
};
