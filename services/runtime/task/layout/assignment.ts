/**
 * Which tasks this process runs. Static: instance i of n (embedded: 0 of 1) runs the tasks whose number modulo n is i,
 * for as long as it lives, and one that is fenced ends its process. A consumer group used for membership only would be
 * a second implementation, which gains and loses tasks as it runs; hence the callbacks.
 */
import { CodedError } from '../../errors.ts';

export interface AssignmentEvents {
  readonly gained: (task: number) => void;
  /** Resolves when the task has stopped. */
  readonly lost: (task: number) => Promise<void>;
}

export interface Assignment {
  start(events: AssignmentEvents): Promise<void>;
  /** The task's transactional id has a newer owner. Static: ends the process; group: first needs a good heartbeat. */
  fenced(task: number): void;
  stop(): Promise<void>;
}

export interface StaticAssignmentOptions {
  readonly instance: number;
  readonly instances: number;
  readonly tasks: number;
  readonly exit: (code: number) => void;
}

export class StaticAssignment implements Assignment {
  readonly #options: StaticAssignmentOptions;

  constructor(options: StaticAssignmentOptions) {
    const { instance, instances, tasks } = options;
    if (instance >= instances || instances > tasks) {
      throw new CodedError(
        'settings_invalid',
        `could not assign ${String(tasks)} tasks to instance ${String(instance)} of ${String(instances)}`,
        { hint: 'Instances count from 0, and there must be at least as many tasks as instances.' },
      );
    }
    this.#options = options;
  }

  start({ gained }: AssignmentEvents): Promise<void> {
    const { instance, instances, tasks } = this.#options;
    for (let task = instance; task < tasks; task += instances) gained(task);
    return Promise.resolve();
  }

  fenced(): void {
    this.#options.exit(1);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
