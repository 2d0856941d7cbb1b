/** Starts the service of on-site messages: its tasks, and what the gateway asks of their live view. */
import { readConfig, type Env } from '../runtime/config.ts';
import { runTaskService, taskFields, type RunningService } from '../runtime/task/run-service.ts';
import { Polls } from './polls.ts';
import { inAppServiceWith } from './service.ts';

export function run(env: Env): Promise<RunningService> {
  const { partitions } = readConfig(env, taskFields);
  const polls = new Polls(partitions);
  const spec = inAppServiceWith((partition, processor) => {
    polls.opened(partition, processor);
  });
  return runTaskService(spec, env, polls.actions);
}
