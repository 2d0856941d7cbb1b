/** Wires the gateway: the one HTTP port in front of ingest and the App API. */
import type { FastifyInstance } from 'fastify';
import type { AppOptions } from '../app/plugin.ts';
import { learnSchema, findSchemas } from '../runtime/registry.ts';
import type { Env } from '../runtime/config.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log/ports.ts';
import { openLog } from '../runtime/log/open-log.ts';
import { createLogger } from '../runtime/logger.ts';
import { startStatusServer } from '../runtime/status-server.ts';
import { bodyBudgets, budgetStates, type BodyBudgets } from './body-budget.ts';
import { openClickhouse, type Clickhouse } from './clickhouse.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';
import { readGatewayConfig } from './config.ts';
import { ensureCredentials } from './credentials.ts';
import { DefinitionsLog } from './definitions-log.ts';
import { QuietLog } from './quiet-log.ts';
import { openOnSite } from './on-site.ts';
import { buildServer } from './server.ts';
import { findStatuses } from './statuses.ts';

/** Batches across requests; also what a lone event waits at most. */
const lingerMs = 2;
export const pendingRecordsMax = 100_000;
const partMsMax = 2_000;
const stopMsMax = 2_500;

export interface RunningGateway {
  /** http://127.0.0.1:port */
  readonly url: string;
  close(): Promise<void>;
}

export async function run(env: Env): Promise<RunningGateway> {
  const config = readGatewayConfig(env);
  const logger = createLogger('gateway');
  const keys = ensureCredentials(config.dataFolder, env);
  const codecs = await findSchemas({ url: config.registryUrl });
  const { brokers, prefix } = config;
  const log = await openLog({ brokers, clientId: 'hindsight-gateway', prefix });
  const producer = await log.producer({ lingerMs, pendingRecordsMax });
  const definitions: DefinitionsLog = new DefinitionsLog({
    log,
    producer,
    codec: codecs.Definition,
    logger,
    learnSchema: (schemaId) => learnSchema({ url: config.registryUrl }, codecs, schemaId),
    now: () => standing() ?? Date.now(),
  });
  const standing = (): number | undefined => (config.testClock ? definitions.clock : undefined);
  await definitions.open();
  const clickhouse = openClickhouse(config);
  const requestLog = new QuietLog(logger);
  const budgets = bodyBudgets();
  const clock = config.testClock
    ? { now: standing, advanceTo: (time: number) => definitions.advanceClockTo(time) }
    : undefined;
  const onSite = await openOnSite({ config, keys, log, producer, codecs, logger, clock });
  const server = buildServer({
    onSite: onSite.options,
    log: requestLog,
    budgets,
    ingest: {
      keys,
      producer,
      admin: log.admin,
      codecs,
      logger,
      settings: (workspace) => settingsOf(definitions, workspace),
      testClock: clock,
    },
    app: {
      keys,
      definitions,
      isTestClockOn: config.testClock,
      inForceWaitMsMax: config.inForceWaitMsMax,
      query: clickhouse.query,
      health: {
        admin: log.admin,
        statuses: findStatuses(config),
        clock: standing,
        definitionsEnd: () => definitions.offset,
        budgets: () => budgetStates(budgets),
        parts: checksOf(log, clickhouse),
      },
    },
  });
  const url = await listen(server, config.host, config.port);
  const status = await startStatusServer({
    name: 'gateway',
    dataFolder: config.dataFolder,
    ready: () => ({ http: { ok: true } }),
    status: () => ({ ...statusOf(budgets, requestLog, definitions), url, pending: producer.pending }),
  });
  logger.info({ url }, 'the gateway listens');
  return {
    url,
    close: async () => {
      // Requests under way end first: their events are acknowledged or refused, never cut off.
      await closeServer(server);
      for (const part of [status, onSite, definitions, producer, clickhouse, log]) await part.close();
    },
  };
}

function statusOf(budgets: BodyBudgets, requests: QuietLog, definitions: DefinitionsLog) {
  return {
    service: 'gateway',
    time: Date.now(),
    definitions_offset: definitions.offset,
    budgets: budgetStates(budgets),
    refusals: requests.counts,
  };
}

function checksOf(log: Pick<Log, 'admin'>, clickhouse: Clickhouse): AppOptions['health']['parts'] {
  return {
    kafka: () => check(async () => log.admin.endOffsets('definitions')),
    'clickhouse-engine': () => check(async () => clickhouse.query('SELECT 1', {})),
  };
}

async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new CodedError('port_taken', `could not listen on port ${String(port)}: something else does`, {
      cause: error,
      hint: 'Set HINDSIGHT_PORT to a free port.',
    });
  }
  const address = server.server.address();
  if (address === null || typeof address === 'string') {
    throw new CodedError('port_missing', 'could not listen: the server has no port');
  }
  return `http://127.0.0.1:${String(address.port)}`;
}

/** A request that only waits (for a clock to be taken, say) is cut off when the time to stop is nearly up. */
async function closeServer(server: FastifyInstance): Promise<void> {
  const late = setTimeout(() => {
    server.server.closeAllConnections();
  }, stopMsMax);
  await server.close();
  clearTimeout(late);
}

async function check(ask: () => Promise<unknown>): Promise<{ ok: boolean; detail?: string }> {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => {
      reject(new Error(`no answer in ${String(partMsMax)} ms`));
    }, partMsMax).unref();
  });
  try {
    await Promise.race([ask(), late]);
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
