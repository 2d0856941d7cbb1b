/** Starts the trigger: its tasks, the reader of the past of rules, and what the gateway asks about a person and a rule. */
import { clickHouseField } from '../runtime/clickhouse-settings.ts';
import { readConfig, type Env } from '../runtime/config.ts';
import { openLog } from '../runtime/log/open-log.ts';
import { createLogger } from '../runtime/logger.ts';
import { findSchemas } from '../runtime/registry.ts';
import { runTaskService, taskFields, type RunningService } from '../runtime/task/run-service.ts';
import { Answers } from './answers.ts';
import { ClickhousePast } from './past/clickhouse.ts';
import { PastReader } from './past/reader.ts';
import { Replayer } from './past/replayer.ts';
import { triggerServiceWith } from './service.ts';

const fields = { ...taskFields, clickhouse: clickHouseField('http://127.0.0.1:8123') };
/** Of the past, a stretch at a time. */
const producerLimits = { lingerMs: 0, pendingRecordsMax: 100 };

export async function run(env: Env): Promise<RunningService> {
  const config = readConfig(env, fields);
  const answers = new Answers(config.partitions);
  const spec = triggerServiceWith({
    hasPasts: true,
    onOpened: (partition, processor) => {
      answers.opened(partition, processor);
    },
  });
  const source = new ClickhousePast(config.clickhouse);
  const replayer = new Replayer({ source: source.history, definitions: () => answers.definitions });
  const service = await runTaskService(spec, env, { ...answers.actions, ...replayer.actions });
  const { brokers, prefix, registryUrl } = config;
  const log = await openLog({ brokers, clientId: 'hindsight-past', prefix });
  const producer = await log.producer(producerLimits);
  const reader = new PastReader({
    ...{ source, placing: source.placing, producer, admin: log.admin },
    replayed: (workspace, journeyId) => answers.replayed(workspace, journeyId),
    wanted: () => answers.wantedPasts(),
    codecs: await findSchemas({ url: registryUrl }),
    logger: createLogger('trigger'),
  });
  reader.start();
  return {
    stop: async () => {
      const stopped = reader.stop();
      await source.close();
      await stopped;
      await producer.close();
      await log.close();
      await service.stop();
    },
  };
}
