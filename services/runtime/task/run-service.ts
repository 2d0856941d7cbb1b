/** Runs the tasks of a stateful service on the real parts: what the services' main.ts call. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Codecs } from '../../../schemas/codec.ts';
import {
  integerField,
  optionalTextField,
  readConfig,
  shareField,
  sharedFields,
  type Env,
} from '../config.ts';
import { CodedError } from '../errors.ts';
import { openLog } from '../log/open-log.ts';
import { createLogger } from '../logger.ts';
import { findSchemas, learnSchema, type RegistryOptions } from '../registry.ts';
import { startStatusServer, type Actions } from '../status-server.ts';
import { StaticAssignment } from './layout/assignment.ts';
import { layoutInForce, readLayout } from './layout/layout.ts';
import { usualDeadLetters, type DeadLettersMax } from './batch/failed-records.ts';
import type { ServiceSpec } from './ports.ts';
import { stateFolders } from './recovery/snapshots.ts';
import { Stopwatch, describeLaps } from './stopwatch.ts';
import type { TaskPorts } from './task-plan.ts';
import { TaskService, assertPartitions } from './task-service.ts';
import { systemTime } from '../time.ts';

const TASKS_MAX = 1_024;
export const taskFields = {
  ...sharedFields,
  /** Tasks of the service in the whole installation. */
  tasks: integerField('HINDSIGHT_TASKS', { min: 1, max: TASKS_MAX, fallback: 1 }),
  /** This process is instance i, from 0, of n. */
  instance: integerField('HINDSIGHT_INSTANCE', { min: 0, max: TASKS_MAX - 1, fallback: 0 }),
  instances: integerField('HINDSIGHT_INSTANCES', { min: 1, max: TASKS_MAX, fallback: 1 }),
  /** A task stands still when within a minute so many records, and this share of all, could not be handled. */
  deadLettersPerMinuteMax: integerField('HINDSIGHT_DEAD_LETTERS_PER_MINUTE_MAX', {
    min: 0,
    max: 1_000_000_000,
    fallback: usualDeadLetters.perMinuteMax,
  }),
  deadLettersShareMax: shareField('HINDSIGHT_DEAD_LETTERS_SHARE_MAX', usualDeadLetters.shareMax),
  /** Where snapshots of state are kept; better on another disk. */
  snapshotFolder: optionalTextField('HINDSIGHT_SNAPSHOTS'),
};
/** Of a stop; what calls it gives up after 4.5 s. */
const STOP_MS_MAX = 4_000;

function exit(code: number): void {
  process.exit(code);
}

export interface RunningService {
  /** Finishes and commits what is open, flushes, closes; at most 4 s. */
  stop(): Promise<void>;
}

/**
 * What lives on the heap is small (20 MB), and what is promoted is a flush's changes. On a machine that is busy V8 takes
 * its collector for slow, lets the heap grow by a third only and marks all of it every few seconds, on several threads: a
 * quarter of the process's CPU at 20,000 events a second. On a quiet one it grows fourfold; so here always.
 */
const HEAP_GROWTH = '--heap-growing-percent=300';

/** @param actions of the service's own port on loopback, beside those that every service has. */
export async function runTaskService(
  spec: ServiceSpec,
  env: Env,
  actions: Actions = {},
): Promise<RunningService> {
  setFlagsFromString(HEAP_GROWTH);
  // performance.now() counts from the start of the process, so the first lap is Node itself and loading the code.
  const watch = new Stopwatch(systemTime, 0);
  watch.lap('load');
  const config = readConfig(env, taskFields);
  const logger = createLogger(spec.name);
  const registry = { url: config.registryUrl };
  const { brokers, prefix, dataFolder, partitions } = config;
  const [codecs, log] = await Promise.all([
    findSchemas(registry),
    openLog({ brokers, clientId: `hindsight-${spec.name}`, prefix }),
  ]);
  await assertPartitions(log, partitions);
  watch.lap('connect');
  const ports: TaskPorts = {
    log,
    codecs,
    logger,
    time: systemTime,
    stores: stateFolders({
      dataFolder,
      snapshotFolder: config.snapshotFolder ?? join(dataFolder, 'snapshots'),
      service: spec.name,
      needs: spec.stores,
      time: systemTime,
      logger,
    }),
    learn: learner(registry, codecs),
    newBatchId: randomUUID,
  };
  const found = await readLayout(ports, spec.journal, codecs.BatchRecord);
  watch.lap('layout');
  logger.info({ laps: watch.laps }, `process starts its tasks after ${describeLaps(watch.laps)}`);
  const service = new TaskService({
    spec,
    layout: layoutInForce(spec.name, found, config.tasks),
    partitions,
    standingClock: config.testClock,
    deadLetters: deadLettersOf(config),
    ports,
    assignment: new StaticAssignment({ ...config, exit }),
    onGivenUp: () => {
      exit(1);
    },
    startLaps: watch.laps,
  });
  await service.start();
  const server = await startStatusServer({
    name: spec.name,
    dataFolder,
    ready: () => service.ready(),
    status: () => service.status(),
    actions: {
      ...actions,
      snapshot: async () => {
        await service.snapshot();
        return { made: true };
      },
    },
  });
  const parts = [server, log];
  return { stop: () => stop(service, parts) };
}

async function stop(service: TaskService, parts: readonly { close(): Promise<void> }[]): Promise<void> {
  await atMost(service.stop(), STOP_MS_MAX);
  for (const part of parts) await part.close();
}

function deadLettersOf(config: {
  readonly deadLettersPerMinuteMax: number;
  readonly deadLettersShareMax: number;
}): DeadLettersMax {
  return { perMinuteMax: config.deadLettersPerMinuteMax, shareMax: config.deadLettersShareMax };
}

function learner(registry: RegistryOptions, codecs: Codecs): TaskPorts['learn'] {
  return async (schemaId) => {
    try {
      await learnSchema(registry, codecs, schemaId);
      return true;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'schema_not_ours') return false;
      throw error;
    }
  };
}

async function atMost(work: Promise<void>, ms: number): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work, systemTime.sleep(ms, limit.signal)]);
  limit.abort();
}
