/** Wires the routes of on-site messages to the log and to the service in-app. */
import { randomUUID } from 'node:crypto';
import type { Codecs } from '../../schemas/codec.ts';
import type { BrowserOptions } from '../browser/plugin.ts';
import { receiveTime, type StandingClock } from '../ingest/plugin.ts';
import { PageSigns, type OnSiteOptions } from '../on-site/plugin.ts';
import type { Log, Producer } from '../runtime/log/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import { learnSchema } from '../runtime/registry.ts';
import type { GatewayConfig } from './config.ts';
import { InAppCallsLog } from './in-app-calls.ts';
import { InAppAsker } from './in-app-view.ts';
import type { Usage } from './usage/counted.ts';

export interface OnSiteParts {
  readonly config: Pick<GatewayConfig, 'dataFolder' | 'registryUrl'>;
  readonly keys: OnSiteOptions['keys'];
  readonly log: Log;
  readonly producer: Producer;
  readonly codecs: Codecs;
  readonly logger: Logger;
  readonly clock: StandingClock | undefined;
  readonly usage: Usage;
}

export interface OnSite {
  readonly options: OnSiteOptions;
  /** A page has loaded its settings. */
  readonly loaded: BrowserOptions['loaded'];
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
  const signs = new PageSigns(Date.now);
  return {
    options: {
      ...{ keys, view, calls, receiveTime: receiveTime(clock), newId: randomUUID },
      signs,
    },
    loaded: (workspace, page) => {
      signs.note(workspace, 'loaded', { page });
    },
    close: async () => {
      view.close();
      await calls.close();
    },
  };
}
