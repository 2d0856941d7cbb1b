/**
 * Stores that are given up, and among them those that were found damaged while they were open: their folders are put
 * away, so that the next start finds a snapshot or nothing, and not the same again.
 */
import type { PartitionRunner } from '../partition-runner.ts';
import type { TaskPorts } from '../task-plan.ts';

/** Never rejects: what cannot be put away now is found damaged again. */
export async function giveUpStores(
  runners: readonly PartitionRunner[],
  { stores: folders, logger }: Pick<TaskPorts, 'stores' | 'logger'>,
): Promise<void> {
  for (const { stores } of runners) stores.close();
  for (const { partition, stores } of runners) {
    const { damage } = stores;
    if (damage === undefined || folders.setAside === undefined) continue;
    try {
      await folders.setAside(partition, damage);
    } catch (error) {
      logger.error({ partition, error }, 'could not set damaged state aside');
    }
  }
}
