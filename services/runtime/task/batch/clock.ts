/**
 * The time of a task's batches. Normally the wall clock; under HINDSIGHT_TEST_CLOCK a clock that stands at the latest
 * of what was set on `definitions` and what records were received at. It never runs backwards, also not over a restart:
 * the last batch in the journal says where it was.
 */
import type { DefinitionsView } from '../../definitions.ts';
import type { TimePort } from '../../time.ts';

export class TaskClock {
  readonly standing: boolean;
  readonly #time: TimePort;
  #last = 0;

  constructor(time: TimePort, standing: boolean) {
    this.#time = time;
    this.standing = standing;
  }

  /** At least this late from now on: the time of a journaled batch, or a record's receive time on a standing clock. */
  advanceTo(time: number): void {
    if (time > this.#last) this.#last = time;
  }

  /** A standing clock that nothing has set yet, by a definition or a record, is the wall's, without holding on to it. */
  read(definitions: DefinitionsView): number {
    if (!this.standing) this.advanceTo(this.#time.now());
    else if (definitions.clock !== undefined) this.advanceTo(definitions.clock);
    return this.#last === 0 ? this.#time.now() : this.#last;
  }
}
