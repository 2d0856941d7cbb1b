import type { FailingRead, LogReader } from '../ports.ts';
import type { Logger } from '../../logger.ts';

/** Brokers start again, leaders move: that takes seconds. Whoever reads nothing for longer should be looked at. */
const FAILING_MS_MIN = 30_000;
/** A broker that was killed on a busy machine is back after a minute; what lasts longer does not mend itself. */
const LASTING_MS_MIN = 180_000;

/**
 * Partitions that a reader gets nothing but errors from, for long: to be told once, louder when it lasts, and shown as
 * long as it lasts.
 */
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
    const level = failing.some(({ forMs }) => forMs >= LASTING_MS_MIN) ? 'error' : 'warn';
    const told = failing.length === 0 ? '' : `${level} ${places}`;
    if (told === this.#told) return;
    this.#told = told;
    const [first] = failing;
    if (first === undefined) this.#logger.info({}, 'reads every partition again');
    else this.#logger[level]({ places, error: first.error }, 'reads nothing of some partitions');
  }
}

function placeOf({ topic, partition }: FailingRead): string {
  return `${topic} ${String(partition)}`;
}
