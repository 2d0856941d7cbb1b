/** Wires the gateway: the one HTTP port in front of ingest and the App API. */
import type { FastifyInstance } from 'fastify';
import type { Codec } from '../../schemas/codec.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { AppOptions, Statuses } from '../app/plugin.ts';
import { findSchemas, learnSchema, registryAnswers } from '../runtime/registry.ts';
import type { Env } from '../runtime/config.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log/ports.ts';
import { openLog } from '../runtime/log/open-log.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import { startStatusServer } from '../runtime/status-server.ts';
import { bodyBudgets, budgetStates, type BodyBudgets } from './body-budget.ts';
import { openClickhouse, type Clickhouse } from './clickhouse.ts';
import { segmentTypeOf } from '../runtime/segment-type.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';
import { readGatewayConfig, type GatewayConfig } from './config.ts';
import { ensureCredentials, keysInFile, replaceInFile, sampleKeys } from './credentials.ts';
import { DefinitionsLog } from './definitions-log.ts';
import { Doors } from './door.ts';
import type { FoldedTopicPorts } from './folded-topic.ts';
import { openHttps, type HttpsDoor } from './https.ts';
import { openIntake } from './intake/open-intake.ts';
import { KeysLog } from './keys/keys-log.ts';
import { openWatch } from './live/open-watch.ts';
import { QuietLog } from './quiet-log.ts';
import { openOnSite } from './on-site.ts';
import { buildServer, type ServerOptions } from './server.ts';
import { takeSignInCode } from './sign-in-code.ts';
import { findStatuses } from './statuses.ts';
import { TablesLog } from './tables-log.ts';
import { TriggerAsker } from './trigger-view.ts';
import { countedPorts } from './usage/counted.ts';
import { ingestHealth } from './ingest-health.ts';
import type { DiskRoom } from './usage/disk-room.ts';
import { openUsage } from './usage/open-usage.ts';

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
  const requestLog = new QuietLog(logger);
  const topics = await openTopics(config, env, { logger, requestLog });
  const { log, producer, intake, codecs, definitions, keysLog, tables, standing } = topics;
  const clickhouse = openClickhouse(config, { log: requestLog });
  const budgets = bodyBudgets();
  const doors = new Doors({ perAddressMax: config.connectionsPerAddressMax }, requestLog);
  const statuses = findStatuses(config);
  const watchParts = { producer, codec: codecs.DroppedEvent, logger, requestLog, statuses, admin: log.admin };
  const watch = openWatch(watchParts);
  const { live } = watch;
  const clock = config.testClock ? clockOf(definitions) : undefined;
  const rules = new TriggerAsker(config);
  const usage = await openUsage(config, { definitions, clickhouse, log: requestLog, logger });
  const counted = countedPorts({ intake, producer }, usage);
  const own = { intake: counted.intake, keys: keysLog.keys };
  const onSite = await openOnSite({ ...topics, ...own, config, logger, clock, usage });
  const server = buildServer({
    onSite: onSite.options,
    log: requestLog,
    doors,
    ...{ budgets, clients: config.trustedProxies },
    ingest: {
      keys: keysLog.keys,
      ...counted,
      admin: log.admin,
      codecs,
      logger,
      watch: live,
      settings: (workspace) => settingsOf(definitions, workspace),
      segmentType: (workspace, id) => segmentTypeOf(definitions, workspace, id),
      testClock: clock,
    },
    ...pagesOf(config, env, { definitions, onSite }),
    app: {
      ...{ keys: keysLog.keys, definitions, tables, query: clickhouse.query, rules, live, usage: usage.of },
      isTestClockOn: config.testClock,
      inForceWaitMsMax: config.inForceWaitMsMax,
      health: {
        ...healthOf(statuses, log, { ...config, clickhouse, disk: usage.disk }),
        ...doorHealthOf(intake, usage.disk, definitions, budgets),
        clock: standing,
      },
    },
  });
  const url = await listen(server, config.host, config.port);
  const secure = await openSecure(config, server, { logger, doors });
  const status = await startStatusServer({
    name: 'gateway',
    dataFolder: config.dataFolder,
    ready: () => ({ http: { ok: true } }),
    status: () => ({
      ...statusOf(budgets, requestLog, definitions),
      ...watch.status(),
      ...usage.status(),
      ...{ url, ingest: intake.state, connections: doors.state },
    }),
  });
  logger.info({ url, httpsPort: secure?.port }, 'the gateway listens');
  return {
    url,
    close: async () => {
      await closeServer(server, secure);
      const folds = [definitions, keysLog, tables, intake];
      await closeAll([status, watch, onSite, usage, rules, ...folds, producer, clickhouse, log]);
    },
  };
}

/** What browsers load from here. */
function pagesOf(
  config: GatewayConfig,
  env: Env,
  {
    definitions,
    onSite: { browser },
  }: Pick<Topics, 'definitions'> & { readonly onSite: Awaited<ReturnType<typeof openOnSite>> },
): Pick<ServerOptions, 'browser' | 'firstPartyId' | 'frontPage' | 'demo'> {
  const { publicUrl, cookieDomain } = config;
  const consent = (workspace: Workspace) => settingsOf(definitions, workspace).consent;
  return {
    browser: { ...browser, publicUrl, consent },
    firstPartyId: cookieDomain === undefined ? undefined : { domain: cookieDomain },
    frontPage: { signIn: (code) => takeSignInCode(config.dataFolder, code, Date.now()) },
    demo: config.demo ? { keys: () => sampleKeys(config.dataFolder, env) } : undefined,
  };
}

/** In this order: what uses another before it. */
async function closeAll(parts: readonly { close(): Promise<unknown> }[]): Promise<void> {
  for (const part of parts) await part.close();
}

type Topics = Awaited<ReturnType<typeof openTopics>>;

/** The log, and what this gateway has folded from it. */
async function openTopics(
  config: GatewayConfig,
  env: Env,
  { logger, requestLog }: { readonly logger: Logger; readonly requestLog: QuietLog },
) {
  const codecs = await findSchemas({ url: config.registryUrl });
  const log = await openLog({ ...config, clientId: 'hindsight-gateway' });
  const producer = await log.producer({ lingerMs, pendingRecordsMax });
  const intake = await openIntake({ ...config, log, logger, requestLog });
  const topicPorts = {
    log,
    producer,
    logger,
    learnSchema: (schemaId: number) => learnSchema({ url: config.registryUrl }, codecs, schemaId),
  };
  const definitions: DefinitionsLog = new DefinitionsLog({
    ...topicPorts,
    codec: codecs.Definition,
    now: () => standing() ?? Date.now(),
  });
  const keysLog = keysOf(config.dataFolder, env, { ...topicPorts, codec: codecs.KeyChange });
  const tables = new TablesLog({ ...topicPorts, codec: codecs.TableRow, now: Date.now });
  const standing = (): number | undefined => (config.testClock ? definitions.clock : undefined);
  await Promise.all([definitions.open(), keysLog.open(), tables.open()]);
  return { log, producer, intake, codecs, definitions, keysLog, tables, standing };
}

interface CheckedParts {
  /** Of the registry. */
  readonly registryUrl: string;
  readonly clickhouse: Clickhouse;
  readonly disk: DiskRoom;
}

function healthOf(statuses: Statuses, log: Pick<Log, 'admin'>, parts: CheckedParts) {
  return { admin: log.admin, statuses, parts: checksOf(log, parts) };
}

function keysOf(
  dataFolder: string,
  env: Env,
  ports: FoldedTopicPorts & { codec: Codec<'KeyChange'> },
): KeysLog {
  return new KeysLog({
    ...ports,
    fromFile: keysInFile(ensureCredentials(dataFolder, env)),
    replaceInFile: (id, made) => {
      replaceInFile(dataFolder, id, made);
    },
    now: Date.now,
  });
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

function doorHealthOf(intake: Intake, disk: DiskRoom, definitions: DefinitionsLog, budgets: BodyBudgets) {
  return {
    definitionsEnd: () => definitions.offset,
    budgets: () => budgetStates(budgets),
    ingest: () => ({ ...ingestHealth(intake, disk.health) }),
    spooledBytes: () => intake.state.spooled_bytes,
  };
}

function checksOf(
  log: Pick<Log, 'admin'>,
  { registryUrl, clickhouse, disk }: CheckedParts,
): AppOptions['health']['parts'] {
  return {
    disk: () => Promise.resolve(disk.health),
    kafka: () => check(async () => log.admin.endOffsets('definitions')),
    registry: () => check(() => registryAnswers({ url: registryUrl, msMax: partMsMax })),
    'clickhouse-engine': () => check(() => clickhouse.answers()),
  };
}

/** undefined without a certificate. */
async function openSecure(
  { tlsCert: cert, tlsKey: key, host, httpsPort: port }: GatewayConfig,
  app: FastifyInstance,
  ports: { readonly logger: Logger; readonly doors: Doors },
): Promise<HttpsDoor | undefined> {
  return cert === undefined || key === undefined
    ? undefined
    : await openHttps({ app, cert, key, host, port, ...ports });
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
