/**
 * `npm start` after everything is installed: brings the parts and the services up, says where they are, plays the sample
 * storefront once, keeps all of it up, and stops services before parts when it is told to.
 *
 *   checking ──▶ starting ──▶ up ──SIGINT, SIGTERM──▶ stopping ──▶ exit 0
 *      └──────────┴── fault: one sentence ──▶ stopping ──▶ exit 1
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeSignInCode } from '../../services/gateway/sign-in-code.ts';
import { checkPair } from '../../services/gateway/tls-pair.ts';
import { assert, CodedError } from '../../services/runtime/errors.ts';
import { makeUsableFolder } from '../../services/runtime/usable-folder.ts';
import { endedStart } from './ended-start.ts';
import { checkGivenParts } from './given-parts.ts';
import { startInstallation, type ClickHouseAddress, type PartAddresses } from './installation.ts';
import { readLauncherSettings, type LauncherSettings } from './launcher-settings.ts';
import { tryLock, type LockAttempt } from './lock.mjs';
import { choosePort } from './network-ports.ts';
import { startOwnParts } from './own-parts.ts';
import { makePrivateFolder, PRIVATE_UMASK } from './private-folder.ts';
import { writePrivateFile } from './private-file.ts';
import { endLeftovers, writeProcessFiles } from './process-files.ts';
import { tellRefusals } from './refusals-told.ts';
import { playSampleOnce } from './sample-once.ts';
import { Supervisor } from './supervisor.ts';
import { unknownSettings } from './unknown-settings.ts';

interface Launch {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly settings: LauncherSettings;
  readonly supervisor: Supervisor;
  /** Aborted when everything is to stop. */
  readonly stop: AbortSignal;
}

/** @returns the exit code, when nothing of it runs any more. */
export async function launch(root: string, env: NodeJS.ProcessEnv): Promise<number> {
  const stop = stopSignal();
  let supervisor: Supervisor | undefined;
  let lock: LockAttempt | undefined;
  let settings: LauncherSettings | undefined;
  try {
    for (const line of unknownSettings(root, env)) console.error(`  ${line}`);
    settings = readLauncherSettings(env);
    checkFiles(settings);
    keepPrivate(settings.dataFolder);
    lock = lockFolder(settings.dataFolder);
    supervisor = newSupervisor(settings.dataFolder);
    const all = startAll({ root, env, settings, supervisor, stop });
    const stopped = aborted(stop);
    await Promise.race([all, stopped]);
    await stopped;
    report('stopping: services first, then parts');
    return 0;
  } catch (error) {
    if (!stop.aborted) explain(error);
    return stop.aborted ? 0 : 1;
  } finally {
    await supervisor?.close();
    if (settings !== undefined && lock !== undefined) rmSync(endpointsFile(settings), { force: true });
    if (lock?.holder === undefined) lock?.release();
  }
}

async function startAll(launch: Launch): Promise<void> {
  const { settings, stop } = launch;
  const started = performance.now();
  rmSync(endpointsFile(settings), { force: true });
  const left = await endLeftovers(settings.dataFolder);
  if (left.length > 0) report(`  ended what an earlier start left behind: ${left.join(', ')}`);
  await checkGivenParts(settings);
  const port = settings.port === 0 ? await choosePort(undefined) : settings.port;
  report(`starting Hindsight (everything kept lies in ${settings.dataFolder})`);
  const parts = startParts(launch);
  await startInstallation({
    ...launch,
    dataFolder: settings.dataFolder,
    parts,
    port,
    report,
    prefix: settings.prefix,
    partitions: settings.partitions,
    copies: { replicas: settings.replicas, minInSync: settings.minInSync },
    database: settings.clickhouseDatabase,
  });
  await tellReady(settings, parts, port);
  report(`\nhindsight is ready\n\n  after ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  await describe(settings, parts, port);
  void tellRefusals({ dataFolder: settings.dataFolder, stop, report });
  if (settings.sample) await playSampleOnce({ ...launch, dataFolder: settings.dataFolder, stop, report });
}

function startParts({ root, env, settings, supervisor, stop }: Launch): PartAddresses {
  const { brokers, registryUrl, clickhouse } = settings;
  const own = startOwnParts({
    root,
    env,
    dataFolder: settings.dataFolder,
    supervisor,
    signal: stop,
    report,
    ports: settings,
    wanted: {
      kafka: brokers === undefined,
      registry: registryUrl === undefined,
      clickhouse: clickhouse === undefined,
    },
  });
  return {
    kafka: own.kafka ?? Promise.resolve((brokers ?? []).join(',')),
    registry: own.registry ?? Promise.resolve(registryUrl ?? ''),
    clickhouse: own.clickhouse ?? Promise.resolve(givenClickHouse(clickhouse)),
  };
}

function givenClickHouse(given: LauncherSettings['clickhouse']): ClickHouseAddress {
  assert(given !== undefined, 'ClickHouse is given where none is started');
  const { url, username: user, password, layout, shardUrls } = given;
  return { url, user, password, layout, shardUrls };
}

async function tellReady(settings: LauncherSettings, parts: PartAddresses, port: number): Promise<void> {
  const { url, user, password } = await parts.clickhouse;
  const clickhouse = new URL(url);
  clickhouse.username = encodeURIComponent(user);
  clickhouse.password = encodeURIComponent(password);
  const account = await readerOf(parts);
  const endpoints = {
    http: httpAddress(port),
    kafka: await parts.kafka,
    registry: await parts.registry,
    clickhouse: clickhouse.href,
    ...(account !== undefined && {
      clickhouse_reader: { url, database: settings.clickhouseDatabase, ...account },
    }),
  };
  writePrivateFile(endpointsFile(settings), JSON.stringify(endpoints, null, 2));
}

async function describe(settings: LauncherSettings, parts: PartAddresses, port: number): Promise<void> {
  const { dataFolder: data, clickhouseDatabase: database } = settings;
  const { url, user } = await parts.clickhouse;
  const account = await readerOf(parts);
  const analysts =
    account === undefined
      ? ''
      : `\n  analysts     ${url}, user ${account.user}: reads only; its password is in ${endpointsFile(settings)}`;
  const shop = settings.sample
    ? `\n  a shop       ${httpAddress(port)}/demo: be its visitor, and see what becomes of that`
    : '';
  const code = makeSignInCode(data, Date.now());
  report(`  page         ${httpAddress(port)}/#code=${code} (good once, for an hour; npm run page prints another)
  HTTP         ${httpAddress(port)}${shop}
  Kafka        ${await parts.kafka}
  registry     ${await parts.registry}
  ClickHouse   ${url}, database ${database}, user ${user}${analysts}
  credentials  ${join(data, 'credentials.json')} (workspaces default and sample)
  addresses    ${endpointsFile(settings)} (with the passwords of ClickHouse)
  logs         ${join(data, 'logs')}

Ctrl-C stops all of it; the next npm start goes on from here.
`);
}

/** Of the embedded engine. */
async function readerOf(parts: PartAddresses): Promise<{ user: string; password: string } | undefined> {
  const { reader, readerPassword } = await parts.clickhouse;
  if (reader === undefined || readerPassword === undefined) return undefined;
  return { user: reader, password: readerPassword };
}

function httpAddress(port: number): string {
  return `http://127.0.0.1:${String(port)}`;
}

function endpointsFile({ dataFolder }: LauncherSettings): string {
  return join(dataFolder, 'endpoints.json');
}

function newSupervisor(dataFolder: string): Supervisor {
  return new Supervisor({
    restart: true,
    report: (line) => {
      report(`  ${line}`);
    },
    onChange: (running) => {
      writeProcessFiles(dataFolder, running);
    },
  });
}

/** What can be found out without starting anything. @throws CodedError `folder_unusable`, `tls_unreadable`. */
function checkFiles({ dataFolder, snapshotFolder, tlsCert, tlsKey }: LauncherSettings): void {
  process.umask(PRIVATE_UMASK);
  makeUsableFolder('HINDSIGHT_DATA', dataFolder);
  if (snapshotFolder !== undefined) makeUsableFolder('HINDSIGHT_SNAPSHOTS', resolve(snapshotFolder));
  if (tlsCert !== undefined && tlsKey !== undefined) checkPair({ cert: tlsCert, key: tlsKey });
}

/** Everything that is kept or written on the way is events and keys. */
function keepPrivate(dataFolder: string): void {
  const left = makePrivateFolder(dataFolder);
  if (left === 0) return;
  report(
    `  ${String(left)} files or folders in ${dataFolder} belong to somebody else, and others may read them`,
  );
}

function lockFolder(dataFolder: string): LockAttempt {
  const lock = tryLock(join(dataFolder, 'launcher.lock'));
  if (lock.holder === undefined) return lock;
  throw new CodedError(
    'folder_taken',
    `could not start: Hindsight runs on ${dataFolder} already (process ${String(lock.holder.pid)})`,
  );
}

/** npm passes a Ctrl-C on that the terminal has sent to everybody already, so a signal that comes twice means once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stopping.abort();
    });
  }
  // Whoever reads our lines may go away; that is no reason to end.
  process.stdout.on('error', () => undefined);
  return stopping.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else
      signal.addEventListener('abort', () => {
        done();
      });
  });
}

function explain(error: unknown): void {
  if (error instanceof CodedError) {
    console.error(endedStart(error));
  } else {
    console.error('could not go on:', error);
  }
}

function report(line: string): void {
  console.log(line);
}
