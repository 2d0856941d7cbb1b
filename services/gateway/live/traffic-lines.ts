/** A line of the log for each minute in which something came: how many calls, refusals by reason, and how far who is behind. */
import type { TopicId } from '../../../schemas/topics.ts';
import type { Statuses } from '../../app/plugin.ts';
import type { LogAdmin } from '../../runtime/log/ports.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Minute, Traffic } from './traffic.ts';

export const trafficPauseMs = 60_000;
const services = ['merger', 'identity', 'trigger', 'in-app', 'sink'] as const;

export interface TrafficLinesOptions {
  readonly traffic: Traffic;
  readonly statuses: Pick<Statuses, 'of'>;
  readonly admin: Pick<LogAdmin, 'writtenOffsets'>;
  readonly logger: Pick<Logger, 'info'>;
  /** ms */
  readonly now: () => number;
}

export class TrafficLines {
  readonly #options: TrafficLinesOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TrafficLinesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.write(), trafficPauseMs);
    this.#timer.unref();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  async write(): Promise<void> {
    const minute = this.#options.traffic.end(this.#options.now());
    if (minute === undefined) return;
    const lagRecords = await this.#lag();
    const { calls, corrected, refused } = minute;
    const fields = { calls, corrected, refused, refusals: byReason(minute), lag_records: lagRecords };
    this.#options.logger.info(fields, 'traffic of the last minute');
  }

  /** Records that each service has not handled yet, of all that it reads; null: it does not say. */
  async #lag(): Promise<Readonly<Record<string, number | null>>> {
    const lags = services.map(
      async (service) => [service, await this.#lagOf(service).catch(() => null)] as const,
    );
    return Object.fromEntries(await Promise.all(lags));
  }

  async #lagOf(service: string): Promise<number | null> {
    const inputs = (await this.#options.statuses.of(service))?.inputs;
    if (inputs === undefined) return null;
    const topics = Object.entries(inputs) as [TopicId, readonly number[]][]; // the keys of a record by TopicId
    const behind = topics.map(async ([topic, handled]) => {
      const ends = await this.#options.admin.writtenOffsets(topic);
      return ends.reduce((sum, end, partition) => sum + Math.max(end - (handled[partition] ?? 0), 0), 0);
    });
    return (await Promise.all(behind)).reduce((sum, each) => sum + each, 0);
  }
}

function byReason({ refusals }: Minute): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { reason, count } of refusals) sums[reason] = (sums[reason] ?? 0) + count;
  return sums;
}
