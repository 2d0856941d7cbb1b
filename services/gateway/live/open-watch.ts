/** All that watches the door: the last calls and who reads along, counts of refusals, lines of the log. */
import type { Codec } from '../../../schemas/codec.ts';
import type { Statuses } from '../../app/plugin.ts';
import type { LogAdmin, Producer } from '../../runtime/log/ports.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { QuietLog } from '../quiet-log.ts';
import { LimitedRows } from './limited-rows.ts';
import { LiveCalls } from './live-calls.ts';
import { RefusalCounts } from './refusal-counts.ts';
import { Traffic } from './traffic.ts';
import { TrafficLines } from './traffic-lines.ts';

export interface WatchParts {
  readonly producer: Producer;
  readonly codec: Codec<'DroppedEvent'>;
  readonly logger: Logger;
  readonly requestLog: QuietLog;
  readonly statuses: Statuses;
  readonly admin: Pick<LogAdmin, 'writtenOffsets'>;
}

export function openWatch({ requestLog, statuses, admin, ...parts }: WatchParts) {
  const refusals = new RefusalCounts();
  const traffic = new Traffic();
  const limitedRows = new LimitedRows({ ...parts, refusals, now: Date.now });
  const trafficLines = new TrafficLines({ ...parts, traffic, statuses, admin, now: Date.now });
  limitedRows.start();
  trafficLines.start();
  return {
    live: new LiveCalls({ refusals, traffic, log: requestLog }),
    /** For the status server. */
    status: () => ({ refused_calls: refusals.byReason, last_minute: traffic.last ?? null }),
    close: async () => {
      await trafficLines.close();
      await limitedRows.close();
    },
  };
}
