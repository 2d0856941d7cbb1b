import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs } from '../../../schemas/codec.ts';
import { canonicalIdentifier, type Identifier } from '../../../schemas/lanes.ts';
import { assert } from '../../runtime/errors.ts';
import { twin, twinElsewhere, victim } from '../../testing/chosen-ids.ts';
import { collectedEvent } from '../../testing/collected-event.ts';
import { FolderDisks } from '../../testing/stores/folder-disks.ts';
import { MessageHash } from './message-hash.ts';
import { EventRouting } from './routing.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);
const TRIES = 100_000;
const codecs = localCodecs();
const disks = new FolderDisks();
afterAll(() => {
  disks.close();
});

interface Said {
  readonly lane: string;
  readonly identifier: Identifier | null;
  readonly messageId: string;
}

function hasher(): (said: Said) => string {
  const { events } = disks.fresh().open('partition', { events: { retentionMs: 1_000 } });
  assert(events !== undefined, 'the event store that was asked for is there');
  const [hash, routing] = [new MessageHash(), new EventRouting()];
  return ({ lane, identifier, messageId }) => {
    const event = collectedEvent({
      message_id: messageId,
      identifier_kind: identifier?.kind ?? 'none',
      identifier: identifier?.value ?? null,
    });
    const value = codecs.CollectedEvent.encode(event);
    assert(routing.read(value, 0, value.length), 'an encoded record can be read');
    const key = Buffer.from(lane);
    hash.of(events, events.lane(key, 0, key.length), routing);
    return `${String(hash.high)} ${String(hash.low)}`;
  };
}

/** Texts that are each other's beginnings, ends and neighbours, and random ones. */
const pieces = fc.array(
  fc.constantFrom('', 'a', 'b', 'A', ':', '\0', 'id:', 'email:a', 'aaaa', 'aaaaaaaa', 'é'),
  { maxLength: 4 },
);
const text = fc.oneof(
  pieces.map((each) => each.join('')),
  fc.string({ maxLength: 40 }),
);
const said: fc.Arbitrary<Said> = fc.record({
  lane: fc.oneof(
    fc.constantFrom(
      `default:a:${victim}`,
      `default:a:${twin}`,
      `${twinElsewhere.workspace}:a:${twinElsewhere.anonymousId}`,
    ),
    text.map((each) => `default:a:${each}`),
  ),
  identifier: fc.option(
    fc.record({ kind: fc.constantFrom('id' as const, 'email' as const, 'cio_id' as const), value: text }),
  ),
  messageId: text,
});

describe('the hash of a message', () => {
  test('is the same for two that say the same, and for no two others of very many', () => {
    const hashOf = hasher();
    const found = new Map<string, string>();
    for (const each of fc.sample(said, { numRuns: TRIES, seed: SEED })) {
      const { lane, identifier, messageId } = each;
      const words = JSON.stringify([lane, identifier && canonicalIdentifier(identifier), messageId]);
      const hash = hashOf(each);
      const before = found.get(hash);
      if (before !== undefined && before !== words) {
        throw new Error(`TEST_SEED=${String(SEED)}: ${before} and ${words} have one hash`);
      }
      found.set(hash, words);
    }
    expect(new Set(found.values()).size).toBe(found.size);
    expect(found.size).toBeGreaterThan(TRIES / 4);
  });

  test('goes on from no lane’s bits that another has: one message id in lanes that were computed to be alike', () => {
    const hashOf = hasher();
    const lanes = [`default:a:${victim}`, `default:a:${twin}`, `evil:a:${twinElsewhere.anonymousId}`];
    const hashes = lanes.map((lane) => hashOf({ lane, identifier: null, messageId: 'm' }));
    expect(new Set(hashes).size).toBe(3);
  });

  test('tells a text in the identifier from the same text in the message id', () => {
    const hashOf = hasher();
    const lane = 'default:a:x';
    const all: Said[] = [
      { lane, identifier: null, messageId: 'id:ab' },
      { lane, identifier: { kind: 'id', value: '' }, messageId: 'ab' },
      { lane, identifier: { kind: 'id', value: 'a' }, messageId: 'b' },
      { lane, identifier: { kind: 'id', value: 'ab' }, messageId: '' },
    ];
    expect(new Set(all.map(hashOf)).size).toBe(all.length);
  });

  test('depends on the secret of the partition', () => {
    const one: Said = { lane: 'default:a:x', identifier: null, messageId: 'm' };
    expect(hasher()(one)).not.toBe(hasher()(one));
  });
});
