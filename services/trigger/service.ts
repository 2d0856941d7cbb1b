/** The trigger as the task shell runs it. */
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { TriggerProcessor } from './processor.ts';

export const triggerService: ServiceSpec = {
  name: 'trigger',
  inputs: ['eventsMerged', 'triggerTransfers'],
  journal: 'triggerJournal',
  deciderVersion: 4,
  stores: {},
  open: (_partition, partitions, stores, codecs) => new TriggerProcessor(partitions, stores.keyed, codecs),
};
