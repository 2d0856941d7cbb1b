/**
 * Lines about requests that went wrong. Whoever can make requests can make as many of them go wrong, so each kind has one
 * line a minute at most, which says how often it happened since the last.
 */
import type { Logger } from '../runtime/logger.ts';

const pauseMs = 60_000;
/** Codes of errors are ours, Fastify's and Node's; none is made of what was sent. */
const kindsMax = 200;

interface Kind {
  since: number;
  saidAtMs: number;
  total: number;
}

export type RefusalCounts = Readonly<Record<string, number>>;

export class QuietLog {
  readonly #logger: Logger;
  readonly #monotonicMs: () => number;
  readonly #kinds = new Map<string, Kind>();

  constructor(logger: Logger, monotonicMs: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#monotonicMs = monotonicMs;
  }

  /** Since the start, by code: what is not yet in the log is here. */
  get counts(): RefusalCounts {
    return Object.fromEntries([...this.#kinds].map(([code, { total }]) => [code, total]));
  }

  /** @param fields told with the line that is written, of the occurrence that makes it so. */
  say(
    level: keyof Logger,
    code: string,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    const now = this.#monotonicMs();
    const kind = this.#kindOf(code);
    kind.since++;
    kind.total++;
    if (now - kind.saidAtMs < pauseMs) return;
    this.#logger[level]({ ...fields, code, count: kind.since }, message);
    kind.saidAtMs = now;
    kind.since = 0;
  }

  #kindOf(code: string): Kind {
    const name = this.#kinds.has(code) || this.#kinds.size < kindsMax ? code : 'other';
    const found = this.#kinds.get(name) ?? { since: 0, saidAtMs: -Infinity, total: 0 };
    this.#kinds.set(name, found);
    return found;
  }
}
