/** The App API: definitions, workspaces, trace, health, and its own description. Mounted by the gateway. */
import type { FastifyInstance } from 'fastify';
import { knownBeforeBody } from './known-before-body.ts';
import { mountActivities } from './activities/routes.ts';
import { mountCustomers } from './customers/routes.ts';
import { mountDefinitions } from './definitions.ts';
import { mountFragmentation } from './fragmentation.ts';
import { holdAnswers } from './held-answers.ts';
import { InForce } from './in-force.ts';
import { mountHealth, type HealthOptions } from './health.ts';
import { mountOpenapi } from './openapi.ts';
import { mountKeys } from './keys.ts';
import { mountLive } from './live.ts';
import { mountExplain } from './explain/routes.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type {
  DefinitionsStore,
  KeyStore,
  LiveSource,
  Query,
  RulesView,
  TableStore,
  WorkspaceUsage,
} from './ports.ts';
import { mountPreview } from './preview.ts';
import { mountReplay } from './replay.ts';
import { mountMessageReport } from './reports/message-report.ts';
import { mountReports } from './reports/routes.ts';
import { mountSegments } from './segments/routes.ts';
import { mountTables } from './tables.ts';
import { mountTestClock } from './test-clock.ts';
import { mountTrace } from './trace.ts';
import { mountUsage } from './usage.ts';
import { mountVersions } from './versions.ts';
import { mountWorkspaces } from './workspaces.ts';

export type { DefinitionsStore, KeyStore, Query, RulesView, ServiceStatus, Statuses } from './ports.ts';

export interface AppOptions {
  readonly keys: KeyStore;
  readonly definitions: DefinitionsStore;
  readonly tables: TableStore;
  readonly query: Query;
  readonly rules: RulesView;
  readonly health: HealthOptions;
  readonly live: LiveSource;
  readonly usage: (workspace: Workspace) => WorkspaceUsage;
  /** What waits for one reader of live calls; 256 kB unless a test says otherwise. */
  readonly liveReaderBytesMax?: number;
  /** HINDSIGHT_TEST_CLOCK */
  readonly isTestClockOn: boolean;
  /** ms, HINDSIGHT_IN_FORCE_WAIT_MS */
  readonly inForceWaitMsMax: number;
}

export function appPlugin(app: FastifyInstance, options: AppOptions, done: () => void): void {
  app.addHook('onRequest', knownBeforeBody(options.keys));
  holdAnswers(app, options.keys);
  const { definitions, health, inForceWaitMsMax: waitMsMax } = options;
  const inForce = new InForce({ statuses: health.statuses, definitions, waitMsMax });
  app.addHook('preClose', (closed) => {
    inForce.close();
    closed();
  });
  mountWorkspaces(app, { ...options, inForce });
  mountKeys(app, options);
  const { keys, live, liveReaderBytesMax: readerBytesMax } = options;
  mountLive(app, { keys, live, ...(readerBytesMax !== undefined && { readerBytesMax }) });
  mountFragmentation(app, options);
  mountDefinitions(app, { ...options, inForce });
  mountVersions(app, options);
  mountExplain(app, options);
  mountPreview(app, options);
  mountReplay(app, options);
  mountCustomers(app, options);
  mountActivities(app, options);
  mountSegments(app, { ...options, inForce });
  mountReports(app, { ...options, now: () => health.clock() ?? Date.now() });
  mountMessageReport(app, options);
  mountOpenapi(app);
  mountTrace(app, options);
  mountTables(app, options);
  mountUsage(app, options);
  mountHealth(app, health);
  if (options.isTestClockOn) mountTestClock(app, { ...options, inForce });
  done();
}
