/** Settings of the sink. */
import {
  integerField,
  readConfig,
  sharedFields,
  switchField,
  textField,
  urlField,
  type Env,
} from '../runtime/config.ts';

const fields = {
  brokers: sharedFields.brokers,
  registryUrl: sharedFields.registryUrl,
  dataFolder: sharedFields.dataFolder,
  prefix: sharedFields.prefix,
  url: urlField('CLICKHOUSE_URL'),
  username: textField('CLICKHOUSE_USER', 'default'),
  password: textField('CLICKHOUSE_PASSWORD', ''),
  database: textField('CLICKHOUSE_DATABASE', 'hindsight'),
  /** The tables are replicated: wait for a quorum, read what it has. */
  replicated: switchField('CLICKHOUSE_REPLICATED'),
  /** Sinks that share the work, and which of them this is. */
  tasks: integerField('HINDSIGHT_SINK_TASKS', { min: 1, max: 1024, fallback: 1 }),
  task: integerField('HINDSIGHT_SINK_TASK', { min: 0, max: 1023, fallback: 0 }),
} as const;

export type SinkConfig = ReturnType<typeof readSinkConfig>;

export function readSinkConfig(env: Env) {
  return readConfig(env, fields);
}
