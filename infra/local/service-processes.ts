/** The services as processes, `scripts/service.ts <name>`; ready when their status servers say so. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessSpec } from './child-process.ts';
import { nodeOptionsOf } from './service-node-options.mjs';

export const serviceNames = ['gateway', 'merger', 'identity', 'trigger', 'in-app', 'sink'] as const;
export type ServiceName = (typeof serviceNames)[number];

const READY_MS_MAX = 180_000;
const STOP_MS_MAX = 5_000;
const PROBE_MS_MAX = 3_000;
/** Clients wait for the gateway, so it is tried more often than what works behind it. */
const GATEWAY_PAUSE_MS_MAX = 1_000;

export interface ServiceProcessOptions {
  readonly root: string;
  readonly dataFolder: string;
  /** The settings of the service, complete. */
  readonly env: NodeJS.ProcessEnv;
}

export function serviceProcess(name: ServiceName, options: ServiceProcessOptions): ProcessSpec {
  const { root, dataFolder, env } = options;
  return {
    name,
    command: process.execPath,
    args: [...nodeOptionsOf(name), 'scripts/service.ts', name],
    cwd: root,
    env: { ...env, HINDSIGHT_DATA: dataFolder, HINDSIGHT_PARENT_PID: String(process.pid) },
    logFile: join(dataFolder, 'logs', `${name}.log`),
    part: false,
    readyMsMax: READY_MS_MAX,
    stopMsMax: STOP_MS_MAX,
    ...(name === 'gateway' && { restartPauseMsMax: GATEWAY_PAUSE_MS_MAX }),
    isReady: (pid) => isServiceReady(dataFolder, name, pid),
  };
}

async function isServiceReady(dataFolder: string, name: ServiceName, pid: number): Promise<boolean> {
  try {
    const text = await readFile(join(dataFolder, 'run', `${name}.json`), 'utf8');
    const status = JSON.parse(text) as { pid: number; url: string }; // written by the service's status server
    // A file that a killed predecessor left behind says nothing of this process.
    if (status.pid !== pid) return false;
    const answer = await fetch(`${status.url}/health/ready`, { signal: AbortSignal.timeout(PROBE_MS_MAX) });
    return answer.ok;
  } catch {
    return false;
  }
}
