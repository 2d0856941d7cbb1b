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
const reportsKeptMax = 50;

export class QueueCalls {
  readonly #base: string;
  readonly #reports = new KeptList<Body>('hindsight.reports');

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

  /** The variant that may be shown now; undefined: show nothing. Asked again under the same exposure, it is one showing. */
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
    return undefined;
  }

  /** What gets no answer is kept, and sent with the next one: the exposure in it makes twice the same as once. */
  report(body: Body): void {
    this.#reports.write([...this.#reports.read(), body].slice(-reportsKeptMax));
    void this.sendReports();
  }

  async sendReports(): Promise<void> {
    for (const report of this.#reports.read()) {
      try {
        const { status } = await this.#post('reports', report);
        if (status >= 500) return;
      } catch {
        return;
      }
      const text = JSON.stringify(report);
      this.#reports.write(this.#reports.read().filter((each) => JSON.stringify(each) !== text));
    }
  }

  /** A page without a site id has its workspace named by the key. */
  consent(who: Who & { readonly write_key: string }, consent: boolean): void {
    this.#post('consent', { ...who, consent }).catch(() => undefined);
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
