import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Workload } from '../workload.ts';
import { peerEventOf } from './peer-event.ts';
import { asCollected, peerValueOf } from './peer-record.ts';

/** SHA-256 of keys and values as the peer's Workload.java makes them of seed 1. */
const OF_THE_PEER = '512bafd4fcecbfe0fc72d3c173f7b3959a894fe603cdbcfd369d6691f2e61455';

test('the first 20,000 events are those of the generator of the peer, byte for byte', () => {
  const workload = new Workload(1);
  const hash = createHash('sha256');
  for (let i = 0; i < 20_000; i += 1) {
    const record = peerEventOf(workload.next());
    hash.update(record.anonymousId).update(peerValueOf(asCollected(record)));
  }
  expect(hash.digest('hex')).toBe(OF_THE_PEER);
});
