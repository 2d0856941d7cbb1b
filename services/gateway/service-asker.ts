/**
 * Asks a service on its own port on loopback, which it writes down at its start (services/runtime/status-server.ts) with the
 * secret that it wants to hear.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { ErrorCode } from '../../schemas/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const askMsMax = 2_000;
/** The file that says where it is is read again after so long, or when it does not answer. */
const placeGoodMs = 5_000;

interface Place {
  readonly url: string;
  readonly secret: string;
}

interface Body {
  readonly text: string;
  readonly msMax: number;
}

interface Asked {
  readonly service: string;
  /** Of the error when it does not answer. */
  readonly code: ErrorCode;
}

export interface ServiceAskerOptions extends Asked {
  readonly dataFolder: string;
  readonly connectionsMax: number;
  /** ms that only grow. */
  readonly monotonicMs?: () => number;
}

/** A service whose task is being handed over answers with an error for a moment. */
export const startingAgain = 'it is starting again; ask once more in a moment';

export function unavailable({ service, code }: Asked, why: string, cause?: unknown): CodedError {
  return new CodedError(code, `could not ask the service ${service}: ${why}`, { cause });
}

export class ServiceAsker {
  readonly #options: ServiceAskerOptions;
  readonly #file: string;
  readonly #agent: Agent;
  readonly #monotonicMs: () => number;
  #place: { readonly found: Place; readonly at: number } | undefined;

  constructor(options: ServiceAskerOptions) {
    this.#options = options;
    this.#file = join(options.dataFolder, 'run', `${options.service}.json`);
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connectionsMax });
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  /** What is asked changes nothing. @param msMax how long an answer may take. @throws CodedError of the code that was given, when it does not answer. */
  ask(what: string, body: unknown, msMax = askMsMax): Promise<unknown> {
    return this.askText(what, JSON.stringify(body), msMax);
  }

  /** @param text JSON. */
  async askText(what: string, text: string, msMax = askMsMax): Promise<unknown> {
    const place = await this.#find();
    try {
      return await this.#askAt(place, what, { text, msMax });
    } catch (error) {
      // It may have started again since its place was read.
      const now = await this.#find();
      if (now.url === place.url && now.secret === place.secret) throw error;
      return await this.#askAt(now, what, { text, msMax });
    }
  }

  unavailable(why: string, cause?: unknown): CodedError {
    return unavailable(this.#options, why, cause);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #find(): Promise<Place> {
    const now = this.#monotonicMs();
    if (this.#place !== undefined && now - this.#place.at < placeGoodMs) return this.#place.found;
    try {
      const found = JSON.parse(await readFile(this.#file, 'utf8')) as Place; // written by its status server
      this.#place = { found, at: now };
      return found;
    } catch (error) {
      throw this.unavailable('it has not started', error);
    }
  }

  async #askAt(place: Place, what: string, body: Body): Promise<unknown> {
    try {
      return await this.#post(place, what, body);
    } catch (error) {
      this.#place = undefined;
      if (error instanceof CodedError) throw error;
      throw this.unavailable('it does not answer', error);
    }
  }

  #post({ url, secret }: Place, what: string, { text, msMax }: Body): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
      const options = { method: 'POST', agent: this.#agent, headers, timeout: msMax };
      const asking = httpRequest(`${url}/${what}`, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode !== 200) {
            const isItsFault = (response.statusCode ?? 0) >= 500;
            const why = `it answers ${String(response.statusCode)}`;
            reject(this.unavailable(isItsFault ? `${startingAgain} (${why})` : why));
          } else resolve(JSON.parse(Buffer.concat(chunks).toString()));
        });
      });
      asking.on('timeout', () => asking.destroy(new Error(`no answer in ${String(msMax)} ms`)));
      asking.on('error', reject);
      asking.end(text);
    });
  }
}
