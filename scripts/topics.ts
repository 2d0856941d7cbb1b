/** Creates the topics of schemas/topics.ts on KAFKA_BROKERS; what is there already is compared. `npm start` does it, too. */
import { argv, env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { readConfig, sharedFields } from '../services/runtime/config.ts';
import { openLog } from '../services/runtime/log/open-log.ts';

export interface TopicsOptions {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly partitions: number;
}

/** @returns the names of those that were missing. */
export async function createTopics({
  brokers,
  prefix,
  partitions,
}: TopicsOptions): Promise<readonly string[]> {
  const log = await openLog({ brokers, clientId: 'hindsight-topics', prefix });
  try {
    const { created } = await log.admin.createTopics(partitions);
    return created;
  } finally {
    await log.close();
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { brokers, prefix, partitions } = sharedFields;
  const created = await createTopics(readConfig(env, { brokers, prefix, partitions }));
  console.log(created.length === 0 ? 'every topic was there' : `created ${created.join(', ')}`);
}
