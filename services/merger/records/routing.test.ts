import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs } from '../../../schemas/codec.ts';
import { InexactNumberError } from '../../../schemas/exact-long.ts';
import { mergedEvent } from '../../../schemas/merged-event.ts';
import type { CollectedEvent } from '../../../schemas/records.ts';
import { MergedBytes, type MergedHeader } from './merged-bytes.ts';
import type { PersonId, Workspace } from '../../../schemas/ids.ts';
import { EventRouting, IDENTIFY } from './routing.ts';

const codecs = localCodecs();

const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 60 }));
const optional = fc.option(text, { nil: null });
const time = fc.oneof(
  fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 }),
  fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 2 }),
  fc.integer({ min: -200, max: 300_000_000 }),
);
const collected: fc.Arbitrary<CollectedEvent> = fc.record({
  received_at: time,
  type: fc.constantFrom('event' as const, 'page' as const, 'screen' as const, 'identify' as const),
  identifier_kind: fc.constantFrom('none' as const, 'id' as const, 'email' as const, 'cio_id' as const),
  identifier: optional,
  anonymous_id: optional,
  message_id: text,
  timestamp: time,
  workspace: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  source: text,
  name: optional,
  id: optional,
  email: optional,
  cio_id: optional,
  update_only: fc.boolean(),
  bot: fc.boolean(),
  waits: fc.boolean(),
  attributes_at: fc.option(time, { nil: null }),
  properties: fc.option(fc.json(), { nil: null }),
  context: optional,
});

const headers: fc.Arbitrary<MergedHeader> = fc.record({
  personId: text.map((person) => person as PersonId),
  mergedAt: fc.nat(2 ** 45),
  previouslyAnonymous: fc.boolean(),
  asOf: fc.nat(2 ** 50),
  known: fc.option(fc.record({ asOf: fc.nat(2 ** 50), id: optional, email: optional }), { nil: undefined }),
});

describe('reading an event in place', () => {
  test('gives what the schema gives, wherever the bytes lie', () => {
    const routing = new EventRouting();
    fc.assert(
      fc.property(collected, fc.nat(20), (event, at) => {
        const value = codecs.CollectedEvent.encode(event);
        const bytes = Buffer.concat([Buffer.alloc(at, 7), value, Buffer.from('behind')]);
        expect(routing.read(bytes, at, at + value.length)).toBe(true);
        const decoded = codecs.CollectedEvent.decode(value); // lone surrogates become U+FFFD on the way
        expect({
          received_at: routing.receivedAt,
          timestamp: routing.timestamp,
          identify: routing.type === IDENTIFY,
          anonymous_id: routing.textOrNull(routing.anonymousId),
          message_id: routing.text(routing.messageId),
          workspace: routing.text(routing.workspace),
          named: routing.named(),
        }).toEqual({
          received_at: decoded.received_at,
          timestamp: decoded.timestamp,
          identify: decoded.type === 'identify',
          anonymous_id: decoded.anonymous_id,
          message_id: decoded.message_id,
          workspace: decoded.workspace,
          named:
            decoded.identifier === null || decoded.identifier_kind === 'none'
              ? null
              : { kind: decoded.identifier_kind, value: decoded.identifier },
        });
        const { id, email, cio_id: cioId, update_only: updateOnly } = decoded;
        expect(routing.identifyFields()).toEqual({ id, email, cioId, updateOnly });
      }),
      { numRuns: 500 },
    );
  });

  test('refuses a value that ends within the routing fields', () => {
    const routing = new EventRouting();
    fc.assert(
      fc.property(collected, (event) => {
        const value = codecs.CollectedEvent.encode(event);
        routing.read(value, 0, value.length);
        const needed = routing.workspace.end;
        for (let end = 0; end < needed; end += 1) {
          expect(routing.read(value.subarray(0, end), 0, end)).toBe(false);
          expect(routing.read(value, 0, end)).toBe(false);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('refuses one whose time is beyond what a number holds exactly, as the schema does', () => {
    const routing = new EventRouting();
    const [event] = fc.sample(collected, { numRuns: 1, seed: 1 });
    if (event === undefined) throw new Error('fast-check gives a sample');
    const greatest = codecs.CollectedEvent.encode({ ...event, received_at: 2 ** 53 - 2 }).toString('hex');
    const refused = ['8080808080808020', '8180808080808020', 'feffffffffffffffff01', 'ffffffffffffffffff01'];
    const exact = [
      ['fcffffffffffff1f', 2 ** 53 - 2],
      ['feffffffffffff1f', 2 ** 53 - 1],
      ['ffffffffffffff1f', -(2 ** 53)],
    ] as const;
    const withTime = (varint: string): Buffer =>
      Buffer.from(greatest.replace('fcffffffffffff1f', varint), 'hex');
    for (const [varint, time] of exact) {
      const value = withTime(varint);
      expect(routing.read(value, 0, value.length)).toBe(true);
      expect([routing.receivedAt, codecs.CollectedEvent.decode(value).received_at]).toEqual([time, time]);
    }
    for (const varint of refused) {
      const value = withTime(varint);
      expect(routing.read(value, 0, value.length)).toBe(false);
      expect(() => codecs.CollectedEvent.decode(value)).toThrow(InexactNumberError);
    }
  });

  test('survives any bytes', () => {
    const routing = new EventRouting();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const value = Buffer.from(bytes);
        if (routing.read(value, 0, value.length))
          expect(routing.workspace.end).toBeLessThanOrEqual(value.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a merged event', () => {
  test('spliced from bytes is what the schema would encode, also in a run of one header', () => {
    const routing = new EventRouting();
    const merged = new MergedBytes(codecs);
    const runs = fc.array(collected, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(runs, fc.uniqueArray(headers, { minLength: 1, maxLength: 2 }), (events, mixed) => {
        for (const header of mixed)
          for (const each of events) {
            const event = { ...each, workspace: events[0]?.workspace ?? '' };
            const value = codecs.CollectedEvent.encode(event);
            routing.read(value, 0, value.length);
            const { personId: person, mergedAt, previouslyAnonymous: once, asOf, known } = header;
            const spliced = merged.of(routing, event.workspace as Workspace, header);
            const whole = mergedEvent({
              kind: 'event',
              workspace: event.workspace,
              person_id: person,
              merged_at: mergedAt,
              previously_anonymous: once,
              known_as_of: known?.asOf ?? null,
              known_id: known?.id ?? null,
              known_email: known?.email ?? null,
              decided_as_of: asOf,
              event,
            });
            expect(spliced.equals(codecs.MergedEvent.encode(whole))).toBe(true);
          }
      }),
      { numRuns: 300 },
    );
  });

  test('of 100 kB properties fits', () => {
    const routing = new EventRouting();
    const properties = JSON.stringify({ text: 'x'.repeat(99_000) });
    const event = fc.sample(collected, { numRuns: 1, seed: 1 })[0];
    if (event === undefined) throw new Error('fast-check gives a sample');
    const value = codecs.CollectedEvent.encode({ ...event, properties });
    routing.read(value, 0, value.length);
    const spliced = new MergedBytes(codecs).of(routing, 'shop' as Workspace, {
      personId: 'cio_a' as PersonId,
      mergedAt: 5,
      previouslyAnonymous: true,
      asOf: 1,
    });
    expect(codecs.MergedEvent.decode(spliced).event?.properties).toBe(properties);
  });
});
