/** Settings of the gateway process, read once at start. */
import { clickHouseField } from '../runtime/clickhouse-settings.ts';
import {
  integerField,
  optionalTextField,
  optionalUrlField,
  readConfig,
  sharedFields,
  textField,
  type Config,
  type Env,
  type Field,
} from '../runtime/config.ts';

const PORT_MAX = 65_535;
const IN_FORCE_WAIT_MS_MIN = 100;
/** What calls, such as `npm run apply`, waits longer than that. */
const IN_FORCE_WAIT_MS_MAX = 30_000;

/** Not without the other one. */
function pairedField(variable: string, other: string): Field<string | undefined> {
  const isSet = (text: string | undefined) => text !== undefined && text.trim() !== '';
  return {
    variable,
    read: (text, env) => {
      if (text === undefined && isSet(env[other])) throw new Error(`must be set, since ${other} is`);
      return text;
    },
  };
}

const fields = {
  brokers: sharedFields.brokers,
  registryUrl: sharedFields.registryUrl,
  dataFolder: sharedFields.dataFolder,
  prefix: sharedFields.prefix,
  testClock: sharedFields.testClock,
  /** 0: any free port. */
  port: integerField('HINDSIGHT_PORT', { min: 0, max: PORT_MAX, fallback: 8_080 }),
  host: textField('HINDSIGHT_HOST', '127.0.0.1'),
  /** PEM files. With both the port below speaks https, too. */
  tlsCert: pairedField('HINDSIGHT_TLS_CERT', 'HINDSIGHT_TLS_KEY'),
  tlsKey: pairedField('HINDSIGHT_TLS_KEY', 'HINDSIGHT_TLS_CERT'),
  httpsPort: integerField('HINDSIGHT_HTTPS_PORT', { min: 0, max: PORT_MAX, fallback: 8_443 }),
  /** Where browsers reach us; without it as each request says. */
  publicUrl: optionalUrlField('HINDSIGHT_PUBLIC_URL'),
  /** A PUT or DELETE of a definition or of settings waits at most so long until it is in force. */
  inForceWaitMsMax: integerField('HINDSIGHT_IN_FORCE_WAIT_MS', {
    min: IN_FORCE_WAIT_MS_MIN,
    max: IN_FORCE_WAIT_MS_MAX,
    fallback: 5_000,
  }),
  clickhouse: clickHouseField('http://127.0.0.1:8123'),
  /** name=url,… of services that run on other machines; without it those of `$HINDSIGHT_DATA/run` count. */
  statusUrls: optionalTextField('HINDSIGHT_STATUS_URLS'),
};

export type GatewayConfig = Config<typeof fields>;

export function readGatewayConfig(env: Env): GatewayConfig {
  return readConfig(env, fields);
}
