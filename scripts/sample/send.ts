/** Plays a storefront through unmodified Customer.io clients. */
import { Analytics } from '@customerio/cdp-analytics-node';
import { TrackClient } from 'customerio-node';
import { Deliveries } from './deliveries.ts';
import type { Installation } from './installation.ts';
import type { Call, EventCall, IdentifyCall, Visitor } from './calls.ts';
import { OnSiteMessages } from './on-site-messages.ts';

/** Visitors that are on the site at one time. */
const visitorsAtOnceMax = 64;
const batchEventsMax = 15;
/** A machine with no time may take longer than the clients wait by themselves, and what they send again is a repeat. */
const answerMsMax = 120_000;

export interface PlayOptions {
  /** Calls a second, over all visitors; undefined: as fast as they are acknowledged. */
  readonly rate?: number;
  readonly onProgress?: (calls: number) => void;
}

/** A shop's two back ends: one on the Pipelines API, one on the Track API. */
export class Shop {
  readonly #analytics: Analytics;
  readonly #deliveries: Deliveries;
  readonly #track: TrackClient;
  readonly #onSite: OnSiteMessages;

  constructor({ http, keys }: Pick<Installation, 'http' | 'keys'>) {
    this.#onSite = new OnSiteMessages(http, keys.site_id);
    this.#analytics = new Analytics({
      writeKey: keys.write_key,
      host: http,
      maxEventsInBatch: batchEventsMax,
      flushInterval: 10,
      httpRequestTimeout: answerMsMax,
    });
    this.#deliveries = new Deliveries(this.#analytics);
    this.#track = new TrackClient(keys.site_id, keys.api_key, {
      url: `${http}/api/v1`,
      timeout: answerMsMax,
    });
  }

  /** Resolves when the call is acknowledged. */
  async make(call: Call): Promise<void> {
    if (call.type === 'repeat') return this.make(call.of);
    if (call.type === 'show') return this.#onSite.show(call);
    if (call.via === 'pipelines') return this.#pipelines(call);
    if (call.type === 'identify') {
      const claim = call.anonymousId === null ? {} : { anonymous_id: call.anonymousId };
      await this.#track.identify(call.userId, { ...call.traits, ...claim });
      return;
    }
    const data = {
      name: call.name,
      type: call.type,
      id: call.messageId,
      timestamp: Math.floor(call.timestamp / 1000),
      data: call.properties,
    };
    if (call.userId !== null) await this.#track.track(call.userId, data);
    else await this.#track.trackAnonymous(call.anonymousId ?? '', data);
  }

  async close(): Promise<void> {
    await this.#analytics.closeAndFlush({ timeout: 10_000 });
  }

  #pipelines(call: EventCall | IdentifyCall): Promise<void> {
    const who = {
      ...(call.anonymousId === null ? {} : { anonymousId: call.anonymousId }),
      ...(call.userId === null ? {} : { userId: call.userId }),
    } as { userId: string; anonymousId: string }; // the client's type wants one of both; the storefront gives at least one
    const common = { ...who, messageId: call.messageId, timestamp: new Date(call.timestamp) };
    const context = call.type !== 'identify' && call.context !== undefined ? { context: call.context } : {};
    const delivered = this.#deliveries.of(call.messageId);
    if (call.type === 'identify') this.#analytics.identify({ ...common, traits: call.traits });
    else if (call.type === 'page')
      this.#analytics.page({ ...common, ...context, name: call.name, properties: call.properties });
    else this.#analytics.track({ ...common, ...context, event: call.name, properties: call.properties });
    return delivered;
  }
}

/**
 * Makes every visitor's calls, many visitors at once. Before an identify, and after it, a visitor's calls are made one
 * by one, each acknowledged before the next, so that wire order is call order. Who is late goes on when all others are
 * done: their past has waited for a while then.
 */
export async function play(
  shop: Shop,
  visitors: readonly Visitor[],
  options: PlayOptions = {},
): Promise<number> {
  const pace = new Pace(options.rate);
  let calls = 0;
  const serveAll = async (waiting: Call[][]): Promise<void> => {
    const serve = async (): Promise<void> => {
      for (let mine = waiting.shift(); mine !== undefined; mine = waiting.shift()) {
        for (const group of groupsOf(mine)) {
          await pace.next(group.length);
          await Promise.all(group.map((call) => shop.make(call)));
          calls += group.length;
          options.onProgress?.(calls);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(visitorsAtOnceMax, waiting.length) }, serve));
  };
  const parts = visitors.map(({ calls: all, isLate }) => {
    const identify = isLate ? all.findIndex(({ type }) => type === 'identify') : -1;
    return identify < 0 ? [[...all], []] : [all.slice(0, identify), all.slice(identify)];
  });
  await serveAll(parts.map(([now = []]) => now));
  await serveAll(parts.flatMap(([, later = []]) => (later.length === 0 ? [] : [later])));
  return calls;
}

/** Anonymous events on the Pipelines API go out together; everything whose order counts goes alone. */
function groupsOf(calls: readonly Call[]): Call[][] {
  const groups: Call[][] = [];
  let open: Call[] | undefined;
  let identified = false;
  for (const call of calls) {
    identified ||= call.type === 'identify';
    const isEvent = call.type !== 'repeat' && call.type !== 'show';
    const together = !identified && isEvent && call.via === 'pipelines';
    if (!together) {
      groups.push([call]);
      open = undefined;
    } else if (open === undefined || open.length >= batchEventsMax) groups.push((open = [call]));
    else open.push(call);
  }
  return groups;
}

class Pace {
  readonly #rate: number | undefined;
  readonly #start = performance.now();
  #made = 0;
  constructor(rate: number | undefined) {
    this.#rate = rate;
  }
  async next(calls: number): Promise<void> {
    if (this.#rate === undefined) return;
    const waitMs = this.#start + (this.#made / this.#rate) * 1000 - performance.now();
    this.#made += calls;
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
