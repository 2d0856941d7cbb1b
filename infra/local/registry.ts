/** An embedded schema registry: Apicurio, with its Confluent-compatible API, its store one H2 file. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmbeddedPart } from './embedded-part.ts';
import type { Jars } from './jars.ts';
import type { PartOptions } from './kafka.ts';
import { answersAsRegistry } from './probes.ts';
import { javaCommand } from './requirements.mjs';

const READY_MS_MAX = 180_000;
const STOP_MS_MAX = 10_000;

/** Its own pattern of time is none, and its lines of each call would fill the log. */
const logSettings = [
  "-Dquarkus.log.console.format=%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c %m%n",
  '-Dquarkus.http.access-log.enabled=false',
  '-Dquarkus.log.category."io.apicurio".level=WARN',
];

/** The base to which `/schemas/ids/1` is added. */
export function registryUrl(port: number): string {
  return `http://127.0.0.1:${String(port)}/apis/ccompat/v7`;
}

export function registryPart(options: PartOptions, jars: Jars): EmbeddedPart {
  const folder = join(options.dataFolder, 'registry');
  return {
    name: 'registry',
    port: options.port,
    prepare: async (port) => {
      await mkdir(folder, { recursive: true });
      return {
        name: 'registry',
        command: javaCommand(options.env),
        args: [
          ...['-Dhindsight.part=registry', '-Xmx256m', '-XX:+UseSerialGC', '-XX:-UsePerfData'],
          '-XX:TieredStopAtLevel=1', // half the CPU of a start, and it never has much to do
          ...['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${String(port)}`],
          ...['-Dapicurio.datasource.jdbc.initial-size=2', '-Dapicurio.datasource.jdbc.min-size=2'],
          // While a busy machine starts it, a connection to its own file may take longer than the usual 5 s.
          '-Dquarkus.datasource.h2.jdbc.acquisition-timeout=120S',
          ...logSettings,
          ...['-jar', jars.registry],
        ],
        cwd: folder,
        env: {
          ...options.env,
          APICURIO_STORAGE_KIND: 'sql',
          APICURIO_STORAGE_SQL_KIND: 'h2',
          APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(folder, 'registry')}`,
        },
        logFile: join(options.dataFolder, 'logs', 'registry.log'),
        part: true,
        readyMsMax: READY_MS_MAX,
        stopMsMax: STOP_MS_MAX,
        isReady: () => answersAsRegistry(registryUrl(port)),
      };
    },
  };
}
