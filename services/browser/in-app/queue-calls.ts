/** The routes that the page calls. Bodies are text that is JSON, so that no preflight is asked for. */
import { KeptList } from './kept-list.ts';
import type { QueueAnswer } from './offer.ts';

export interface Who {
  readonly site_id: string;
  readonly anonymous_id: string;
  readonly user_id?: string;
}

export interface PageHere {
  readonly page: string;
  readonly path: string;
}

type Body = Readonly<Record<string, unknown>>;

const answerMsMax = 5_000;
const showTriesMax = 3;
const showPauseMs = 1_000;
const callsKeptMax = 50;

export class QueueCalls {
  readonly #base: string;
  /** Route and body. */
  readonly #kept = new KeptList<readonly [string, Body]>('hindsight.calls');
  #isSending = false;

  /** @param base `https://events.shop.example`, with the path of a proxy if there is one. */
  constructor(base: string) {
    this.#base = base;
  }

  /** The tag is the browser's: it asks whether what it has is still right. Rejects if there is no answer. */
  async poll(who: Who, here: PageHere): Promise<QueueAnswer> {
    const query = new URLSearchParams({ ...who, ...here });
    const answer = await this.#fetch(`queue?${query.toString()}`, {});
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()) as QueueAnswer; // of our own server
  }

  /**
   * The variant that may be shown now; undefined: none; empty: there was no answer, and it may count as shown. Asked again
   * under the same exposure, it is one showing.
   */
  async askToShow(body: Body): Promise<string | undefined> {
    for (let tries = 0; tries < showTriesMax; tries++) {
      if (tries > 0) await pause(showPauseMs * tries);
      try {
        const answer = await this.#post('shows', body);
        if (answer.status < 500) {
          const { show, variant = body['variant'] } = (await answer.json()) as Body; // of our own server
          return show === true ? String(variant) : undefined;
        }
      } catch {
        // No answer is no leave to show.
      }
    }
    return '';
  }

  report(body: Body): void {
    this.#keep('reports', body, this.#kept.read());
  }

  /**
   * A page without a site id has its workspace named by the key. A withdrawal waits for its answer as reports do, and
   * nothing else of the visitor does any more.
   */
  consent(who: Who & { readonly write_key: string }, consent: boolean): void {
    this.#keep('consent', { ...who, consent }, consent ? this.#kept.read() : []);
  }

  /** What gets no answer is kept, and sent with the next one, in order: what is sent twice counts once. */
  #keep(route: string, body: Body, before: readonly (readonly [string, Body])[]): void {
    if (this.#kept.write([...before, [route, body] as const].slice(-callsKeptMax))) void this.sendKept();
    else this.#post(route, body).catch(() => undefined); // of a browser that keeps nothing
  }

  async sendKept(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let call = this.#kept.read()[0]; call !== undefined; call = this.#kept.read()[0]) {
        const { status } = await this.#post(...call);
        // Of a workspace over its quota, too: what was dismissed or withdrawn counts when there is room again.
        if (status >= 500 || status === 429) break;
        const sent = JSON.stringify(call);
        this.#kept.write(this.#kept.read().filter((each) => JSON.stringify(each) !== sent));
      }
    } catch {
      // It goes with the next one, or with the next page.
    }
    this.#isSending = false;
  }

  #post(route: string, body: Body): Promise<Response> {
    return this.#fetch(route, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'text/plain' },
      keepalive: true,
    });
  }

  #fetch(route: string, options: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout(answerMsMax);
    return fetch(`${this.#base}/v1/in-app/${route}`, { credentials: 'omit', signal, ...options });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
