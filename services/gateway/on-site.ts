/** Wires the routes of on-site messages to the log and to the service in-app. */
import { randomUUID } from 'node:crypto';
import type { Codecs } from '../../schemas/codec.ts';
import { holdMsMax } from '../../schemas/hold.ts';
import type { OnSiteOptions } from '../on-site/plugin.ts';
import type { Log, Producer } from '../runtime/log/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import { learnSchema } from '../runtime/registry.ts';
import type { GatewayConfig } from './config.ts';
import { InAppCallsLog } from './in-app-calls.ts';
import { InAppAsker } from './in-app-view.ts';

/** The clock that all tasks of a test installation stand at; as ingest has it. */
export interface StandingClock {
  now(): number | undefined;
  advanceTo(time: number): Promise<void>;
}

export interface OnSiteParts {
  readonly config: Pick<GatewayConfig, 'dataFolder' | 'registryUrl'>;
  readonly keys: OnSiteOptions['keys'];
  readonly log: Log;
  readonly producer: Producer;
  readonly codecs: Codecs;
  readonly logger: Logger;
  readonly clock: StandingClock | undefined;
}

export interface OnSite {
  readonly options: OnSiteOptions;
  close(): Promise<void>;
}

export async function openOnSite({ config, keys, codecs, clock, ...parts }: OnSiteParts): Promise<OnSite> {
  const view = new InAppAsker(config);
  const calls = new InAppCallsLog({
    ...parts,
    codecs,
    learnSchema: (schemaId) => learnSchema({ url: config.registryUrl }, codecs, schemaId),
  });
  await calls.open();
  return {
    options: { keys, view, calls, receiveTime: receiveTime(clock), newId: randomUUID },
    close: async () => {
      view.close();
      await calls.close();
    },
  };
}

/** The wall's, or under HINDSIGHT_TEST_CLOCK that of the header (contract, *Running it*). */
export function receiveTime(clock: StandingClock | undefined): OnSiteOptions['receiveTime'] {
  return async (header) => {
    if (clock === undefined) return Date.now();
    if (header === undefined) return clock.now() ?? Date.now();
    const time = typeof header === 'string' ? Date.parse(header) : NaN;
    const now = clock.now() ?? -Infinity;
    if (Number.isNaN(time) || time < now - holdMsMax) return undefined;
    if (time > now) await clock.advanceTo(time);
    return time;
  };
}
