/**
 * Calls over a rate limit or a quota, as rows of `dropped`: one for each key and reason a minute, which says how many, and not
 * one a call. A workspace over its quota has a line of the log as well: what it sends is not kept until the hour or day ends.
 */
import type { Codec } from '../../../schemas/codec.ts';
import { droppedEvent } from '../../../schemas/dropped-event.ts';
import type { Producer } from '../../runtime/log/ports.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { RefusalCounts } from './refusal-counts.ts';

export const limitedRowsPauseMs = 60_000;

export interface LimitedRowsOptions {
  readonly refusals: RefusalCounts;
  readonly producer: Pick<Producer, 'send'>;
  readonly codec: Codec<'DroppedEvent'>;
  readonly logger: Pick<Logger, 'warn'>;
  /** ms */
  readonly now: () => number;
}

export class LimitedRows {
  readonly #options: LimitedRowsOptions;
  /** As it was when the last row was written. No more than the counts have. */
  readonly #told = new Map<string, number>();
  #since: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LimitedRowsOptions) {
    this.#options = options;
    this.#since = options.now();
  }

  start(): void {
    this.#timer = setInterval(() => void this.write(), limitedRowsPauseMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  /** A row that could not be written is part of the next one. */
  async write(): Promise<void> {
    const { refusals, producer, codec, logger, now } = this.#options;
    const at = now();
    for (const { workspace, key, reason: code, count } of refusals.limited) {
      const reason = code === 'workspace_over_quota' ? code : 'rate_limited';
      const told = `${key}/${reason}`;
      const calls = count - (this.#told.get(told) ?? 0);
      if (calls === 0) continue;
      const detail = JSON.stringify({ key, calls, since: new Date(this.#since).toISOString() });
      const row = droppedEvent({ workspace, reason, stage: 'ingest', at, detail });
      if (reason === 'workspace_over_quota')
        logger.warn({ workspace, key, calls, code }, 'calls over a quota were not taken');
      try {
        await producer.send('eventsDropped', Buffer.from(workspace), codec.encode(row));
        this.#told.set(told, count);
      } catch (error) {
        logger.warn({ error, workspace }, 'how many calls were over a limit could not be written yet');
      }
    }
    this.#since = at;
  }
}
