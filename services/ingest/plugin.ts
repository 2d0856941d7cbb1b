/** The routes that take calls about visitors and people. Mounted by the gateway, which reads bodies to Buffers. */
import type { FastifyInstance } from 'fastify';
import type { Workspace } from '../../schemas/ids.ts';
import { silentLogger, type Logger } from '../runtime/logger.ts';
import { defaultSettings, type WorkspaceSettings } from '../runtime/workspace-settings.ts';
import type { Keys } from './authenticate.ts';
import { CallLimits, type QuotaWait } from './call-limits.ts';
import { reportCorrections } from './report-corrections.ts';
import { deliverTo, type DeliveryOptions } from './deliver.ts';
import { watchDoor, type Watch } from './door-watch.ts';
import { messageIds } from './message-ids.ts';
import { mountPipelines } from './pipelines-routes.ts';
import { RateLimits } from './rate-limits.ts';
import { receiveTime, type StandingClock } from './receive-time.ts';
import type { IngestRoutes } from './request.ts';
import { mountSegments } from './segments-routes.ts';
import { mountSplit } from './split-route.ts';
import { mountTrackV1 } from './track-v1-routes.ts';
import { mountTrackV2 } from './track-v2-routes.ts';
import { sawUnknown, type SawUnknown } from './unknown-route.ts';
import { wholeCalls, type WholeCalls } from './whole-calls.ts';

export type { PlainAnswer } from './answers.ts';
export type { WholeCalls } from './whole-calls.ts';
/** Other calls of a page are received in the same way. */
export { receiveTime, type StandingClock } from './receive-time.ts';

export interface IngestOptions extends DeliveryOptions {
  readonly keys: Keys;
  /** In force now; the defaults if not given. */
  readonly settings?: (workspace: Workspace) => WorkspaceSettings;
  /** Of a segment that is stored now; none is if not given. */
  readonly segmentType?: IngestRoutes['segmentType'];
  readonly logger?: Pick<Logger, 'warn'>;
  /** Sees every call and its answer. */
  readonly watch?: Watch;
  /** Of what a workspace brings; there is none if not given. */
  readonly quotaWaitS?: QuotaWait;
  /** ms that only grow, of rate limits. */
  readonly limitsMonotonicMs?: () => number;
  /** Under HINDSIGHT_TEST_CLOCK only. */
  readonly testClock: StandingClock | undefined;
}

/** What takes calls: routes to mount, and what answers those that have come whole. */
export interface Ingest {
  readonly plugin: (app: FastifyInstance, options: object, done: () => void) => void;
  /** undefined under a standing clock, which the ordinary way alone asks. */
  readonly whole: WholeCalls | undefined;
  /** Tells watchers of a call that no route takes. */
  readonly sawUnknown: SawUnknown;
}

export function openIngest(options: IngestOptions): Ingest {
  const { keys, testClock, settings = () => defaultSettings, logger = silentLogger } = options;
  const watch = options.watch ?? { saw: () => undefined };
  const deliver = deliverTo(options);
  const report = reportCorrections(logger);
  const quotaWaitS = options.quotaWaitS ?? (() => undefined);
  const limits = new CallLimits(new RateLimits(settings, options.limitsMonotonicMs), quotaWaitS);
  const routes: IngestRoutes = {
    keys,
    deliver: (outcomes) => {
      report(outcomes);
      return deliver(outcomes);
    },
    settings,
    segmentType: options.segmentType ?? (() => undefined),
    limits,
    receiveTime: receiveTime(testClock),
    mintMessageId: messageIds(),
  };
  const plugin: Ingest['plugin'] = (app, _options, done) => {
    watchDoor(app, limits, watch);
    mountTrackV1(app, routes);
    mountTrackV2(app, routes);
    mountPipelines(app, routes);
    mountSegments(app, routes);
    mountSplit(app, routes);
    done();
  };
  const whole = testClock === undefined ? wholeCalls(routes, watch) : undefined;
  return { plugin, whole, sawUnknown: sawUnknown(keys, watch) };
}
