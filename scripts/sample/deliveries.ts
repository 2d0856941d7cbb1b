/**
 * Says when the Analytics client has had its answer to a call. Its own callbacks come 300 ms after the call at the
 * earliest, however quick the answer was (`getDelay` in its core); its events come at once.
 */
import type { Analytics } from '@customerio/cdp-analytics-node';
import { CodedError } from '../../services/runtime/errors.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: CodedError) => void;
}

export class Deliveries {
  /** By message id; a call that is made twice at once has two. */
  readonly #waiting = new Map<string, Waiter[]>();

  constructor(analytics: Analytics) {
    for (const type of ['identify', 'page', 'track'] as const) {
      analytics.on(type, ({ event }) => {
        this.#next(event.messageId ?? '')?.resolve();
      });
    }
    analytics.on('error', ({ reason, ctx }) => {
      const messageId = ctx?.event.messageId ?? '';
      this.#next(messageId)?.reject(
        new CodedError('call_refused', `could not send ${messageId}: ${saidBy(reason)}`, { cause: reason }),
      );
    });
  }

  /** Resolves when the call that is made right after with this message id is acknowledged; rejects when it is not. */
  of(messageId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const same = this.#waiting.get(messageId);
      if (same === undefined) this.#waiting.set(messageId, [{ resolve, reject }]);
      else same.push({ resolve, reject });
    });
  }

  #next(messageId: string): Waiter | undefined {
    const same = this.#waiting.get(messageId);
    const first = same?.shift();
    if (same?.length === 0) this.#waiting.delete(messageId);
    return first;
  }
}

/** What the client has as the reason: an error, a response, or what it was thrown. */
function saidBy(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  const { status, statusText } = (reason ?? {}) as {
    readonly status?: unknown;
    readonly statusText?: unknown;
  }; // a Response
  return typeof status === 'number' ? `${String(status)} ${String(statusText)}` : String(reason);
}
