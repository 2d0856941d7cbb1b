/** Of every record on every topic, aborted ones and markers included: two runs that differ in a byte differ here. */
import { createHash, type Hash } from 'node:crypto';
import { topicIds } from '../../../schemas/topics.ts';
import type { MemoryBroker, MemoryPartition } from '../memory/memory-broker.ts';

const DIGITS = 32;

export function hashOf(broker: MemoryBroker): string {
  const hash = createHash('sha256');
  for (const topic of topicIds) {
    for (const [partition, log] of broker.topic(topic).entries()) {
      addPartition(hash, `${topic} ${String(partition)}`, log);
    }
  }
  return hash.digest('hex').slice(0, DIGITS);
}

function addPartition(hash: Hash, place: string, { records }: MemoryPartition): void {
  for (const { offset, key, value, marker, transaction } of records) {
    hash.update(`${place} ${String(offset)} ${String(marker)} ${transaction?.state ?? ''} `);
    if (key !== null) hash.update(key);
    if (value !== null) hash.update(value);
  }
}
