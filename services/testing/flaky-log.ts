/**
 * A producer's view of a log that is away at times, slow, or loses its answers. As with a broker: a partition has one
 * batch under way; what was given up while it was under way may still arrive, before anything that is sent later.
 */
import { partitionWithin } from '../../schemas/partitioner.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Posted, Producer, Waiter } from '../runtime/log/ports.ts';
import type { Random } from './random.ts';

interface Sent {
  readonly record: Posted;
  readonly waiter: Waiter;
  readonly mark: number;
}
interface Batch {
  readonly sent: Sent[];
  /** Its senders are still waiting. */
  isAwaited: boolean;
}

const PARTITIONS = 3;

export class FlakyLog {
  /** Values, as they lie in each partition. */
  readonly partitions: string[][] = Array.from({ length: PARTITIONS }, () => []);
  isAway = false;
  readonly #random: Random;
  constructor(random: Random) {
    this.#random = random;
  }
  producer(): FlakyProducer {
    return new FlakyProducer(this, this.#random);
  }
}

export class FlakyProducer implements Pick<Producer, 'prepare' | 'post' | 'giveUp'> {
  readonly #log: FlakyLog;
  readonly #random: Random;
  readonly #lanes: { waiting: Sent[]; underWay: Batch | undefined }[];

  constructor(log: FlakyLog, random: Random) {
    this.#log = log;
    this.#random = random;
    this.#lanes = log.partitions.map(() => ({ waiting: [], underWay: undefined }));
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }
  post(_topic: string, record: Posted, waiter: Waiter, mark: number): void {
    const { bytes, start, keyEnd } = record;
    this.#lanes[partitionWithin(bytes, start, keyEnd, PARTITIONS)]?.waiting.push({ record, waiter, mark });
  }
  giveUp(): void {
    for (const lane of this.#lanes) {
      const rejected = lane.waiting.splice(0);
      if (lane.underWay?.isAwaited === true) {
        lane.underWay.isAwaited = false;
        rejected.unshift(...lane.underWay.sent);
      }
      for (const { waiter, mark } of rejected) waiter.reject(unavailable(), mark);
    }
  }

  /** Something happens in one partition, or nothing. */
  step(): void {
    const partition = this.#random.below(PARTITIONS);
    const [lane, written] = [this.#lanes[partition], this.#log.partitions[partition]];
    if (lane === undefined || written === undefined) return;
    if (lane.underWay === undefined) {
      const records = 1 + this.#random.below(lane.waiting.length); // no more than fit into a batch
      if (lane.waiting.length > 0) lane.underWay = { sent: lane.waiting.splice(0, records), isAwaited: true };
      return;
    }
    const { sent, isAwaited } = lane.underWay;
    const chance = this.#random.next();
    if (this.#log.isAway ? chance < 0.9 : chance < 0.2) return; // not yet
    lane.underWay = undefined;
    // It arrives, and perhaps nobody hears of it; or it never arrived.
    const [arrives, isHeard] = this.#log.isAway ? [chance < 0.93, false] : [chance < 0.9, chance < 0.8];
    if (arrives) {
      written.push(...sent.map(({ record: { bytes, keyEnd, end } }) => bytes.toString('utf8', keyEnd, end)));
    }
    if (!isAwaited) return;
    for (const [index, { waiter, mark }] of sent.entries()) {
      if (arrives && isHeard) waiter.resolve(index, mark);
      else waiter.reject(unavailable(), mark);
    }
  }
}

function unavailable(): CodedError {
  return new CodedError('log_unavailable', 'could not send: as the test says');
}
