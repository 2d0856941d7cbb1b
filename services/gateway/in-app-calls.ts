/**
 * Calls that are decided in the order of a visitor's events: written to the log, and answered when what they did is
 * committed. Each gateway reads all answers and takes those that it waits for. An answer that is lost with this process is
 * there for who asks again: the same exposure gets the same one.
 */
import type { Codecs } from '../../schemas/codec.ts';
import { laneKey } from '../../schemas/lanes.ts';
import type { InAppAnswer, InAppRequest } from '../../schemas/records.ts';
import type { InAppCall, InAppCalls } from '../on-site/plugin.ts';
import { inApp } from './in-app-view.ts';
import { unavailable } from './service-asker.ts';
import { FollowedTopic, type FollowedTopicPorts } from '../runtime/log/followed-topic.ts';
import type { Log, Producer } from '../runtime/log/ports.ts';
import { WorkspaceCounts } from '../runtime/workspace-counts.ts';
import { admit, type Usage } from './usage/counted.ts';

export const answerMsMax = 5_000;
export const callsWaitingMax = 10_000;
/** A small part is always a workspace's own. */
export const workspaceCallsWaitingMax = 5_000;
const workspaceCallsReserved = 10;

export interface InAppCallsOptions extends FollowedTopicPorts {
  readonly log: Pick<Log, 'admin' | 'reader'>;
  readonly producer: Pick<Producer, 'send'>;
  readonly codecs: Pick<Codecs, 'InAppRequest' | 'InAppAnswer'>;
  readonly usage: Usage;
  readonly answerMsMax?: number;
}

export class InAppCallsLog implements InAppCalls {
  readonly #options: InAppCallsOptions;
  /** By workspace and request. */
  readonly #waiting = new Map<string, (answer: InAppAnswer) => void>();
  readonly #counts = new WorkspaceCounts({
    max: callsWaitingMax,
    ofWorkspaceMax: workspaceCallsWaitingMax,
    reservedMin: workspaceCallsReserved,
  });
  readonly #answers: FollowedTopic;

  constructor(options: InAppCallsOptions) {
    this.#options = options;
    this.#answers = new FollowedTopic({
      ...options,
      topic: 'inAppAnswers',
      what: 'the answers of in-app',
      apply: ({ bytes, valueStart, valueEnd }) => {
        const answer = options.codecs.InAppAnswer.decode(bytes, valueStart, valueEnd);
        this.#waiting.get(`${answer.workspace}/${answer.request_id}`)?.(answer);
      },
    });
  }

  /** Answers to what was asked before are nobody's here. */
  async open(): Promise<void> {
    await this.#answers.open(await this.#options.log.admin.endOffsets('inAppAnswers'));
  }

  async close(): Promise<void> {
    await this.#answers.close();
  }

  async send(call: InAppCall): Promise<void> {
    const { producer, codecs, usage } = this.#options;
    admit(usage, call.workspace);
    const key = laneKey(call.workspace, { anonymousId: call.anonymousId, identifier: null, messageId: '' });
    const value = codecs.InAppRequest.encode(requestOf(call));
    await producer.send('inAppRequests', Buffer.from(key), value);
    usage.bytes.add(call.workspace, Buffer.byteLength(key) + value.length);
  }

  async decide(call: InAppCall): Promise<InAppAnswer> {
    if (!this.#counts.hasRoomOf(call.workspace)) throw unavailable(inApp, 'too many calls wait');
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
      this.#counts.addOf(workspace, 1);
      timer = setTimeout(() => {
        reject(unavailable(inApp, 'its answer did not come in time'));
      }, this.#options.answerMsMax ?? answerMsMax);
    });
    promise.catch(() => undefined); // a send that fails leaves nobody who waits
    const end = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(key);
      this.#counts.addOf(workspace, -1);
    };
    return { promise, end };
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
    any_page: call.isAnyPage ?? false,
    unfilled: call.unfilled ?? [],
  };
}
