import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodecs } from '../../schemas/codec.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import { runs } from '../testing/runs.ts';
import { PackedRecords } from './packed-records.ts';
import type { TakenRecord } from '../runtime/taken-records.ts';

const codec = localCodecs().CollectedEvent;
const workspace = toWorkspace('shop');

function all(packing: PackedRecords): TakenRecord[] {
  const records = packing.finish();
  return Array.from({ length: records?.count ?? 0 }, (_, index) => records?.at(index) as TakenRecord);
}

function packed(texts: readonly (readonly [key: string, properties: string])[]) {
  const records = new PackedRecords();
  for (const [key, properties] of texts) {
    const value = collectedEvent({ properties });
    records.add({ topic: 'eventsCollected', workspace, key, codec, value });
  }
  return all(records).map(({ key, value }) => [key.toString(), codec.decode(value).properties]);
}

test('each record has its own key and value, however long they and those before it are', () => {
  const long = fc.nat({ max: 300_000 }).map((length) => 'ß'.repeat(length));
  const text = fc.oneof({ weight: 4, arbitrary: fc.string({ unit: 'grapheme' }) }, long);
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 12 }), (texts) => {
      expect(packed(texts)).toEqual(texts);
    }),
    { numRuns: runs(40) },
  );
});

test('what one call has is its own when the next is written', () => {
  const pack = (key: string) => {
    const records = new PackedRecords();
    records.add({ topic: 'eventsCollected', workspace, key, codec, value: collectedEvent({}) });
    return all(records);
  };
  const first = pack('first');
  pack('later');
  expect(first.map(({ key }) => key.toString())).toEqual(['first']);
});
