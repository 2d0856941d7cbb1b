/**
 * Who runs which tasks, decided while they run, as a consumer group used for membership would decide it: the second
 * implementation of the port, for tests and the simulator. It rests on nothing but the port's promises, so the real
 * protocol can take its place.
 *
 *   hears       a member that gives a task back has stopped it before another gains it
 *   is cut off  another gains the task at once; the member runs on as a zombie until the broker fences it, and hears at
 *               its next heartbeat that the task is no longer its own
 */
import { assert } from '../../runtime/errors.ts';
import type { Assignment, AssignmentEvents } from '../../runtime/task/layout/assignment.ts';
import type { TimePort } from '../../runtime/time.ts';

const HEARTBEAT_MS = 300;
/** A member that has not given a task back by then is taken for dead. */
const GIVE_BACK_MS_MAX = 10_000;

export class Membership {
  readonly #time: Pick<TimePort, 'sleep'>;
  readonly #owners = new Map<number, Member>();
  #moves = 0;
  /** One move at a time, as between two rebalances. */
  #moved: Promise<void> = Promise.resolve();

  constructor(time: Pick<TimePort, 'sleep'>) {
    this.#time = time;
  }

  /** @param exit ends the process of a member that is fenced after it has been left out. */
  join(exit: (code: number) => void): Member {
    return new Member(this, this.#time, exit);
  }

  /** A rebalance is under way. */
  get isMoving(): boolean {
    return this.#moves > 0;
  }

  owner(task: number): Member | undefined {
    return this.#owners.get(task);
  }

  /** The task becomes the member's, once who has it has given it back. */
  move(task: number, to: Member): Promise<void> {
    this.#moves += 1;
    this.#moved = this.#moved.then(async () => {
      await this.#move(task, to);
      this.#moves -= 1;
    });
    return this.#moved;
  }

  async #move(task: number, to: Member): Promise<void> {
    const from = this.#owners.get(task);
    if (from === to) return;
    this.#owners.delete(task);
    await Promise.race([from?.giveBack(task), this.#time.sleep(GIVE_BACK_MS_MAX)]);
    if (to.isGone) return;
    this.#owners.set(task, to);
    to.take(task);
  }

  /** The same, but who has it is cut off. */
  seize(task: number, to: Member): void {
    const from = this.#owners.get(task);
    if (from === to || to.isGone) return;
    this.#owners.set(task, to);
    to.take(task);
  }

  /** Its tasks are nobody's. */
  leftOut(member: Member): readonly number[] {
    const tasks = [...this.#owners].filter(([, owner]) => owner === member).map(([task]) => task);
    for (const task of tasks) this.#owners.delete(task);
    return tasks;
  }
}

export class Member implements Assignment {
  readonly #group: Membership;
  readonly #time: Pick<TimePort, 'sleep'>;
  readonly #exit: (code: number) => void;
  readonly #running = new Set<number>();
  #events: AssignmentEvents | undefined;
  #isGone = false;

  constructor(group: Membership, time: Pick<TimePort, 'sleep'>, exit: (code: number) => void) {
    this.#group = group;
    this.#time = time;
    this.#exit = exit;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  start(events: AssignmentEvents): Promise<void> {
    this.#events = events;
    return Promise.resolve();
  }

  /** Somebody else has the task, or had it in between: what the next heartbeat says decides. */
  fenced(task: number): void {
    if (this.#isGone) {
      this.#exit(1);
      return;
    }
    void this.#time.sleep(HEARTBEAT_MS).then(async () => {
      if (this.#isGone || !this.#running.has(task)) return;
      await this.giveBack(task);
      if (this.#group.owner(task) === this) this.take(task);
    });
  }

  /** Whoever stops hands on what it has, at rest. */
  async stop(): Promise<void> {
    const tasks = this.#group.leftOut(this);
    this.#isGone = true;
    await Promise.all(tasks.map((task) => this.giveBack(task)));
  }

  /** It is dead, or the group believes so. */
  leaveOut(): readonly number[] {
    this.#isGone = true;
    return this.#group.leftOut(this);
  }

  take(task: number): void {
    assert(this.#events !== undefined, 'a member that gains tasks has started');
    if (this.#running.has(task)) return; // it had not heard that the task was another's in between
    this.#running.add(task);
    this.#events.gained(task);
  }

  async giveBack(task: number): Promise<void> {
    if (!this.#running.delete(task)) return;
    await this.#events?.lost(task);
  }
}
