/**
 * Calls that are decided in the order of a visitor's events: written to the log, and answered when what they did is
 * committed. Each gateway reads all answers and takes those that it waits for. An answer that is lost with this process is
 * there for who asks again: the same exposure gets the same one.
 */
import { UnknownSchemaError, type Codecs } from '../../schemas/codec.ts';
import { laneKey } from '../../schemas/lanes.ts';
import type { InAppAnswer, InAppRequest } from '../../schemas/records.ts';
import type { InAppCall, InAppCalls } from '../on-site/plugin.ts';
import { unavailable } from './in-app-view.ts';
import type { Log, LogReader, Producer } from '../runtime/log/ports.ts';
import type { Logger } from '../runtime/logger.ts';

const bufferBytesMax = 8 * 1_024 * 1_024;
const fetchBytesMax = 1_024 * 1_024;
const waitMsMax = 500;
const retryPauseMs = 500;
export const answerMsMax = 5_000;
export const callsWaitingMax = 10_000;

export interface InAppCallsOptions {
  readonly log: Pick<Log, 'admin' | 'reader'>;
  readonly producer: Pick<Producer, 'send'>;
  readonly codecs: Pick<Codecs, 'InAppRequest' | 'InAppAnswer'>;
  readonly logger: Logger;
  /** Teaches the codec a schema that it does not know. */
  readonly learnSchema: (schemaId: number) => Promise<void>;
  readonly answerMsMax?: number;
}

export class InAppCallsLog implements InAppCalls {
  readonly #options: InAppCallsOptions;
  /** By workspace and request. */
  readonly #waiting = new Map<string, (answer: InAppAnswer) => void>();
  #reader: LogReader | undefined;
  #offsets: number[] = [];
  #closed = false;

  constructor(options: InAppCallsOptions) {
    this.#options = options;
  }

  /** Answers to what was asked before are nobody's here. */
  async open(): Promise<void> {
    this.#offsets = [...(await this.#options.log.admin.endOffsets('inAppAnswers'))];
    await this.#startReader();
    void this.#follow();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reader?.close();
  }

  async send(call: InAppCall): Promise<void> {
    const { producer, codecs } = this.#options;
    const key = laneKey(call.workspace, { anonymousId: call.anonymousId, identifier: null, messageId: '' });
    await producer.send('inAppRequests', Buffer.from(key), codecs.InAppRequest.encode(requestOf(call)));
  }

  async decide(call: InAppCall): Promise<InAppAnswer> {
    if (this.#waiting.size >= callsWaitingMax) throw unavailable('too many calls wait');
    // Waited for before it is sent: the answer may be quicker than the acknowledgement.
    const answered = this.#wait(call);
    try {
      await this.send(call);
      return await answered.promise;
    } finally {
      answered.end();
    }
  }

  #wait({ workspace, requestId }: InAppCall): {
    readonly promise: Promise<InAppAnswer>;
    readonly end: () => void;
  } {
    const key = `${workspace}/${requestId}`;
    let timer: NodeJS.Timeout | undefined;
    const promise = new Promise<InAppAnswer>((resolve, reject) => {
      this.#waiting.set(key, resolve);
      timer = setTimeout(() => {
        reject(unavailable('its answer did not come in time'));
      }, this.#options.answerMsMax ?? answerMsMax);
    });
    promise.catch(() => undefined); // a send that fails leaves nobody who waits
    const end = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(key);
    };
    return { promise, end };
  }

  async #startReader(): Promise<void> {
    this.#reader = this.#options.log.reader({ bufferBytesMax, fetchBytesMax, waitMsMax });
    const topic = 'inAppAnswers' as const;
    await this.#reader.start(this.#offsets.map((offset, partition) => ({ topic, partition, offset })));
  }

  /** Reads for ever; a reader that fails is replaced where it stood. */
  async #follow(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#reader?.wait(waitMsMax);
        this.#take();
      } catch (error) {
        await this.#startAgain(error);
      }
    }
  }

  async #startAgain(error: unknown): Promise<void> {
    if (this.#closed) return;
    this.#options.logger.warn({ error }, 'reading the answers of in-app failed and starts again');
    await this.#reader?.close().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    try {
      if (error instanceof UnknownSchemaError) await this.#options.learnSchema(error.schemaId);
      await this.#startReader();
    } catch (cause) {
      this.#options.logger.warn({ error: cause }, 'reading the answers of in-app could not start again yet');
    }
  }

  #take(): void {
    for (const slice of this.#reader?.take(bufferBytesMax) ?? []) {
      slice.forEach(({ bytes, valueStart, valueEnd }) => {
        const answer = this.#options.codecs.InAppAnswer.decode(bytes, valueStart, valueEnd);
        this.#waiting.get(`${answer.workspace}/${answer.request_id}`)?.(answer);
      });
      this.#offsets[slice.partition] = slice.next;
      slice.release();
    }
  }
}

export function requestOf(call: InAppCall): InAppRequest {
  return {
    kind: call.kind,
    workspace: call.workspace,
    anonymous_id: call.anonymousId,
    request_id: call.requestId,
    at: call.at,
    message_id: call.messageId ?? null,
    exposure: call.exposure ?? null,
    variant: call.variant ?? null,
    event: call.event ?? null,
    action: call.action ?? null,
    page: call.page?.name ?? null,
    path: call.page?.path ?? null,
    agent: call.agent ?? null,
    identified: call.isIdentified ?? false,
    minutes: call.minutes ?? null,
    consent: call.consent ?? null,
    linked_id: call.linkedId ?? null,
  };
}
