/** Parts that run elsewhere, named by an address in the settings: each is looked at before anything is started. */
import { CodedError } from '../../services/runtime/errors.ts';
import type { LauncherSettings } from './launcher-settings.ts';
import { isPortFree } from './network-ports.ts';
import { answersAsClickHouse, answersAsKafka, answersAsRegistry, clickHouseRefusal } from './probes.ts';

/** @throws CodedError `part_unreachable`, `part_refused` or `port_taken`, each a sentence with its remedy. */
export async function checkGivenParts(settings: LauncherSettings): Promise<void> {
  await checkPorts(settings);
  await Promise.all([checkBrokers(settings), checkRegistry(settings), checkClickHouse(settings)]);
}

async function checkPorts({ port, httpsPort, tlsCert, host }: LauncherSettings): Promise<void> {
  await checkPort(port, host, undefined);
  if (tlsCert !== undefined) await checkPort(httpsPort, host, 'Set HINDSIGHT_HTTPS_PORT to a free port.');
}

async function checkPort(port: number, host: string, hint: string | undefined): Promise<void> {
  if (port === 0 || (await isPortFree(port, host))) return;
  const message = `could not start: port ${String(port)} is taken by another program`;
  throw new CodedError('port_taken', message, hint === undefined ? {} : { hint });
}

/** One broker that answers is enough: it names the others. */
async function checkBrokers({ brokers }: LauncherSettings): Promise<void> {
  if (brokers === undefined) return;
  const answers = await Promise.all(
    brokers.map((broker) => {
      const colon = broker.lastIndexOf(':');
      return answersAsKafka(broker.slice(0, colon), Number(broker.slice(colon + 1)));
    }),
  );
  if (!answers.includes(true)) throw unreachable('KAFKA_BROKERS', brokers.join(','), 'a Kafka broker');
}

async function checkRegistry({ registryUrl }: LauncherSettings): Promise<void> {
  if (registryUrl === undefined || (await answersAsRegistry(registryUrl))) return;
  throw unreachable('SCHEMA_REGISTRY_URL', registryUrl, 'a schema registry');
}

async function checkClickHouse(settings: LauncherSettings): Promise<void> {
  if (settings.clickhouse === undefined) return;
  const { url, username: user, password, shardUrls } = settings.clickhouse;
  for (const each of [url, ...shardUrls]) await checkServer(each, { user, password });
}

async function checkServer(
  url: string,
  account: { readonly user: string; readonly password: string },
): Promise<void> {
  if (!(await answersAsClickHouse(url))) throw unreachable('CLICKHOUSE_URL', url, 'a ClickHouse server');
  const refusal = await clickHouseRefusal(url, account);
  if (refusal === undefined) return;
  const { user } = account;
  throw new CodedError(
    'part_refused',
    `could not start: ClickHouse at ${url} refuses user ${user}: ${refusal}`,
  );
}

function unreachable(variable: string, address: string, what: string): CodedError {
  return new CodedError('part_unreachable', `could not start: ${what} does not answer at ${address}`, {
    hint: `Start it, or correct ${variable}, or leave it unset to have one started here.`,
  });
}
