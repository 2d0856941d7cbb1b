/** Settings of `npm start`, read once. What a service needs beyond them it reads from the same environment. */
import { tlsFields } from '../../services/gateway/tls-pair.ts';
import { optionalClickHouseField } from '../../services/runtime/clickhouse-settings.ts';
import {
  copiesFields,
  integerField,
  optionalIntegerField,
  optionalTextField,
  readConfig,
  sharedFields,
  textField,
} from '../../services/runtime/config.ts';
import type { Config, Env, Field } from '../../services/runtime/config.ts';

const PORT_MAX = 65_535;

const fields = {
  dataFolder: sharedFields.dataFolder,
  prefix: sharedFields.prefix,
  partitions: sharedFields.partitions,
  ...copiesFields,
  port: integerField('HINDSIGHT_PORT', { min: 0, max: PORT_MAX, fallback: 8_080 }),
  host: textField('HINDSIGHT_HOST', '127.0.0.1'),
  ...tlsFields,
  httpsPort: integerField('HINDSIGHT_HTTPS_PORT', { min: 0, max: PORT_MAX, fallback: 8_443 }),
  snapshotFolder: optionalTextField('HINDSIGHT_SNAPSHOTS'),
  /** Of embedded parts; undefined: as it was at the last start, else the usual one, else any. */
  kafkaPort: optionalPortField('HINDSIGHT_KAFKA_PORT'),
  registryPort: optionalPortField('HINDSIGHT_REGISTRY_PORT'),
  clickhousePort: optionalPortField('HINDSIGHT_CLICKHOUSE_PORT'),
  /** undefined: an embedded one is started; so for the next two. */
  brokers: {
    variable: 'KAFKA_BROKERS',
    read: (text) => (text === undefined ? undefined : sharedFields.brokers.read(text)),
  } satisfies Field<readonly string[] | undefined>,
  registryUrl: optionalUrlField('SCHEMA_REGISTRY_URL'),
  clickhouse: optionalClickHouseField(),
  clickhouseDatabase: textField('CLICKHOUSE_DATABASE', 'hindsight'),
  sample: {
    variable: 'HINDSIGHT_SAMPLE',
    read: (text) => {
      if (text !== undefined && text !== 'on' && text !== 'off') {
        throw new Error(`must be on or off, not ${text}`);
      }
      return text !== 'off';
    },
  } satisfies Field<boolean>,
};

export type LauncherSettings = Config<typeof fields>;

/** @throws CodedError `settings_invalid`. */
export function readLauncherSettings(env: Env): LauncherSettings {
  return readConfig(env, fields);
}

function optionalPortField(variable: string): Field<number | undefined> {
  return optionalIntegerField(variable, { min: 1, max: PORT_MAX });
}

function optionalUrlField(variable: string): Field<string | undefined> {
  return {
    variable,
    read: (text) => {
      if (text !== undefined && !URL.canParse(text)) throw new Error(`must be a URL, not ${text}`);
      return text?.replace(/\/+$/, '');
    },
  };
}
