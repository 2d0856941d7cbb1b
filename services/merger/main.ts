/** Starts the lanes of the merger. */
import type { Env } from '../runtime/config.ts';
import { runTaskService, type RunningService } from '../runtime/task/run-service.ts';
import { lanesService } from './service.ts';

export function run(env: Env): Promise<RunningService> {
  return runTaskService(lanesService, env);
}
