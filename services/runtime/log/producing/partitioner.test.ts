import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { murmur2, partitionOf } from '../../../../schemas/partitioner.ts';

const load = createRequire(import.meta.url);
const kafkajsMurmur2 = load('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number;
const kafkajsPartitioner = Partitioners.DefaultPartitioner();

test('the partitioner agrees with that of kafkajs, and so with every other client', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 1, max: 64 }), (array, partitions) => {
      const key = Buffer.from(array);
      expect(murmur2(key)).toBe(kafkajsMurmur2(key));
      const rest = { partitionErrorCode: 0, leader: 1, replicas: [1], isr: [1] };
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        ...rest,
      }));
      const expected = kafkajsPartitioner({ topic: 't', partitionMetadata, message: { key, value: null } });
      expect(partitionOf(key, partitions)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});
