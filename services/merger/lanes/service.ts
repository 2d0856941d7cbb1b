/** The merger's lanes as the task shell runs them. */
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { duplicateEntriesMax, duplicatesMs, graceMs, holdMsMax, waitingMs } from './limits.ts';
import { LanesProcessor } from './processor.ts';

export const lanesService: ServiceSpec = {
  name: 'merger',
  inputs: ['eventsCollected', 'identityDecisions'],
  journal: 'mergerJournal',
  deciderVersion: 2,
  stores: {
    events: { retentionMs: waitingMs + graceMs + holdMsMax },
    duplicates: { windowMs: duplicatesMs, entriesMax: duplicateEntriesMax },
  },
  // A visitor who has just identified waits for both.
  urgent: ['identityRequests', 'identityDecisions'],
  watermarks: {
    encode: (partition, { time, offset }, codecs) => [
      {
        topic: 'identityRequests',
        value: codecs.IdentityRequest.encode({
          kind: 'watermark',
          workspace: '',
          received_at: time,
          lane: null,
          request_number: 0,
          source_partition: partition,
          source_offset: offset,
          positions: [],
          anonymous_id: null,
          identifier_kind: 'none',
          identifier: null,
          id: null,
          email: null,
          cio_id: null,
          update_only: false,
          message_id: '',
          other_kind: 'none',
          other: null,
          detail: null,
        }),
      },
      {
        topic: 'eventsMerged',
        value: codecs.MergedEvent.encode({
          kind: 'watermark',
          workspace: '',
          person_id: '',
          merged_at: time,
          previously_anonymous: false,
          source_partition: partition,
          other_person_id: null,
          fact_number: null,
          known_as_of: null,
          known_id: null,
          known_email: null,
          event: null,
        }),
      },
    ],
  },
  open: (partition, partitions, stores, codecs) =>
    new LanesProcessor({ partition, partitions }, stores, codecs),
};
