/** Identity as the shell runs it: who is whom, one writer a workspace. */
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { shareOf } from '../runtime/task/share/share.ts';
import { IdentityProcessor } from './processor.ts';

/** Of a workspace in a batch: all of its requests lie in one partition. About a tenth of a second. */
const unitsMax = 100_000;

export const identityService: ServiceSpec = {
  name: 'identity',
  inputs: ['identityRequests'],
  journal: 'identityJournal',
  deciderVersion: 10,
  stores: {},
  share: shareOf(unitsMax),
  // A lane that asks holds its visitor's events back until the answer is committed.
  urgent: ['identityDecisions'],
  open: (_partition, partitions, stores, codecs) => new IdentityProcessor(partitions, stores, codecs),
};
