/** Runs identity's tasks in this process. */
import type { Env } from '../runtime/config.ts';
import { runTaskService, type RunningService } from '../runtime/task/run-service.ts';
import { identityService } from './service.ts';

export function run(env: Env): Promise<RunningService> {
  return runTaskService(identityService, env);
}
