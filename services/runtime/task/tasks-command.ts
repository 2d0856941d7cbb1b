/** Wires the change of a service's number of tasks to the real parts; see change-tasks.ts. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, type Env } from '../config.ts';
import { CodedError } from '../errors.ts';
import { openLog } from '../log/open-log.ts';
import { createLogger } from '../logger.ts';
import { registerSchemas } from '../registry.ts';
import { changeTasks } from './change-tasks.ts';
import type { Layout } from './layout/layout.ts';
import type { ServiceSpec } from './ports.ts';
import { taskFields } from './run-service.ts';
import { stateFolders } from './recovery/snapshots.ts';
import { assertPartitions } from './task-service.ts';
import { systemTime } from '../time.ts';

/** @throws CodedError `service_running` while a process of the service lives on this machine. */
export async function runTasksCommand(spec: ServiceSpec, tasks: number, env: Env): Promise<Layout> {
  const config = readConfig(env, taskFields);
  const { brokers, prefix, dataFolder, partitions } = config;
  assertStopped(dataFolder, spec.name);
  const codecs = await registerSchemas({ url: config.registryUrl });
  const log = await openLog({ brokers, clientId: `hindsight-tasks-${spec.name}`, prefix });
  const logger = createLogger(`tasks ${spec.name}`);
  try {
    await assertPartitions(log, partitions);
    return await changeTasks({
      spec,
      partitions,
      tasks,
      ports: {
        log,
        codecs,
        time: systemTime,
        logger,
        stores: stateFolders({
          dataFolder,
          snapshotFolder: config.snapshotFolder ?? join(dataFolder, 'snapshots'),
          service: spec.name,
          needs: spec.stores,
          time: systemTime,
          logger,
        }),
        learn: () => Promise.resolve(false),
        newBatchId: randomUUID,
      },
    });
  } finally {
    await log.close();
  }
}

/** Two processes must not open one state folder. Processes on other machines are fenced. */
function assertStopped(dataFolder: string, service: string): void {
  const pid = pidOf(join(dataFolder, 'run', `${service}.json`));
  if (pid === undefined || !isAlive(pid)) return;
  throw new CodedError(
    'service_running',
    `could not change the tasks of ${service}: process ${String(pid)} runs`,
    {
      hint: `Stop ${service} everywhere first.`,
    },
  );
}

function pidOf(file: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { readonly pid?: number }; // by status-server.ts
    return pid;
  } catch {
    return undefined; // it has not run, or has removed its file when it stopped
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
