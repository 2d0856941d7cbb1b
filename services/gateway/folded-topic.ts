/**
 * A topic of one partition as a gateway sees it: folded from its start and kept up with, for as long as the gateway runs.
 * What a gateway writes goes one after another, and each write ends when its own record has come back: what was answered
 * is what every reader will see. Other gateways write too; the order of the topic says who was first.
 */
import type { TopicId } from '../../schemas/topics.ts';
import { CodedError } from '../runtime/errors.ts';
import { FollowedTopic, type FollowedTopicPorts } from '../runtime/log/followed-topic.ts';
import type { InputRecord, Log, Producer } from '../runtime/log/ports.ts';
import { Turns } from './questions/turns.ts';

const foldWaitMsMax = 10_000;
export const writesWaitingMax = 1_000;
/** Of one workspace; what has none, such as keys of the installation, is as one. */
export const workspaceWritesWaitingMax = 200;

/** What a topic needs of the gateway. */
export interface FoldedTopicPorts extends FollowedTopicPorts {
  readonly log: Pick<Log, 'admin' | 'reader'>;
  readonly producer: Pick<Producer, 'send'>;
}

export interface FoldedTopicOptions extends FoldedTopicPorts {
  readonly topic: TopicId;
  /** What its records are, for messages and codes of errors. */
  readonly what: 'definitions' | 'keys' | 'tables';
  /** Called once for each record, in the topic's order. The record is one object, reused. */
  readonly apply: (record: InputRecord) => void;
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
}

export class FoldedTopic {
  readonly #options: FoldedTopicOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #followed: FollowedTopic;
  readonly #turns = new Turns<string, () => Promise<void>>();
  #isWriting = false;

  constructor(options: FoldedTopicOptions) {
    this.#options = options;
    this.#followed = new FollowedTopic({
      ...options,
      onTaken: () => {
        this.#tell();
      },
    });
  }

  /** One past the last offset that is folded. */
  get offset(): number {
    return this.#followed.offset(0);
  }

  /** Resolves when everything that the topic held at the call is folded. */
  async open(): Promise<void> {
    const [end = 0] = await this.#options.log.admin.endOffsets(this.#options.topic);
    await this.#followed.open([0]);
    await this.until(() => this.offset >= end);
  }

  async close(): Promise<void> {
    await this.#followed.close();
  }

  async send(key: string, value: Uint8Array): Promise<void> {
    await this.#options.producer.send(this.#options.topic, Buffer.from(key), value);
  }

  /**
   * One work at a time. That of a workspace runs in the order in which it was given, and workspaces take turns, so that one
   * which writes very much holds up itself.
   */
  inTurn<T>(work: () => Promise<T>, workspace = ''): Promise<T> {
    const { what } = this.#options;
    const isFull = this.#turns.size >= writesWaitingMax;
    if (isFull || this.#turns.sizeOf(workspace) >= workspaceWritesWaitingMax) {
      const whose = isFull ? '' : ' of this workspace';
      const message = `could not write ${what}: too many writes${whose} are waiting`;
      return Promise.reject(new CodedError(`${what}_overloaded`, message));
    }
    return new Promise((resolve, reject) => {
      // A turn never rejects, also of work that throws at once: the next ones wait for it.
      this.#turns.add(workspace, () => Promise.resolve().then(work).then(resolve, reject));
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    for (let [next] = this.#turns.take(1); next !== undefined; [next] = this.#turns.take(1)) await next();
    this.#isWriting = false;
  }

  /** @throws CodedError `…_behind`, retryable, when it does not come to be so in time. */
  until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    const { what } = this.#options;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        isDone,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const message = `could not read ${what} in time`;
        reject(new CodedError(`${what}_behind`, message));
      }, foldWaitMsMax);
      this.#waiters.add(waiter);
    });
  }

  #tell(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.isDone()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
