/** The intake of this process, over the log and the folder of everything kept. */
import { join } from 'node:path';
import type { Log } from '../../runtime/log/ports.ts';
import type { Logger } from '../../runtime/logger.ts';
import { realFiles } from '../../runtime/store/files.ts';
import type { GatewayConfig } from '../config.ts';
import type { QuietLog } from '../quiet-log.ts';
import { LogIntake, queueLimits } from './intake.ts';
import { ownSpool } from './owner.ts';
import { Spool } from './spool.ts';

/** What a lone event waits at most for others, and one among ten thousand per second. */
const lingerMs = 2;
const lingerMsMax = 20;
const HOUR_MS = 3_600_000;

export type OpenIntakeOptions = Pick<
  GatewayConfig,
  'dataFolder' | 'spoolBytesMax' | 'spoolWorkspaceShare' | 'spoolAfterMs' | 'spoolHoldHoursMax'
> & {
  readonly log: Log;
  readonly logger: Logger;
  readonly requestLog: QuietLog;
};

/** Its producer is its own, since it takes back all that is on its way. Closed with the log. */
export async function openIntake({
  log,
  logger,
  requestLog,
  ...config
}: OpenIntakeOptions): Promise<LogIntake> {
  const folder = join(config.dataFolder, 'spool');
  ownSpool(folder);
  const spool = Spool.open({
    files: realFiles,
    folder,
    bytesMax: config.spoolBytesMax,
    workspaceShare: config.spoolWorkspaceShare,
    holdMsMax: config.spoolHoldHoursMax * HOUR_MS,
    now: Date.now,
    logger,
  });
  return await LogIntake.open({
    producer: await log.producer({ lingerMs, lingerMsMax, pendingRecordsMax: queueLimits.recordsMax }),
    spool,
    spoolAfterMs: config.spoolAfterMs,
    log: requestLog,
  });
}
