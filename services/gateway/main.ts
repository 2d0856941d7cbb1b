/** Wires the gateway: the one HTTP port in front of ingest and the App API. */
import type { FastifyInstance } from 'fastify';
import type { AppOptions } from '../app/plugin.ts';
import { learnSchema, findSchemas } from '../runtime/registry.ts';
import type { Env } from '../runtime/config.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log/ports.ts';
import { openLog } from '../runtime/log/open-log.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import { startStatusServer } from '../runtime/status-server.ts';
import { bodyBudgets, budgetStates, type BodyBudgets } from './body-budget.ts';
import { openClickhouse, type Clickhouse } from './clickhouse.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';
import { readGatewayConfig, type GatewayConfig } from './config.ts';
import { ensureCredentials } from './credentials.ts';
import { DefinitionsLog } from './definitions-log.ts';
import { openHttps, type HttpsDoor } from './https.ts';
import { openIntake } from './intake/open-intake.ts';
import { QuietLog } from './quiet-log.ts';
import { openOnSite } from './on-site.ts';
import { buildServer } from './server.ts';
import { findStatuses } from './statuses.ts';

/** Of definitions and control calls. */
const lingerMs = 2;
const pendingRecordsMax = 100_000;
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
  const log = await openLog({ ...config, clientId: 'hindsight-gateway' });
  const producer = await log.producer({ lingerMs, pendingRecordsMax });
  const requestLog = new QuietLog(logger);
  const intake = await openIntake({ ...config, log, logger, requestLog });
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
  const budgets = bodyBudgets();
  const clock = config.testClock ? clockOf(definitions) : undefined;
  const onSite = await openOnSite({ config, keys, log, producer, codecs, logger, clock });
  const server = buildServer({
    onSite: onSite.options,
    log: requestLog,
    budgets,
    ingest: {
      keys,
      intake,
      producer,
      admin: log.admin,
      codecs,
      logger,
      settings: (workspace) => settingsOf(definitions, workspace),
      testClock: clock,
    },
    browser: { keys, publicUrl: config.publicUrl },
    app: {
      keys,
      definitions,
      isTestClockOn: config.testClock,
      inForceWaitMsMax: config.inForceWaitMsMax,
      query: clickhouse.query,
      health: {
        admin: log.admin,
        statuses: findStatuses(config),
        ...healthOf(intake, definitions, budgets),
        clock: standing,
        parts: checksOf(log, clickhouse),
      },
    },
  });
  const url = await listen(server, config.host, config.port);
  const secure = await openSecure(config, server, logger);
  const status = await startStatusServer({
    name: 'gateway',
    dataFolder: config.dataFolder,
    ready: () => ({ http: { ok: true } }),
    status: () => ({ ...statusOf(budgets, requestLog, definitions), url, ingest: intake.state }),
  });
  logger.info({ url, httpsPort: secure?.port }, 'the gateway listens');
  return {
    url,
    close: async () => {
      await closeServer(server, secure);
      for (const part of [status, onSite, definitions, intake, producer, clickhouse, log]) await part.close();
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

function clockOf(definitions: DefinitionsLog) {
  const advanceTo = (time: number): Promise<void> => definitions.advanceClockTo(time);
  return { now: () => definitions.clock, advanceTo };
}

type Intake = Awaited<ReturnType<typeof openIntake>>;

function healthOf(intake: Intake, definitions: DefinitionsLog, budgets: BodyBudgets) {
  return {
    definitionsEnd: () => definitions.offset,
    budgets: () => budgetStates(budgets),
    ingest: () => ({ ...intake.health, ...intake.state }),
    spooledBytes: () => intake.state.spooled_bytes,
  };
}

function checksOf(log: Pick<Log, 'admin'>, clickhouse: Clickhouse): AppOptions['health']['parts'] {
  return {
    kafka: () => check(async () => log.admin.endOffsets('definitions')),
    'clickhouse-engine': () => check(async () => clickhouse.query('SELECT 1', {})),
  };
}

/** undefined without a certificate. */
async function openSecure(
  { tlsCert: cert, tlsKey: key, host, httpsPort: port }: GatewayConfig,
  app: FastifyInstance,
  logger: Logger,
): Promise<HttpsDoor | undefined> {
  return cert === undefined || key === undefined
    ? undefined
    : await openHttps({ app, cert, key, host, port, logger });
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

/** Requests under way end first: their events are acknowledged or refused, never cut off. A request that only waits (for a clock to be taken, say) is cut off when the time to stop is nearly up. */
async function closeServer(server: FastifyInstance, secure: HttpsDoor | undefined): Promise<void> {
  const late = setTimeout(() => {
    server.server.closeAllConnections();
    secure?.closeAllConnections();
  }, stopMsMax);
  await Promise.all([server.close(), secure?.close()]);
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
