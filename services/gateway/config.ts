/** Settings of the gateway process, read once at start. */
import { holdMsMax } from '../../schemas/hold.ts';
import { clickHouseField } from '../runtime/clickhouse-settings.ts';
import { ClientAddresses } from './client-address.ts';
import {
  integerField,
  optionalTextField,
  optionalUrlField,
  readConfig,
  shareField,
  sharedFields,
  textField,
  type Config,
  type Env,
  type Field,
} from '../runtime/config.ts';
import { tlsFields } from './tls-pair.ts';

const PORT_MAX = 65_535;
/** As many as may be open in all (door.ts). */
const CONNECTIONS_PER_ADDRESS_MAX = 10_000;
const IN_FORCE_WAIT_MS_MIN = 100;
/** What calls, such as `npm run apply`, waits longer than that. */
const IN_FORCE_WAIT_MS_MAX = 30_000;

const SPOOL_BYTES_MIN = 1 << 20;
const SPOOL_BYTES_MAX = 2 ** 40;
const SPOOL_AFTER_MS_MIN = 100;
/** A producer gives up what it could not send in so long. */
const SPOOL_AFTER_MS_MAX = 25_000;
const HOUR_MS = 3_600_000;
const DISK_BYTES_MAX = 2 ** 50;
const DOMAIN_CHARS_MAX = 253;
/** One word alone is a suffix (com), for which browsers take no cookie, or this machine. */
const DOMAIN = /^(?:localhost|[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)+)$/;

const fields = {
  brokers: sharedFields.brokers,
  registryUrl: sharedFields.registryUrl,
  dataFolder: sharedFields.dataFolder,
  prefix: sharedFields.prefix,
  testClock: sharedFields.testClock,
  /** 0: any free port. */
  port: integerField('HINDSIGHT_PORT', { min: 0, max: PORT_MAX, fallback: 8_080 }),
  host: textField('HINDSIGHT_HOST', '127.0.0.1'),
  /** With both the port below speaks https, too. */
  ...tlsFields,
  httpsPort: integerField('HINDSIGHT_HTTPS_PORT', { min: 0, max: PORT_MAX, fallback: 8_443 }),
  /** Of one address, of IPv6 of one site. A proxy in front is one address. */
  connectionsPerAddressMax: integerField('HINDSIGHT_CONNECTIONS_PER_ADDRESS_MAX', {
    min: 1,
    max: CONNECTIONS_PER_ADDRESS_MAX,
    fallback: 2_000,
  }),
  /** Addresses and ranges, comma-separated: whom these name in X-Forwarded-For is the client whose bodies are bounded. */
  trustedProxies: {
    variable: 'HINDSIGHT_TRUSTED_PROXIES',
    read: (text) => {
      const proxies = (text ?? '')
        .split(',')
        .map((proxy) => proxy.trim())
        .filter((proxy) => proxy !== '');
      return new ClientAddresses(proxies);
    },
  } satisfies Field<ClientAddresses>,
  /** Where browsers reach us; without it as each request says. */
  publicUrl: optionalUrlField('HINDSIGHT_PUBLIC_URL'),
  /** The shop's domain, for whose hosts anonymous ids are set as cookies; undefined: none is set. */
  cookieDomain: {
    variable: 'HINDSIGHT_COOKIE_DOMAIN',
    read: (text) => {
      const domain = text?.toLowerCase();
      if (domain !== undefined && !(domain.length <= DOMAIN_CHARS_MAX && DOMAIN.test(domain)))
        throw new Error(`must be a domain of the shop, such as shop.example, not ${domain}`);
      return domain;
    },
  } satisfies Field<string | undefined>,
  /** A PUT or DELETE of a definition or of settings waits at most so long until it is in force. */
  inForceWaitMsMax: integerField('HINDSIGHT_IN_FORCE_WAIT_MS', {
    min: IN_FORCE_WAIT_MS_MIN,
    max: IN_FORCE_WAIT_MS_MAX,
    fallback: 5_000,
  }),
  /** Of events that wait on the disk while the log does not answer. */
  spoolBytesMax: integerField('HINDSIGHT_SPOOL_BYTES_MAX', {
    min: SPOOL_BYTES_MIN,
    max: SPOOL_BYTES_MAX,
    fallback: 1 << 30,
  }),
  /** Of it, for one workspace. */
  spoolWorkspaceShare: shareField('HINDSIGHT_SPOOL_WORKSPACE_SHARE', 0.5),
  /** What waits longer for the log goes to the disk. */
  spoolAfterMs: integerField('HINDSIGHT_SPOOL_AFTER_MS', {
    min: SPOOL_AFTER_MS_MIN,
    max: SPOOL_AFTER_MS_MAX,
    fallback: 3_000,
  }),
  /** With something on the disk that is older, no more is taken. Lanes know repeats that are a day late (schemas/hold.ts). */
  spoolHoldHoursMax: integerField('HINDSIGHT_SPOOL_HOLD_HOURS_MAX', {
    min: 1,
    max: holdMsMax / HOUR_MS - 1,
    fallback: 12,
  }),
  /** With less of the disk of HINDSIGHT_DATA free nothing more is taken; 0: it is not looked at. */
  diskFreeBytesMin: integerField('HINDSIGHT_DISK_FREE_BYTES_MIN', {
    min: 0,
    max: DISK_BYTES_MAX,
    fallback: 1 << 29,
  }),
  /** What any workspace may bring on a day at this gateway, whatever its own quotas say; 0: no limit. */
  workspaceDayBytesMax: integerField('HINDSIGHT_WORKSPACE_DAY_BYTES_MAX', {
    min: 0,
    max: DISK_BYTES_MAX,
    fallback: 0,
  }),
  clickhouse: clickHouseField('http://127.0.0.1:8123'),
  /** The page /demo, a shop of workspace `sample`. */
  demo: {
    variable: 'HINDSIGHT_SAMPLE',
    read: (text, env) => text !== 'off' && env.NODE_ENV !== 'production',
  } satisfies Field<boolean>,
  /** name=url,… of services that run on other machines; without it those of `$HINDSIGHT_DATA/run` count. */
  statusUrls: optionalTextField('HINDSIGHT_STATUS_URLS'),
};

export type GatewayConfig = Config<typeof fields>;

export function readGatewayConfig(env: Env): GatewayConfig {
  return readConfig(env, fields);
}
