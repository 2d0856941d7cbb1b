/** What a live task says of itself now and then, once each. */
import { FailingReads } from '../../log/reading/failing-reads.ts';
import type { LogReader } from '../../log/ports.ts';
import type { Logger } from '../../logger.ts';
import type { PartitionRunner } from '../partition-runner.ts';
import { RestingAlarm } from '../share/resting-alarm.ts';
import { WaitingAlarm } from '../share/waiting-alarm.ts';

export class Alarms {
  readonly failingReads: FailingReads;
  readonly #waiting: WaitingAlarm;
  readonly #resting: RestingAlarm;

  constructor(reader: LogReader, runners: readonly PartitionRunner[], logger: Logger) {
    this.failingReads = new FailingReads(reader, logger);
    this.#waiting = new WaitingAlarm(runners, logger);
    this.#resting = new RestingAlarm(runners, logger);
  }

  /** Between batches, with a monotonic time. */
  tell(now: number): void {
    this.failingReads.tell();
    this.#waiting.tell(now);
    this.#resting.tell(now);
  }
}
