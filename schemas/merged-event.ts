/**
 * The one maker of records for events.merged: fields that a kind of record does not use are as the schema says. The
 * merger's events are spliced from bytes instead (services/merger/records/merged-bytes.ts), to the same effect.
 */
import type { MergedEvent } from './records.ts';

type Named = Pick<MergedEvent, 'kind' | 'workspace' | 'person_id' | 'merged_at'>;

/** Field by field, as in identity-request.ts. */
export function mergedEvent(fields: Named & Partial<MergedEvent>): MergedEvent {
  return {
    kind: fields.kind,
    workspace: fields.workspace,
    person_id: fields.person_id,
    merged_at: fields.merged_at,
    previously_anonymous: fields.previously_anonymous ?? false,
    source_partition: fields.source_partition ?? null,
    other_person_id: fields.other_person_id ?? null,
    fact_number: fields.fact_number ?? null,
    known_as_of: fields.known_as_of ?? null,
    known_id: fields.known_id ?? null,
    known_email: fields.known_email ?? null,
    decided_as_of: fields.decided_as_of ?? 0,
    event: fields.event ?? null,
  };
}

/**
 * Every lane of a partition of events.collected has been handled up to this time, ms. With a workspace: that one's, which
 * is behind. The next of all (workspace '') of the same partition follows: it speaks of whom it was not said before it.
 */
export function watermarkRecord(partition: number, handledTime: number, workspace = ''): MergedEvent {
  return mergedEvent({
    kind: 'watermark',
    workspace,
    person_id: '',
    merged_at: handledTime,
    source_partition: partition,
  });
}
