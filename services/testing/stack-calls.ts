/** Calls of a client, an operator and an analyst to a stack, for end-to-end tests. */
import { parseExactly } from '../runtime/exact-json.ts';
import type { Keys, Stack } from './stack.ts';

const ANSWER_MS_MAX = 120_000;
const SETTLE_MS_MAX = 240_000;
const SETTLE_PAUSE_MS = 250;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}
interface How {
  /** Receive time under the test clock, ms. */
  readonly at?: number | undefined;
  readonly strict?: boolean;
}

export class StackCalls {
  readonly #stack: Stack;
  readonly #keys: Keys;

  /** @param keys of a workspace; those of `default` if not given. */
  constructor(stack: Stack, keys: Keys = stack.credentials.default) {
    this.#stack = stack;
    this.#keys = keys;
  }

  /** Track, `/v1/customers/42` or `/v2/entity`; body as an object, or as the text that is sent. */
  track(method: string, path: string, body?: object | string, how: How = {}): Promise<Answer> {
    const { site_id, api_key } = this.#keys;
    return this.#call(method, `/api${path}`, { authorization: basic(`${site_id}:${api_key}`), body, ...how });
  }

  /** Pipelines, `/identify`. */
  pipelines(path: string, body: object | string, how: How = {}): Promise<Answer> {
    const authorization = basic(`${this.#keys.write_key}:`);
    return this.#call('POST', `/v1${path}`, { authorization, body, ...how });
  }

  /** Pipelines, with the key that stands in pages. */
  browser(path: string, body: object | string, how: How = {}): Promise<Answer> {
    return this.#call('POST', `/v1${path}`, {
      authorization: basic(`${this.#keys.browser_key ?? ''}:`),
      body,
      ...how,
    });
  }

  /** With the app key, `/v1/trace`. */
  app(method: string, path: string, body?: object | string): Promise<Answer> {
    return this.#call(method, path, { authorization: `Bearer ${this.#keys.app_key}`, body });
  }

  /** With the key that makes workspaces. */
  admin(method: string, path: string, body: object): Promise<Answer> {
    return this.#call(method, path, { authorization: `Bearer ${this.#keys.admin_key ?? ''}`, body });
  }

  /** Until every call acknowledged before has had its whole effect. */
  async settled(): Promise<void> {
    const deadline = performance.now() + SETTLE_MS_MAX;
    for (;;) {
      const { status, body } = await this.#call('GET', '/health/settled', { authorization: '' });
      if (status === 200) return;
      if (performance.now() > deadline) throw new Error(`not settled: ${JSON.stringify(body)}`);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
    }
  }

  /** What an analyst gets: rows as lists, numbers as numbers. */
  async rows(sql: string): Promise<unknown[][]> {
    const { url, user, password, database } = this.#stack.clickhouse;
    const settings = 'default_format=JSONCompactEachRow&output_format_json_quote_64bit_integers=0';
    const response = await fetch(`${url}/?database=${database}&${settings}`, {
      method: 'POST',
      headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password },
      body: sql,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`could not ask ${sql}: ${text}`);
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as unknown[]);
  }

  async #call(
    method: string,
    path: string,
    {
      authorization,
      body,
      at,
      strict = false,
    }: How & { authorization: string; body?: object | string | undefined },
  ): Promise<Answer> {
    const response = await fetch(`${this.#stack.http}${path}`, {
      method,
      headers: {
        authorization,
        ...(at !== undefined && { 'x-hindsight-received-at': new Date(at).toISOString() }),
        ...(strict && { 'x-strict-mode': '1' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    // Numbers of more digits than a double has stay what they are.
    return { status: response.status, body: parseExactly(await response.text()) };
  }
}

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
