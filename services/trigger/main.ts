/** Starts the trigger. */
import type { Env } from '../runtime/config.ts';
import { runTaskService, type RunningService } from '../runtime/task/run-service.ts';
import { triggerService } from './service.ts';

export function run(env: Env): Promise<RunningService> {
  return runTaskService(triggerService, env);
}
