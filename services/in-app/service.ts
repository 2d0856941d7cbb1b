/** On-site messages as the task shell runs them. */
import { holdMsMax } from '../../schemas/hold.ts';
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { costlyLetters } from '../runtime/task/share/letter-pace.ts';
import { shareOf } from '../runtime/task/share/share.ts';
import { InAppProcessor } from './processor.ts';

const DAY_MS = 86_400_000;
/** Hashes of message ids a partition, 10 to 13 bytes each; above it the oldest hours go first. */
export const duplicateEntriesMax = 4_000_000;

/**
 * Of a workspace in a batch of one partition, whose visitors lie in all of them: together less than half a second.
 * Polls of everybody wait while a batch is decided.
 */
const unitsMax = 50_000;

/** @param onOpened told of each processor, so that polls find it; the one that is opened last has its partition. */
export function inAppServiceWith(
  onOpened: (partition: number, processor: InAppProcessor) => void,
): ServiceSpec {
  return {
    name: 'in-app',
    inputs: ['eventsCollected', 'identityDecisions', 'eventsMerged', 'inAppTransfers', 'inAppRequests'],
    journal: 'inAppJournal',
    deciderVersion: 7,
    stores: {
      duplicates: { windowMs: DAY_MS + holdMsMax, lateMs: holdMsMax, entriesMax: duplicateEntriesMax },
    },
    share: shareOf(unitsMax, { letters: costlyLetters }),
    // A page waits for it with something to show.
    urgent: ['inAppAnswers'],
    open: (partition, _partitions, stores, codecs) => {
      const processor = new InAppProcessor(stores, codecs);
      onOpened(partition, processor);
      return processor;
    },
  };
}

export const inAppService: ServiceSpec = inAppServiceWith(() => undefined);
