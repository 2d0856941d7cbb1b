/** Collected events of every version as lanes read them: in place, and spliced into merged ones. */
import { describe, expect, test } from '@jest/globals';
import type { PersonId, Workspace } from '../../../schemas/ids.ts';
import { goldenFiles, goldenName, GoldenLog } from '../../testing/golden-records.ts';
import { EventInHand } from './event-in-hand.ts';
import { MergedBytes } from './merged-bytes.ts';

/** Indexes of EventType, which routing.ts reads. */
const TYPES = 'event page screen identify marker relate traits membership withdrawal consent object'.split(
  ' ',
);
const header = { personId: 'cio_a' as PersonId, mergedAt: 5, previouslyAnonymous: true, asOf: 7 };

describe.each(goldenFiles('CollectedEvent').map((file) => [goldenName(file), file] as const))(
  '%s',
  (_, file) => {
    const log = new GoldenLog();
    const codec = log.codecs.CollectedEvent;
    const cases = log.values(file).map((bytes, at) => [at, bytes, codec.decode(bytes)] as const);

    test.each(cases)('case %i is routed by what was written', (at, bytes, event) => {
      const hand = new EventInHand(log.codecs);
      const lying = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('behind')]);
      expect(hand.take(lying, 6, 6 + bytes.length, at)).toBe(true);
      const { routing } = hand;
      expect({
        received_at: routing.receivedAt,
        type: TYPES[routing.type],
        named: routing.named(),
        anonymous_id: hand.anonymousId,
        message_id: hand.messageId,
        timestamp: routing.timestamp,
        workspace: hand.workspace,
      }).toEqual({
        received_at: event.received_at,
        type: event.type,
        named:
          event.identifier_kind === 'none' || event.identifier === null
            ? null
            : { kind: event.identifier_kind, value: event.identifier },
        anonymous_id: event.anonymous_id,
        message_id: event.message_id,
        timestamp: event.timestamp,
        workspace: event.workspace,
      });
      routing.read(routing.bytes, routing.start, routing.end);
      const { id, email, cio_id: cioId, update_only: updateOnly } = event;
      expect(routing.identifyFields()).toEqual({ id, email, cioId, updateOnly });
      routing.read(routing.bytes, routing.start, routing.end);
      expect(routing.callOfMarker()).toBe(event.name);
    });

    test.each(cases)(
      'case %i, spliced, is the merged event that the schema would write',
      (at, bytes, event) => {
        const hand = new EventInHand(log.codecs);
        hand.take(bytes, 0, bytes.length, at);
        const spliced = new MergedBytes(log.codecs).of(hand.routing, event.workspace as Workspace, header);
        const merged = log.codecs.MergedEvent.decode(spliced);
        expect(merged).toMatchObject({ kind: 'event', person_id: 'cio_a', merged_at: 5, decided_as_of: 7 });
        expect({ ...merged.event }).toEqual({ ...event });
        expect(spliced.equals(log.codecs.MergedEvent.encode(merged))).toBe(true);
      },
    );
  },
);
