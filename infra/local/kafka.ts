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

const READY_MS_MAX = 180_000;
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
      const controllerPort = await choosePort(undefined);
      const voters = `1@127.0.0.1:${String(controllerPort)}`;
      const node = { id: 1, port, controllerPort, voters, log, copies: 1, inSyncMin: 1 };
      await writeFile(settings, kafkaProperties(node));
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

export interface KafkaNode {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  /** id@host:port,… of all controllers. */
  readonly voters: string;
  /** Its folder. */
  readonly log: string;
  /** Of each partition, and how many of them have to be in step. */
  readonly copies: number;
  readonly inSyncMin: number;
}

/** @param more settings that are other than usual. @returns the text of a file of properties. */
export function kafkaProperties(node: KafkaNode, more: Readonly<Record<string, number>> = {}): string {
  const { id, port, controllerPort, voters, log, copies, inSyncMin } = node;
  const controller = `127.0.0.1:${String(controllerPort)}`;
  const broker = `127.0.0.1:${String(port)}`;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': voters,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${broker},CONTROLLER://${controller}`,
    'advertised.listeners': `PLAINTEXT://${broker}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': log,
    // Topics are made by us, as schemas/topics.ts declares them; a misspelt name must fail.
    'auto.create.topics.enable': false,
    'default.replication.factor': copies,
    'min.insync.replicas': inSyncMin,
    // A group's offsets outlive the longest retention of a topic (31 days).
    'offsets.retention.minutes': 44_640,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 8,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.num.partitions': 8,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSyncMin,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'log.cleaner.enable': true,
    // The default of 128 MB is taken from the heap at start, for compacting far more keys than one machine has.
    'log.cleaner.dedupe.buffer.size': 33_554_432,
    // Records that only say that the controller is alive: of two a second nobody makes anything on one machine.
    'metadata.max.idle.interval.ms': 5_000,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    ...more,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value)}\n`)
    .join('');
}
