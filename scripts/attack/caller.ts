/** Somebody with keys of one workspace, who sends as much as is answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Keys } from '../../services/testing/stack.ts';

/** A call within a batch of Pipelines. */
export type Item = Readonly<Record<string, unknown>> & { readonly type: string };

const itemsMax = 1_000;
/** Below what a batch may have (spec A.0), with room for what stands around the items. */
const bytesMax = 480_000;
const answerMsMax = 60_000;

/** What was answered, over all calls. */
export class Answers {
  calls = 0;
  items = 0;
  /** By status; `none` for calls that had no answer. */
  readonly statuses = new Map<string, number>();

  add(status: number | undefined, items: number): void {
    const name = status === undefined ? 'none' : String(status);
    this.calls += 1;
    this.items += items;
    this.statuses.set(name, (this.statuses.get(name) ?? 0) + 1);
  }
}

export class Caller {
  readonly #http: string;
  readonly #keys: Keys;
  readonly #pace: Pace;
  readonly answers = new Answers();

  /** @param itemsPerSecond of batches; calls by themselves are made one after the other. */
  constructor(http: string, keys: Keys, itemsPerSecond = Infinity) {
    this.#http = http;
    this.#keys = keys;
    this.#pace = new Pace(itemsPerSecond);
  }

  /** In order, as few batches as the limits allow. Each is answered before the next. */
  async batch(items: Iterable<Item>): Promise<void> {
    let texts: string[] = [];
    let bytes = 0;
    const send = async (): Promise<void> => {
      if (texts.length === 0) return;
      const body = `{"batch":[${texts.join(',')}]}`;
      const count = texts.length;
      texts = [];
      bytes = 0;
      await this.#pace.take(count);
      await this.pipelines('/batch', body, count);
    };
    for (const item of items) {
      const text = JSON.stringify(item);
      const size = Buffer.byteLength(text) + 1;
      if (texts.length >= itemsMax || bytes + size > bytesMax) await send();
      texts.push(text);
      bytes += size;
    }
    await send();
  }

  pipelines(path: string, body: object | string, items = 1): Promise<number | undefined> {
    return this.#call('POST', `/v1${path}`, {
      authorization: basic(`${this.#keys.write_key}:`),
      body,
      items,
    });
  }
  track(method: string, path: string, body: object | string): Promise<number | undefined> {
    const authorization = basic(`${this.#keys.site_id}:${this.#keys.api_key}`);
    return this.#call(method, `/api${path}`, { authorization, body, items: 1 });
  }
  app(method: string, path: string, body: object | string): Promise<number | undefined> {
    return this.#call(method, path, { authorization: `Bearer ${this.#keys.app_key}`, body, items: 1 });
  }

  async #call(
    method: string,
    path: string,
    { authorization, body, items }: { authorization: string; body: object | string; items: number },
  ): Promise<number | undefined> {
    let status: number | undefined;
    try {
      const response = await fetch(`${this.#http}${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        signal: AbortSignal.timeout(answerMsMax),
      });
      await response.arrayBuffer();
      ({ status } = response);
    } catch {
      // Counted as a call without an answer: whoever attacks goes on.
    }
    this.answers.add(status, items);
    return status;
  }
}

/** So many a second on the whole, however long each takes. */
class Pace {
  readonly #perSecond: number;
  #dueAt = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  async take(count: number): Promise<void> {
    const now = performance.now();
    this.#dueAt = Math.max(this.#dueAt, now);
    const waitMs = this.#dueAt - now;
    this.#dueAt += (count / this.#perSecond) * 1_000;
    if (waitMs > 0) await sleep(waitMs);
  }
}

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
