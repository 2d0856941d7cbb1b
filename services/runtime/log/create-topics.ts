/** Creates the topics of schemas/topics.ts on a cluster; those that are there already are compared. */
import { openLog } from './open-log.ts';
import type { CopiesWanted } from './ports.ts';

export interface TopicsOptions {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly partitions: number;
  readonly copies?: CopiesWanted;
}

/** @returns the names of those that were missing. */
export async function createTopics({
  brokers,
  prefix,
  partitions,
  copies,
}: TopicsOptions): Promise<readonly string[]> {
  const log = await openLog({ brokers, clientId: 'hindsight-topics', prefix });
  try {
    const { created } = await log.admin.createTopics(partitions, copies);
    return created;
  } finally {
    await log.close();
  }
}
