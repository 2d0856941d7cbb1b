/** Wires the routes of on-site messages to the log and to the service in-app. */
import { randomUUID } from 'node:crypto';
import type { Codecs } from '../../schemas/codec.ts';
import type { BrowserOptions } from '../browser/plugin.ts';
import { receiveTime, type StandingClock } from '../ingest/plugin.ts';
import { laneKey } from '../../schemas/lanes.ts';
import type { Intake } from '../ingest/ports.ts';
import { TakenRecords } from '../runtime/taken-records.ts';
import { consentRecord, PageSigns, type OnSiteOptions } from '../on-site/plugin.ts';
import type { Log, Producer } from '../runtime/log/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import { learnSchema } from '../runtime/registry.ts';
import type { GatewayConfig } from './config.ts';
import { InAppCallsLog } from './in-app-calls.ts';
import { InAppAsker } from './in-app-view.ts';
import { admit, type Usage } from './usage/counted.ts';

export interface OnSiteParts {
  readonly config: Pick<GatewayConfig, 'dataFolder' | 'registryUrl'>;
  readonly keys: OnSiteOptions['keys'];
  readonly log: Log;
  readonly producer: Producer;
  readonly intake: Intake;
  readonly codecs: Codecs;
  readonly logger: Logger;
  readonly clock: StandingClock | undefined;
  readonly usage: Usage;
}

export interface OnSite {
  readonly options: OnSiteOptions;
  /** What pages load is told of pages that have loaded their settings. */
  readonly browser: Pick<BrowserOptions, 'keys' | 'loaded'>;
  close(): Promise<void>;
}

export async function openOnSite({
  config,
  keys,
  codecs,
  clock,
  intake,
  ...parts
}: OnSiteParts): Promise<OnSite> {
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
      recordConsent: consentInto(intake, codecs, parts.usage),
    },
    browser: {
      keys,
      loaded: (workspace, page) => {
        signs.note(workspace, 'loaded', { page });
      },
    },
    close: async () => {
      view.close();
      await calls.close();
    },
  };
}

/** In the visitor's lane, among what they did. */
export function consentInto(
  intake: Pick<Intake, 'take'>,
  codecs: Pick<Codecs, 'CollectedEvent'>,
  usage: Usage,
): OnSiteOptions['recordConsent'] {
  return async (said) => {
    const { workspace, anonymousId } = said;
    admit(usage, workspace);
    const key = Buffer.from(laneKey(workspace, { anonymousId, identifier: null, messageId: '' }));
    const value = codecs.CollectedEvent.encode(consentRecord(said));
    await intake.take(TakenRecords.of({ topic: 'eventsCollected', workspace }, key, value));
  };
}
