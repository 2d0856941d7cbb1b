/** The trigger as the task shell runs it. */
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { shareOf } from '../runtime/task/share/share.ts';
import { TriggerProcessor } from './processor.ts';

/**
 * Of a workspace in a batch of one partition, whose people lie in all of them: together about a fifth of a second. What
 * is read at once of events that no rule asks about stays far below it.
 */
const unitsMax = 25_000;

export interface TriggerOptions {
  /** Told of each processor, so that answers find it; the one that is opened last has its partition. */
  readonly onOpened?: (partition: number, processor: TriggerProcessor) => void;
  /** There is a reader of the past. */
  readonly hasPasts?: boolean;
}

export function triggerServiceWith({ onOpened, hasPasts = false }: TriggerOptions): ServiceSpec {
  return {
    name: 'trigger',
    inputs: ['eventsMerged', 'triggerTransfers'],
    journal: 'triggerJournal',
    deciderVersion: 12,
    stores: {},
    share: shareOf(unitsMax),
    open: (partition, partitions, stores, codecs) => {
      const processor = new TriggerProcessor({
        ...{ partition, partitions, store: stores.keyed, codecs, hasPasts },
      });
      onOpened?.(partition, processor);
      return processor;
    },
  };
}

export const triggerService: ServiceSpec = triggerServiceWith({});
