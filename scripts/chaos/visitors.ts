/**
 * Visitors who do one thing after the other, each made again under its message id until it is acknowledged; and a flood
 * of batches, made once each.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '../sample/installation.ts';
import type { EventRow } from '../sample/tables.ts';

const PAUSE_MS = 100;
const ANSWER_MS_MAX = 60_000;
const BATCH_EVENTS = 100;
const BATCHES_AT_ONCE = 4;
const BATCHES_MAX = 2_000;
/** Filler of an event of the flood. */
const FILLER = 'x'.repeat(800);

interface Sent {
  readonly messageId: string;
  readonly anonymousId: string;
}

export class Visitors {
  readonly #installation: Installation;
  /** Message ids by anonymous id, as they were acknowledged. */
  readonly #acknowledged = new Map<string, string[]>();
  /** Not acknowledged: they may have arrived all the same. */
  readonly #refused = new Set<string>();
  readonly #visitors: readonly string[];
  #count = 0;

  constructor(installation: Installation, visitors: number) {
    this.#installation = installation;
    this.#visitors = Array.from({ length: visitors }, (_, index) => `visitor-${String(index)}`);
  }

  /** Events so far. */
  get acknowledged(): number {
    return [...this.#acknowledged.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** So many of each visitor. */
  async events(each: number): Promise<void> {
    await Promise.all(
      this.#visitors.map(async (anonymousId) => {
        for (let event = 0; event < each; event += 1) await this.#event(anonymousId);
      }),
    );
  }

  /** Until one is refused. @returns its status, code and Retry-After. */
  async flood(): Promise<string> {
    let refusal = '';
    const pour = async (visitor: number): Promise<void> => {
      for (let batch = 0; batch < BATCHES_MAX && refusal === ''; batch += 1) {
        const sent = Array.from({ length: BATCH_EVENTS }, () => this.#next(`flood-${String(visitor)}`));
        const answer = await this.#post('/v1/batch', {
          batch: sent.map((each) => ({ type: 'track', event: 'Poured', properties: { FILLER }, ...each })),
        });
        if (answer?.status === 200) sent.forEach((each) => this.#acknowledge(each));
        else {
          sent.forEach(({ messageId }) => this.#refused.add(messageId));
          const { meta } = ((await answer?.json()) ?? {}) as { meta?: { code?: string } };
          refusal ||= `${String(answer?.status)} ${String(meta?.code)} ${String(answer?.headers.get('retry-after'))}`;
        }
      }
    };
    await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, (_, visitor) => pour(visitor)));
    return refusal;
  }

  /** @returns the visitors of whom there is anything else than what was acknowledged, in its order. */
  compare(rows: readonly Pick<EventRow, 'message_id' | 'anonymous_id'>[]): string[] {
    const found = new Map<string, string[]>();
    for (const { message_id: id, anonymous_id: visitor } of rows) {
      if (visitor === null || this.#refused.has(id)) continue;
      const ids = found.get(visitor);
      if (ids === undefined) found.set(visitor, [id]);
      else ids.push(id);
    }
    return [...this.#acknowledged]
      .filter(([visitor, ids]) => found.get(visitor)?.join() !== ids.join())
      .map(
        ([visitor, ids]) =>
          `${visitor}: ${String(ids.length)} sent, ${String(found.get(visitor)?.length)} found`,
      );
  }

  async #event(anonymousId: string): Promise<void> {
    const sent = this.#next(anonymousId);
    for (;;) {
      const answer = await this.#post('/v1/track', { event: 'Done', ...sent });
      await answer?.arrayBuffer();
      if (answer?.status === 200) break;
      await sleep(PAUSE_MS);
    }
    this.#acknowledge(sent);
  }

  #next(anonymousId: string): Sent {
    this.#count += 1;
    return { anonymousId, messageId: `m${String(this.#count)}` };
  }
  #acknowledge({ anonymousId, messageId }: Sent): void {
    const ids = this.#acknowledged.get(anonymousId);
    if (ids === undefined) this.#acknowledged.set(anonymousId, [messageId]);
    else ids.push(messageId);
  }

  async #post(path: string, body: object): Promise<Response | undefined> {
    const { http, keys } = this.#installation;
    try {
      return await fetch(`${http}${path}`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${keys.write_key}:`).toString('base64')}` },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
    } catch {
      return undefined; // the gateway starts again
    }
  }
}
