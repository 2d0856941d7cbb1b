/** Identity as the shell runs it: who is whom, one writer a workspace. */
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { IdentityProcessor } from './processor.ts';

export const identityService: ServiceSpec = {
  name: 'identity',
  inputs: ['identityRequests'],
  journal: 'identityJournal',
  deciderVersion: 5,
  stores: {},
  // A lane that asks holds its visitor's events back until the answer is committed.
  urgent: ['identityDecisions'],
  open: (_partition, partitions, stores, codecs) => new IdentityProcessor(partitions, stores, codecs),
};
