/** An embedded Kafka broker: one node, KRaft, on loopback. */
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmbeddedPart, WantedPort } from './embedded-part.ts';
import type { Jars } from './jars.ts';
import { choosePort } from './network-ports.ts';
import { answersAsKafka } from './probes.ts';
import { makePrivateFolder } from './private-folder.ts';
import { javaCommand } from './requirements.mjs';

export interface PartOptions {
  readonly root: string;
  /** Everything kept, this part's in a folder of its own. */
  readonly dataFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly port: WantedPort;
}

const READY_MS_MAX = 90_000;
const STOP_MS_MAX = 20_000;

export function kafkaPart(options: PartOptions, jars: Jars): EmbeddedPart {
  const folder = join(options.dataFolder, 'kafka');
  return {
    name: 'kafka',
    port: options.port,
    prepare: async (port) => {
      const log = join(folder, 'log');
      await makeLog(log, jars.formattedLog);
      const settings = join(folder, 'server.properties');
      await writeFile(settings, serverProperties(port, await choosePort(undefined), log));
      return {
        name: 'kafka',
        command: javaCommand(options.env),
        args: [
          ...['-Dhindsight.part=kafka', '-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:-UsePerfData'],
          `-Dlog4j2.configurationFile=${join(options.root, 'infra/local/kafka-log4j2.properties')}`,
          ...['-cp', jars.kafka, 'kafka.Kafka', settings],
        ],
        cwd: folder,
        env: options.env,
        logFile: join(options.dataFolder, 'logs', 'kafka.log'),
        part: true,
        readyMsMax: READY_MS_MAX,
        stopMsMax: STOP_MS_MAX,
        isReady: () => answersAsKafka('127.0.0.1', port),
      };
    },
  };
}

/** Renamed into place, so that a start that was killed here does not leave half of it. */
async function makeLog(log: string, formatted: string): Promise<void> {
  if (existsSync(join(log, 'meta.properties'))) return;
  const draft = `${log}.${String(process.pid)}`;
  await mkdir(draft, { recursive: true });
  await cp(formatted, draft, { recursive: true });
  makePrivateFolder(draft);
  await rm(log, { recursive: true, force: true });
  await rename(draft, log);
}

function serverProperties(port: number, controllerPort: number, log: string): string {
  const controller = `127.0.0.1:${String(controllerPort)}`;
  const broker = `127.0.0.1:${String(port)}`;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${broker},CONTROLLER://${controller}`,
    'advertised.listeners': `PLAINTEXT://${broker}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': log,
    // Topics are made by us, as schemas/topics.ts declares them; a misspelt name must fail.
    'auto.create.topics.enable': false,
    // A group's offsets outlive the longest retention of a topic (31 days).
    'offsets.retention.minutes': 44_640,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 8,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'log.cleaner.enable': true,
    // The default of 128 MB is taken from the heap at start, for compacting far more keys than one machine has.
    'log.cleaner.dedupe.buffer.size': 33_554_432,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value)}\n`)
    .join('');
}
