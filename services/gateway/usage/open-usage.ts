/** What workspaces bring, and what room the disk has, wired to the settings and to the folder of everything kept. */
import type { Workspace } from '../../../schemas/ids.ts';
import type { WorkspaceUsage } from '../../app/ports.ts';
import type { DefinitionsView } from '../../runtime/definitions.ts';
import type { Logger } from '../../runtime/logger.ts';
import { settingsOf } from '../../runtime/workspace-settings.ts';
import type { Clickhouse } from '../clickhouse.ts';
import type { GatewayConfig } from '../config.ts';
import type { FairQueue } from '../questions/fair-queue.ts';
import { questionLimits } from '../questions/question-settings.ts';
import type { QuietLog } from '../quiet-log.ts';
import { DiskRoom } from './disk-room.ts';
import { KeptCounts } from './kept-counts.ts';
import { WorkspaceBytes } from './workspace-bytes.ts';

export interface UsageParts {
  readonly definitions: Pick<DefinitionsView, 'get'>;
  readonly clickhouse: Pick<Clickhouse, 'questions'>;
  readonly log: Pick<QuietLog, 'say'>;
  readonly logger: Pick<Logger, 'warn'>;
}

export async function openUsage(
  {
    dataFolder,
    diskFreeBytesMin,
    workspaceDayBytesMax,
  }: Pick<GatewayConfig, 'dataFolder' | 'diskFreeBytesMin' | 'workspaceDayBytesMax'>,
  { definitions, clickhouse: { questions }, log, logger }: UsageParts,
) {
  const bytes = new WorkspaceBytes({
    quotas: (workspace) => settingsOf(definitions, workspace).quotas,
    dayBytesMax: workspaceDayBytesMax === 0 ? null : workspaceDayBytesMax,
    now: Date.now,
  });
  const kept = new KeptCounts({ dataFolder, bytes, logger });
  const disk = await new DiskRoom({ folder: dataFolder, freeBytesMin: diskFreeBytesMin, log }).open();
  return {
    bytes,
    disk,
    of: (workspace: Workspace) => usageOf(workspace, { bytes, questions }),
    /** For the status server. */
    status: () => ({
      workspaces_over_quota: bytes.overQuota,
      disk: disk.health,
      questions: questions.counts,
    }),
    close: async () => {
      await disk.close();
      await kept.close();
    },
  };
}

interface Counted {
  readonly bytes: Pick<WorkspaceBytes, 'usageOf' | 'waitS'>;
  readonly questions: Pick<FairQueue, 'countsOf'>;
}

export function usageOf(workspace: Workspace, { bytes, questions }: Counted): WorkspaceUsage {
  return {
    brought: bytes.usageOf(workspace),
    over_quota: bytes.waitS(workspace) !== undefined,
    questions: {
      ...questions.countsOf(workspace),
      running_max: questionLimits.workspaceRunningMax,
      waiting_max: questionLimits.workspaceWaitingMax,
    },
  };
}
