/** A world whose trigger takes what was before a rule from a reader of the past, which the test plays. */
import type { TriggerProcessor } from '../../trigger/processor.ts';
import { triggerServiceWith } from '../../trigger/service.ts';
import { World } from './trigger-world.ts';

/** @param processors by partition; kept up to date as partitions are opened again. */
export function worldWithPasts(processors: Map<number, TriggerProcessor>): World {
  return new World(
    () => undefined,
    () =>
      triggerServiceWith({
        hasPasts: true,
        onOpened: (partition, processor) => processors.set(partition, processor),
      }),
  );
}
