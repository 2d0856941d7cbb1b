/** Starts the parts that this machine is to run, side by side, and says where each answers. */
import { bringJars, type JarsOptions } from './jars.ts';
import { clickHousePart, engineAccounts, type EngineAccounts } from './clickhouse.ts';
import { startPart, type EmbeddedPart } from './embedded-part.ts';
import { kafkaPart, type PartOptions } from './kafka.ts';
import { registryPart, registryUrl } from './registry.ts';
import { keepPort, portOf, type PartName, type PartPorts } from './part-ports.ts';
import type { Supervisor } from './supervisor.ts';

export interface OwnPartsOptions extends JarsOptions {
  readonly dataFolder: string;
  readonly supervisor: Supervisor;
  /** The parts to start. */
  readonly wanted: { readonly kafka: boolean; readonly registry: boolean; readonly clickhouse: boolean };
  /** Absent: any free ones, for tests. */
  readonly ports?: PartPorts;
}

/** Each settles when its part answers; absent: not wanted. */
export interface OwnParts {
  /** host:port */
  readonly kafka?: Promise<string>;
  readonly registry?: Promise<string>;
  readonly clickhouse?: Promise<EmbeddedClickHouse>;
}
export interface EmbeddedClickHouse extends EngineAccounts {
  readonly url: string;
}

export function startOwnParts(options: OwnPartsOptions): OwnParts {
  const { wanted } = options;
  const jars = wanted.kafka || wanted.registry ? bringJars(options) : undefined;
  const { ports } = options;
  const at = (part: PartName): PartOptions => ({
    ...options,
    port: ports === undefined ? { usual: undefined } : portOf(ports, options.dataFolder, part),
  });
  const start = async (name: PartName, part: EmbeddedPart) => {
    const started = performance.now();
    const port = await startPart(options.supervisor, part, options.report);
    if (ports !== undefined) keepPort(options.dataFolder, name, port);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    options.report(`  ${part.name}: ready after ${seconds} s on 127.0.0.1:${String(port)}`);
    return port;
  };
  return {
    ...(jars !== undefined &&
      wanted.kafka && {
        kafka: jars.then(
          async (found) => `127.0.0.1:${String(await start('kafka', kafkaPart(at('kafka'), found)))}`,
        ),
      }),
    ...(jars !== undefined &&
      wanted.registry && {
        registry: jars.then(async (found) =>
          registryUrl(await start('registry', registryPart(at('registry'), found))),
        ),
      }),
    ...(wanted.clickhouse && { clickhouse: startEngine(options, at('clickhouse'), start) }),
  };
}

async function startEngine(
  { dataFolder }: OwnPartsOptions,
  options: PartOptions,
  start: (name: PartName, part: EmbeddedPart) => Promise<number>,
): Promise<EmbeddedClickHouse> {
  const accounts = engineAccounts(dataFolder);
  const port = await start('clickhouse', clickHousePart(options, accounts));
  return { ...accounts, url: `http://127.0.0.1:${String(port)}` };
}
