/** Starts the service of on-site messages: its tasks, what the gateway asks of their live view, and the shops' tables. */
import { readConfig, type Env } from '../runtime/config.ts';
import { runTaskService, taskFields, type RunningService } from '../runtime/task/run-service.ts';
import { followTables } from './follow-tables.ts';
import { Polls } from './polls.ts';
import { inAppServiceWith } from './service.ts';

export async function run(env: Env): Promise<RunningService> {
  const config = readConfig(env, taskFields);
  const followed = await followTables(config);
  const polls = new Polls(config.partitions, followed.tables);
  const spec = inAppServiceWith((partition, processor) => {
    polls.opened(partition, processor);
  });
  const service = await runTaskService(spec, env, polls.actions);
  return {
    stop: async () => {
      await service.stop();
      await followed.close();
    },
  };
}
