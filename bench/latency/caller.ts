/** Sends calls to a gateway on time, over HTTP as a client does: one call a request, connections kept open. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import type { Call } from './schedule.ts';
import { nowMs } from './monotonic.ts';

export interface CallTimes {
  readonly call: Call;
  /** Of the machine's monotonic clock. */
  readonly sentAt: number;
  readonly acknowledgedAt: number;
}

const CONNECTIONS_MAX = 64;
const ANSWER_MS_MAX = 10_000;
const STEP_MS = 1;

export class Caller {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });

  /** @param url of the gateway */
  constructor(url: string, writeKey: string) {
    this.#url = url;
    this.#headers = {
      authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`,
      'content-type': 'application/json',
    };
  }

  /** Resolves when all have been answered; rejects when one of them is not a 200. */
  async play(calls: readonly Call[]): Promise<readonly CallTimes[]> {
    const startedAt = nowMs();
    const sendings: Promise<CallTimes>[] = [];
    const histories = new Map<number, Promise<CallTimes>[]>();
    for (const call of calls) {
      while (nowMs() - startedAt < call.dueMs) await sleep(STEP_MS);
      const sending = this.#inOrder(call, histories);
      sending.catch(() => undefined); // taken below
      sendings.push(sending);
    }
    return Promise.all(sendings);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #inOrder(call: Call, histories: Map<number, Promise<CallTimes>[]>): Promise<CallTimes> {
    const { visitor } = call;
    if (visitor === undefined) return this.#send(call);
    const history = histories.get(visitor) ?? [];
    if (call.kind === 'history') {
      const sending = this.#send(call);
      histories.set(visitor, [...history, sending]);
      return sending;
    }
    histories.delete(visitor);
    await Promise.all(history);
    return this.#send(call);
  }

  #send(call: Call): Promise<CallTimes> {
    const identify = call.kind === 'identify';
    const body = JSON.stringify({
      messageId: call.messageId,
      ...(call.anonymousId !== undefined && { anonymousId: call.anonymousId }),
      ...(call.userId !== undefined && { userId: call.userId }),
      ...(identify
        ? { traits: { plan: 'free' } }
        : {
            event: call.kind === 'deletion' ? 'User Deleted' : 'product_viewed',
            properties: { path: '/products/17', sku: 'sku-17', price: 17.99, currency: 'EUR' },
          }),
      context: { library: { name: 'analytics.js', version: 'next-0.5.11' } },
    });
    const headers = { ...this.#headers, 'content-length': String(Buffer.byteLength(body)) };
    const sentAt = nowMs();
    return new Promise((resolve, reject) => {
      const asked = request(
        `${this.#url}/v1/${identify ? 'identify' : 'track'}`,
        { method: 'POST', agent: this.#agent, headers, timeout: ANSWER_MS_MAX },
        (answer) => {
          const acknowledgedAt = nowMs();
          answer.resume();
          if (answer.statusCode === 200) resolve({ call, sentAt, acknowledgedAt });
          else reject(failed(call, `the answer is ${String(answer.statusCode)}`));
        },
      );
      asked.on('timeout', () => asked.destroy(failed(call, 'no answer in time')));
      asked.on('error', reject);
      asked.end(body);
    });
  }
}

function failed({ messageId }: Call, why: string): CodedError {
  return new CodedError('bench_failed', `could not send ${messageId}: ${why}`);
}
