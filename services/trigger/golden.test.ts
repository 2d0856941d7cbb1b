/** Merged events of every version as the trigger reads them: in place, older ones after they were written anew. */
import { describe, expect, test } from '@jest/globals';
import type { CollectedEvent } from '../../schemas/records.ts';
import { goldenFiles, goldenName, GoldenLog } from '../testing/golden-records.ts';
import { MergedView } from './merged-view.ts';

/** What the merger keeps to itself. */
const ofNobody: ReadonlySet<string> = new Set(['marker', 'withdrawal', 'consent']);

describe.each(goldenFiles('MergedEvent').map((file) => [goldenName(file), file] as const))(
  '%s',
  (_, file) => {
    const log = new GoldenLog();
    const codec = log.codecs.MergedEvent;
    const cases = log.values(file).map((bytes, at) => [at, bytes, codec.decode(bytes)] as const);

    test.each(cases)('case %i is seen as what was written', (_at, bytes, { event, ...merged }) => {
      const view = new MergedView();
      const lying = { bytes: Buffer.concat([Buffer.from('before'), bytes]), start: 6, end: 6 + bytes.length };
      if (event !== null && ofNobody.has(event.type)) {
        expect(() => view.take(codec, lying)).toThrow('no symbol'); // no event of a person
        return;
      }
      view.take(codec, lying);
      expect({
        kind: view.kind,
        workspace: view.workspace,
        person_id: view.personId,
        merged_at: view.mergedAt,
        previously_anonymous: view.previouslyAnonymous,
        source_partition: view.sourcePartition,
        other_person_id: view.otherPersonId,
        fact_number: view.factNumber,
        known_as_of: view.knownAsOf,
        known_id: view.knownId,
        known_email: view.knownEmail,
        decided_as_of: merged.decided_as_of, // nothing here asks for it
        hasEvent: view.hasEvent,
      }).toEqual({ ...merged, hasEvent: event !== null });
      if (event === null) return;
      expect({
        received_at: view.receivedAt,
        type: view.type,
        identifier_kind: view.identifierKind,
        anonymous_id: view.anonymousId,
        message_id: view.messageId,
        timestamp: view.timestamp,
        name: view.name,
        ...view.details(),
        ...unasked(event),
      }).toEqual({ ...event });
    });
  },
);

/** What nothing here asks an event for. */
function unasked({ identifier, workspace, source, cio_id, update_only, waits }: CollectedEvent) {
  return { identifier, workspace, source, cio_id, update_only, waits };
}
