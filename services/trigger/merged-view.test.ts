import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs, WIRE_HEADER_BYTES } from '../../schemas/codec.ts';
import type { MergedEvent } from '../../schemas/records.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import { MergedView } from './merged-view.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const optional = fc.option(text);
const time = fc.oneof(
  fc.integer({ min: -(2 ** 42), max: 2 ** 45 }),
  fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 2 }),
);
const event = fc.record({
  received_at: time,
  type: fc.constantFrom('event', 'page', 'screen', 'identify', 'relate', 'traits', 'membership'),
  identifier_kind: fc.constantFrom('none', 'id', 'email', 'cio_id'),
  identifier: optional,
  anonymous_id: optional,
  message_id: text,
  timestamp: time,
  name: optional,
  id: optional,
  email: optional,
  cio_id: optional,
  update_only: fc.boolean(),
  bot: fc.boolean(),
  attributes_at: fc.option(time),
  properties: optional,
  context: optional,
});
const merged = fc.record({
  kind: fc.constantFrom('event', 'watermark', 'absorb', 'absorbed', 'deleted', 'split'),
  workspace: text,
  person_id: text,
  merged_at: time,
  previously_anonymous: fc.boolean(),
  source_partition: fc.option(fc.integer({ min: 0, max: 1_000 })),
  other_person_id: optional,
  fact_number: fc.option(fc.nat()),
  known_as_of: fc.option(fc.nat()),
  decided_as_of: fc.nat(),
  known_id: optional,
  known_email: optional,
  event: fc.option(event.map(collectedEvent)),
});

describe('the view of a merged record', () => {
  test('refuses one that is cut short, also where what is asked for later is lost', () => {
    const codec = localCodecs().MergedEvent;
    const view = new MergedView();
    fc.assert(
      fc.property(merged, fc.nat(), (value: MergedEvent, at) => {
        const bytes = codec.encode(value);
        // The last byte of an event (`waits`) is nothing that anybody asks for.
        const asked = bytes.length - (value.event === null ? 0 : 1);
        const end = WIRE_HEADER_BYTES + (at % (asked - WIRE_HEADER_BYTES));
        expect(() => {
          view.read(bytes, 0, end);
          view.details();
        }).toThrow(RangeError);
      }),
    );
  });

  test('reads in place what the codec reads', () => {
    const codec = localCodecs().MergedEvent;
    const view = new MergedView();
    fc.assert(
      fc.property(merged, fc.nat({ max: 9 }), (value: MergedEvent, offset) => {
        const bytes = codec.encode(value);
        const lying = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.from('tail')]);
        view.read(lying, offset, offset + bytes.length);
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
          event: view.hasEvent,
          decided_as_of: value.decided_as_of, // nothing here asks for it
        }).toEqual({ ...value, event: value.event !== null });
        if (value.event === null) return;
        expect({
          received_at: view.receivedAt,
          type: view.type,
          identifier_kind: view.identifierKind,
          anonymous_id: view.anonymousId,
          message_id: view.messageId,
          timestamp: view.timestamp,
          name: view.name,
          ...view.details(),
        }).toEqual(
          Object.fromEntries(
            Object.entries(value.event).filter(
              ([key]) =>
                !['identifier', 'workspace', 'source', 'cio_id', 'update_only', 'waits'].includes(key),
            ),
          ),
        );
      }),
    );
  });
});
