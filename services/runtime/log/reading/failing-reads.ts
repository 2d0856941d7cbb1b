import type { FailingRead, LogReader } from '../ports.ts';
import type { Logger } from '../../logger.ts';

/** Brokers start again, leaders move: that takes seconds. Whoever reads nothing for longer should be looked at. */
const FAILING_MS_MIN = 30_000;

/** Partitions that a reader gets nothing but errors from, for long: to be told once, and shown as long as it lasts. */
export class FailingReads {
  readonly #reader: LogReader;
  readonly #logger: Logger;
  #told = '';

  constructor(reader: LogReader, logger: Logger) {
    this.#reader = reader;
    this.#logger = logger;
  }

  get now(): readonly FailingRead[] {
    return this.#reader.failing(FAILING_MS_MIN);
  }

  /** Undefined while all is well. */
  get detail(): string | undefined {
    const [first, ...others] = this.now;
    if (first === undefined) return undefined;
    const more = others.length === 0 ? '' : `, and nothing of ${String(others.length)} other`;
    return `reads nothing of ${placeOf(first)} for ${String(Math.round(first.forMs / 1_000))} s (${first.error.message})${more}`;
  }

  /** To be called now and then. */
  tell(): void {
    const failing = this.now;
    const places = failing.map(placeOf).join(', ');
    if (places === this.#told) return;
    this.#told = places;
    const [first] = failing;
    if (first === undefined) this.#logger.info({}, 'reads every partition again');
    else this.#logger.error({ places, error: first.error }, 'reads nothing of some partitions');
  }
}

function placeOf({ topic, partition }: FailingRead): string {
  return `${topic} ${String(partition)}`;
}
