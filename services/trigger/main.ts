/** Starts the trigger: its tasks, and what the gateway asks about a person and a rule. */
import { readConfig, type Env } from '../runtime/config.ts';
import { runTaskService, taskFields, type RunningService } from '../runtime/task/run-service.ts';
import { Answers } from './answers.ts';
import { triggerServiceWith } from './service.ts';

export function run(env: Env): Promise<RunningService> {
  const { partitions } = readConfig(env, taskFields);
  const answers = new Answers(partitions);
  const spec = triggerServiceWith((partition, processor) => {
    answers.opened(partition, processor);
  });
  return runTaskService(spec, env, answers.actions);
}
