/** The trigger as the task shell runs it. */
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { shareOf } from '../runtime/task/share/share.ts';
import { TriggerProcessor } from './processor.ts';

/**
 * Of a workspace in a batch of one partition, whose people lie in all of them: together about a fifth of a second. What
 * is read at once of events that no rule asks about stays far below it.
 */
const unitsMax = 25_000;

export const triggerService: ServiceSpec = {
  name: 'trigger',
  inputs: ['eventsMerged', 'triggerTransfers'],
  journal: 'triggerJournal',
  deciderVersion: 5,
  stores: {},
  share: shareOf(unitsMax),
  open: (_partition, partitions, stores, codecs) => new TriggerProcessor(partitions, stores.keyed, codecs),
};
