/** What a page of the shop does about its on-site message: it asks, shows, and reports a click. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';
import type { ShowCall } from './calls.ts';
import { rules } from './rules.ts';

const answerMsMax = 30_000;
/** Asked again under the same exposure, as a page does; after that it shows nothing. */
const attemptsMax = 5;
const pauseMs = 500;
/** A page is looked at with a browser, and one that says nothing of itself may be taken for a program. */
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0';

export class OnSiteMessages {
  readonly #http: string;
  readonly #siteId: string;

  constructor(http: string, siteId: string) {
    this.#http = http;
    this.#siteId = siteId;
  }

  /** Whoever is held out, or may not see it, is counted and sees nothing. @throws CodedError `call_refused`. */
  async show({ anonymousId, exposure, page, isClicked }: ShowCall): Promise<void> {
    const about = {
      site_id: this.#siteId,
      anonymous_id: anonymousId,
      message_id: rules.message.id,
      exposure,
    };
    const { show } = await this.#post('shows', { ...about, page, path: new URL(page).pathname });
    if (show === true && isClicked)
      await this.#post('reports', { ...about, event: 'clicked', action: 'shop' });
  }

  /** Nothing where the service of messages does not answer in time. */
  async #post(path: 'shows' | 'reports', body: object): Promise<Readonly<Record<string, unknown>>> {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const answered = await this.#ask(path, body);
      if (answered !== undefined) return answered;
      await sleep(pauseMs);
    }
    return {};
  }

  async #ask(
    path: 'shows' | 'reports',
    body: object,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const answer = await fetch(`${this.#http}/v1/in-app/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': AGENT },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await answer.text();
    if (answer.status === 200) return JSON.parse(text) as Readonly<Record<string, unknown>>; // contract, *On-site messages*
    if (answer.status === 503) return undefined;
    throw new CodedError('call_refused', `could not send ${path}: ${String(answer.status)} ${text}`);
  }
}
