/**
 * A standing clock jumps. An event that was acknowledged before the jump may not have been fetched when its partition
 * was last seen at its end; a watermark that trusted that end would let timers run ahead of the event. So the end
 * offsets are asked for after the jump, and the new time counts for a partition only once it has been read that far.
 */
import type { TopicId } from '../../../../schemas/topics.ts';
import type { LogAdmin } from '../../log/ports.ts';
import type { TaskPlan } from '../task-plan.ts';

export class StandingEnds {
  readonly #topic: TopicId | undefined;
  readonly #admin: Pick<LogAdmin, 'endOffsets'>;
  #movedTo = -1;
  #ends: readonly number[] | undefined;

  constructor({ spec, standingClock }: TaskPlan, admin: Pick<LogAdmin, 'endOffsets'>) {
    this.#topic = standingClock && spec.watermarks !== undefined ? spec.inputs[0] : undefined;
    this.#admin = admin;
  }

  /** Of the first input, read after the clock's last move; undefined before, and where the clock runs. */
  get ends(): readonly number[] | undefined {
    return this.#ends;
  }
  /** The clock's last move, ms. */
  get movedTo(): number {
    return Math.max(0, this.#movedTo);
  }

  async readAt(clock: number): Promise<void> {
    if (this.#topic === undefined || clock === this.#movedTo) return;
    this.#ends = await this.#admin.endOffsets(this.#topic);
    this.#movedTo = clock;
  }
}
