/** Settings of the sink. */
import { clickHouseField } from '../runtime/clickhouse-settings.ts';
import { integerField, readConfig, sharedFields, type Env } from '../runtime/config.ts';

const fields = {
  brokers: sharedFields.brokers,
  registryUrl: sharedFields.registryUrl,
  dataFolder: sharedFields.dataFolder,
  prefix: sharedFields.prefix,
  clickhouse: clickHouseField(),
  /** Sinks that share the work, and which of them this is. */
  tasks: integerField('HINDSIGHT_SINK_TASKS', { min: 1, max: 1024, fallback: 1 }),
  task: integerField('HINDSIGHT_SINK_TASK', { min: 0, max: 1023, fallback: 0 }),
} as const;

export type SinkConfig = ReturnType<typeof readSinkConfig>;

export function readSinkConfig(env: Env) {
  return readConfig(env, fields);
}
