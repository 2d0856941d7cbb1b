/**
 * Asks the service in-app, on its own port on loopback. Polls that come while others are under way go together: one
 * request for many, so that a poll costs little more here than it costs there.
 *
 *   poll ──▶ waiting (bounded) ──▶ one of requestsMax requests ──▶ answers in the order asked
 */
import { readFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { InAppView } from '../on-site/plugin.ts';
import { CodedError } from '../runtime/errors.ts';

export const pollsWaitingMax = 20_000;
export const pollsARequestMax = 256;
export const requestsMax = 4;
export const askMsMax = 2_000;
/** The file that says where it is is read again after so long, or when it does not answer. */
const placeGoodMs = 5_000;

type Asked = Parameters<InAppView['poll']>[0];
type Polled = Awaited<ReturnType<InAppView['poll']>>;

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (polled: Polled) => void;
  readonly reject: (error: unknown) => void;
}
interface Place {
  readonly url: string;
  readonly secret: string;
}

export interface InAppViewOptions {
  readonly dataFolder: string;
  /** ms that only grow. */
  readonly monotonicMs?: () => number;
}

export class InAppAsker implements InAppView {
  readonly #file: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: requestsMax * 2 });
  readonly #monotonicMs: () => number;
  #waiting: Waiting[] = [];
  #requests = 0;
  #place: { readonly found: Place; readonly at: number } | undefined;

  constructor({ dataFolder, monotonicMs = () => performance.now() }: InAppViewOptions) {
    this.#file = join(dataFolder, 'run', 'in-app.json');
    this.#monotonicMs = monotonicMs;
  }

  poll(asked: Asked): Promise<Polled> {
    if (this.#waiting.length >= pollsWaitingMax) return Promise.reject(unavailable('too many polls wait'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ asked, resolve, reject });
      // What comes in this turn goes together.
      setImmediate(() => {
        this.#send();
      });
    });
  }

  why(asked: Asked & { readonly messageId: string }): Promise<unknown> {
    return this.#ask('why', asked);
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(): void {
    while (this.#requests < requestsMax && this.#waiting.length > 0) {
      const together = this.#waiting.slice(0, pollsARequestMax);
      this.#waiting = this.#waiting.slice(together.length);
      this.#requests += 1;
      void this.#sendTogether(together);
    }
  }

  async #sendTogether(together: readonly Waiting[]): Promise<void> {
    try {
      const asked = together.map((one) => one.asked);
      const polled = (await this.#ask('polls', asked)) as readonly (Polled | null)[]; // services/in-app/polls.ts
      together.forEach(({ resolve, reject }, index) => {
        const answer = polled[index] ?? null;
        if (answer === null) reject(unavailable('it does not have the visitor yet'));
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of together) reject(error);
    } finally {
      this.#requests -= 1;
      this.#send();
    }
  }

  async #ask(what: 'polls' | 'why', body: unknown): Promise<unknown> {
    const place = await this.#find();
    try {
      return await this.#post(place, what, JSON.stringify(body));
    } catch (error) {
      this.#place = undefined; // it may have started again, on another port
      if (error instanceof CodedError) throw error;
      throw unavailable('it does not answer', error);
    }
  }

  async #find(): Promise<Place> {
    const now = this.#monotonicMs();
    if (this.#place !== undefined && now - this.#place.at < placeGoodMs) return this.#place.found;
    try {
      const found = JSON.parse(await readFile(this.#file, 'utf8')) as Place; // written by its status server
      this.#place = { found, at: now };
      return found;
    } catch (error) {
      throw unavailable('it has not started', error);
    }
  }

  #post({ url, secret }: Place, what: string, body: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
      const options = { method: 'POST', agent: this.#agent, headers, timeout: askMsMax };
      const asking = httpRequest(`${url}/${what}`, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode !== 200) reject(unavailable(`it answers ${String(response.statusCode)}`));
          else resolve(JSON.parse(Buffer.concat(chunks).toString()));
        });
      });
      asking.on('timeout', () => asking.destroy(new Error(`no answer in ${String(askMsMax)} ms`)));
      asking.on('error', reject);
      asking.end(body);
    });
  }
}

export function unavailable(why: string, cause?: unknown): CodedError {
  return new CodedError('in_app_unavailable', `could not ask the service in-app: ${why}`, {
    cause,
  });
}
