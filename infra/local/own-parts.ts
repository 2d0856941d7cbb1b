/** Starts the parts that this machine is to run, side by side, and says where each answers. */
import { bringJars, type JarsOptions } from './jars.ts';
import { clickHousePart, engineAccounts, type EngineAccounts } from './clickhouse.ts';
import { startPart, type EmbeddedPart } from './embedded-part.ts';
import { kafkaPart, type PartOptions } from './kafka.ts';
import { registryPart, registryUrl } from './registry.ts';
import type { Supervisor } from './supervisor.ts';

export interface OwnPartsOptions extends JarsOptions {
  readonly dataFolder: string;
  readonly supervisor: Supervisor;
  /** The parts to start. */
  readonly wanted: { readonly kafka: boolean; readonly registry: boolean; readonly clickhouse: boolean };
  /** Take the usual ports where they are free; else any. */
  readonly usualPorts: boolean;
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
  const at = (usualPort: number): PartOptions => ({
    ...options,
    usualPort: options.usualPorts ? usualPort : undefined,
  });
  const start = async (part: EmbeddedPart) => {
    const started = performance.now();
    const port = await startPart(options.supervisor, part);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    options.report(`  ${part.name}: ready after ${seconds} s on 127.0.0.1:${String(port)}`);
    return port;
  };
  return {
    ...(jars !== undefined &&
      wanted.kafka && {
        kafka: jars.then(async (found) => `127.0.0.1:${String(await start(kafkaPart(at(9092), found)))}`),
      }),
    ...(jars !== undefined &&
      wanted.registry && {
        registry: jars.then(async (found) => registryUrl(await start(registryPart(at(8081), found)))),
      }),
    ...(wanted.clickhouse && { clickhouse: startEngine(options, at(8123), start) }),
  };
}

async function startEngine(
  { dataFolder }: OwnPartsOptions,
  options: PartOptions,
  start: (part: EmbeddedPart) => Promise<number>,
): Promise<EmbeddedClickHouse> {
  const accounts = engineAccounts(dataFolder);
  const port = await start(clickHousePart(options, accounts));
  return { ...accounts, url: `http://127.0.0.1:${String(port)}` };
}
