/** The sink as a service: wires the log, ClickHouse, the loop and its chores. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isReplicated } from '../runtime/clickhouse-settings.ts';
import type { Env } from '../runtime/config.ts';
import { CodedError } from '../runtime/errors.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import { openLog } from '../runtime/log/open-log.ts';
import { learnSchema, findSchemas } from '../runtime/registry.ts';
import { type PartHealth, startStatusServer } from '../runtime/status-server.ts';
import { runChores } from './chores.ts';
import { readSinkConfig, type SinkConfig } from './config.ts';
import { isFenced, Sink } from './sink.ts';
import { openTarget, type Target } from './target.ts';

const SERVICE = 'sink';
/** An insert under way may end; then the stop does not wait for ClickHouse any longer. The intent says what was begun. */
const STOP_MS_MAX = 3_500;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 5_000;

interface Running {
  readonly target: Target;
  readonly logger: Logger;
  /** The sink of the moment. */
  readonly state: { sink: Sink | undefined };
}

export async function run(env: Env): Promise<{ stop(): Promise<void> }> {
  const config = readSinkConfig(env);
  const logger = createLogger(SERVICE);
  const stopping = new AbortController();
  const aborting = new AbortController();
  const { clickhouse } = config;
  const { shardUrls } = clickhouse;
  const target = openTarget(clickhouse, { replicated: isReplicated(clickhouse.layout), shardUrls });
  const state: { sink: Sink | undefined } = { sink: undefined };
  const server = await startStatusServer({
    name: SERVICE,
    dataFolder: config.dataFolder,
    ready: () => ({
      sink: healthOf(state.sink),
      clickhouse: { ok: state.sink !== undefined && state.sink.gauges.failingSince === undefined },
    }),
    status: () => statusOf(state.sink),
  });
  const ended = runUntilStopped({ config, target, logger, state }, stopping.signal, aborting.signal);
  const rounds = {
    target,
    logger,
    sink: () => ({
      isRunning: state.sink?.isRunning === true,
      failingSince: state.sink?.gauges.failingSince,
    }),
    now: () => performance.now(),
    pause: async (ms: number, signal: AbortSignal) => {
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    },
  };
  const chores = config.task === 0 ? runChores(rounds, stopping.signal) : undefined;
  return {
    stop: async () => {
      stopping.abort();
      const timer = setTimeout(() => {
        aborting.abort();
      }, STOP_MS_MAX);
      await Promise.allSettled([ended, chores]);
      clearTimeout(timer);
      await server.close();
      await target.close();
    },
  };
}

/** Starts the sink again after an error of the log or of the start. One that is fenced has a successor: it ends. */
async function runUntilStopped(
  { config, target, logger, state }: Running & { readonly config: SinkConfig },
  stopSignal: AbortSignal,
  abortSignal: AbortSignal,
): Promise<void> {
  for (let pauseMs = PAUSE_MS_MIN; !stopSignal.aborted; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    try {
      const codecs = await findSchemas({ url: config.registryUrl });
      const log = await openLog({ brokers: config.brokers, clientId: SERVICE, prefix: config.prefix });
      const sink = new Sink({
        log,
        codecs,
        learn: (schemaId) => learnSchema({ url: config.registryUrl }, codecs, schemaId),
        target,
        logger,
        task: config.task,
        tasks: config.tasks,
        stopSignal,
        abortSignal,
      });
      state.sink = sink;
      await sink.run().finally(() => log.close());
      return;
    } catch (error) {
      if (abortSignal.aborted) return;
      if (isFenced(error) || isHopeless(error)) throw error;
      logger.warn({ error }, 'the sink could not go on; it starts again');
      await sleep(pauseMs, undefined, { signal: stopSignal }).catch(() => undefined);
    }
  }
}

/** Errors that the same start meets again: a human has to act. */
function isHopeless(error: unknown): boolean {
  const codes = [
    'schema_newer',
    'migration_changed',
    'migration_missing',
    'clickhouse_ahead_of_log',
    'log_truncated',
    'row_plan_invalid',
    'shards_changed',
  ];
  return error instanceof CodedError && codes.includes(error.code);
}

function healthOf(sink: Sink | undefined): PartHealth {
  const unread = sink?.reads?.detail;
  return {
    ok: sink?.isRunning === true && unread === undefined,
    ...(unread !== undefined && { detail: unread }),
  };
}

function statusOf(sink: Sink | undefined): unknown {
  const { failingSince, ...gauges } = sink?.gauges ?? { failingSince: undefined };
  return {
    service: SERVICE,
    time: Date.now(),
    inputs: sink?.written ?? {},
    unsettled: 0,
    failing_reads: sink?.reads?.now.length ?? 0,
    clickhouse_failing_ms: failingSince === undefined ? 0 : Math.round(performance.now() - failingSince),
    ...gauges,
  };
}
