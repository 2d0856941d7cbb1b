/**
 * What the gateway asks of the live view: polls, many in one request, and why a message is not shown. Read only: a poll is
 * answered from the last record that was handled, and what it offers is decided again when it is to be shown.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { Message } from '../rules/message.ts';
import { pagePattern } from '../rules/page-rules.ts';
import type { JsonObject } from '../rules/paths.ts';
import type { Actions } from '../runtime/status-server.ts';
import { Tables } from '../runtime/tables.ts';
import { threadCpuMs } from '../runtime/thread-cpu.ts';
import { textData } from './decide/attributes.ts';
import type { Moment } from './decide/judge.ts';
import { offeredBefore, offersFor, type Fill, type FilledContent, type Offer } from './decide/offers.ts';
import type { Visitor } from './decide/visitor.ts';
import { explainMessage, type Explained } from './explain.ts';
import { fillContent } from './fill-content.ts';
import type { InAppProcessor } from './processor.ts';
import { unfilledText } from './requests.ts';
import { tablesFor } from './shop-tables.ts';

/** As the gateway writes it; it is its only caller. */
export interface Asked {
  readonly workspace: string;
  readonly lane: string;
  readonly anonymousId: string;
  readonly moment: Moment;
  /** The client knows visitors by a token, which no audience can be told of. */
  readonly isToken?: boolean;
}
export interface AskedWhy extends Asked {
  readonly messageId: string;
}

export interface Polled {
  readonly messages: readonly Offered[];
  readonly pollSeconds: number;
  readonly hasNews: boolean;
  /** Of messages whose texts could not be filled in, for the look (requests.ts). */
  readonly unfilled: readonly string[];
  /** Of a token: the anonymous id that it turned out to have. */
  readonly linkedId: string | null;
}
export interface Offered {
  readonly message_id: string;
  readonly version: number;
  readonly variant: string;
  readonly priority: number;
  readonly content: FilledContent;
  /** Of a client that goes by them itself: its page rules as a pattern, and how often. */
  readonly pattern?: string | null;
  readonly frequency?: { readonly count: number; readonly delay: number };
}

/** Of one workspace in one request, of a processor's time: many times what a request of usual polls takes. */
const workspaceCpuMsMax = 300;
/** Of a processor's time without a pause; the pause is as long. By the clock, a busy machine made one after each poll. */
const sliceMs = 20;
const pauseMsMax = 200;

/** What a poll needs of a partition. */
type Seen = Pick<InAppProcessor, 'visitor' | 'messages'>;

export class Polls {
  readonly #partitions: number;
  readonly #tables: Pick<Tables, 'row'>;
  readonly #processors = new Map<number, Seen>();
  /** Resolves when the next question may be answered. */
  #questions: Promise<void> = Promise.resolve();

  /** @param tables of the shops, as texts look them up. */
  constructor(partitions: number, tables: Pick<Tables, 'row'> = new Tables()) {
    this.#tables = tables;
    this.#partitions = partitions;
  }

  opened(partition: number, processor: Seen): void {
    this.#processors.set(partition, processor);
  }

  get actions(): Actions {
    return {
      polls: async (body) => {
        const asked = JSON.parse(body.toString()) as readonly Asked[]; // the gateway's
        return await this.#polls(asked);
      },
      why: (body) => this.#inPauses(() => this.#why(JSON.parse(body.toString()) as AskedWhy)), // likewise
    };
  }

  /**
   * Those that come together are of several workspaces: one that fails costs no other its answer, and what a workspace has
   * its messages ask is up to it; what others are told in the same request does not wait for that.
   */
  async #polls(asked: readonly Asked[]): Promise<readonly (Polled | null | 'too_dear')[]> {
    const cpuMs = new Map<string, number>();
    const polled: (Polled | null | 'too_dear')[] = [];
    let [at, sinceMs] = [threadCpuMs(), 0];
    for (const one of asked) {
      const own = cpuMs.get(one.workspace) ?? 0;
      polled.push(own >= workspaceCpuMsMax ? 'too_dear' : this.#pollSafely(one));
      const now = threadCpuMs();
      cpuMs.set(one.workspace, own + now - at);
      sinceMs += now - at;
      at = now;
      if (sinceMs < sliceMs) continue;
      await sleep(Math.min(sinceMs, pauseMsMax)); // records are decided in the same process
      [at, sinceMs] = [threadCpuMs(), 0];
    }
    return polled;
  }

  #pollSafely(asked: Asked): Polled | null {
    try {
      return this.#poll(asked);
    } catch {
      return null;
    }
  }

  /** null: this process does not have the visitor, or not yet. */
  #poll(asked: Asked): Polled | null {
    const found = this.#find(asked);
    if (found === undefined) return null;
    const { visitor, messages } = found;
    const usable = asked.isToken === true ? withoutStream(messages) : messages;
    const { offers, unfilled, pollSeconds, hasNews } = offersFor(
      visitor,
      usable,
      asked.moment,
      this.#fillFor(asked.workspace, visitor),
    );
    const isOwnJudge = asked.moment.isAnyPage === true;
    return {
      messages: offers.map((offer) => offeredAs(offer, isOwnJudge)),
      pollSeconds,
      hasNews,
      unfilled: unfilled.map(({ rule, reason }) => unfilledText(rule.id, reason)),
      linkedId: visitor.linkedId,
    };
  }

  /** One question at a time, and behind each a pause as long as it took: what texts take is up to whoever wrote them. */
  async #inPauses<Answer>(answer: () => Answer): Promise<Answer> {
    const before = this.#questions;
    let end = (): void => undefined;
    this.#questions = new Promise((resolve) => (end = resolve));
    await before;
    const from = threadCpuMs();
    try {
      return answer();
    } finally {
      void sleep(Math.min(threadCpuMs() - from, pauseMsMax)).then(end);
    }
  }

  #why(asked: AskedWhy): Explained | null {
    const found = this.#find(asked);
    const rule = found?.messages.byId.get(asked.messageId);
    if (found === undefined || rule === undefined) return null;
    const { visitor, messages } = found;
    const { moment } = asked;
    const fill = this.#fillFor(asked.workspace, visitor);
    const explained = explainMessage(visitor, rule, moment, fill);
    const { outcome, variant } = explained;
    if (outcome !== 'show' || variant === undefined) return explained;
    const first = offeredBefore({ rule, variant }, visitor, { messages, moment, fill });
    if (first === undefined) return explained;
    const says = `it may be shown, and ${first} is offered before it: one at a time, the lowest priority first`;
    return { ...explained, waits_for: first, says };
  }

  /** What texts may ask is put together once, and only where one is filled in. */
  #fillFor(workspace: string, visitor: Visitor): Fill {
    let data: JsonObject | undefined;
    return ({ message: { variants } }, id) => {
      const variant = variants.find((each) => each.id === id);
      if (variant === undefined) return { ok: false, reason: 'text_unfillable' };
      data ??= { ...textData(visitor), tables: tablesFor(this.#tables, workspace) };
      return fillContent(variant.content, data);
    };
  }

  #find({ workspace, lane, anonymousId }: Asked) {
    const processor = this.#processors.get(partitionOf(lane, this.#partitions));
    const messages = processor?.messages(workspace);
    if (processor === undefined || messages === undefined) return undefined;
    return { visitor: processor.visitor(lane, anonymousId), messages };
  }
}

type Messages = NonNullable<ReturnType<InAppProcessor['messages']>>;

/** Nothing is known of a token's stream, so what asks for one is not for it. */
function withoutStream(messages: Messages): Messages {
  const running = messages.running.filter(
    ({ message }) => message.audience === null && message.suppress === null,
  );
  return { ...messages, running };
}

function offeredAs({ rule, variant, content }: Offer, isOwnJudge: boolean): Offered {
  const { id, version, message } = rule;
  const offered = { message_id: id, version, variant, priority: message.priority, content };
  if (!isOwnJudge) return offered;
  return { ...offered, pattern: pagePattern(message.pages), frequency: frequencyOf(message) };
}

/** As Customer.io's plugin counts: 0 is without end, the delay is in seconds (spec B). */
function frequencyOf({ frequency }: Message): { readonly count: number; readonly delay: number } {
  if (frequency.mode !== 'times') return { count: 0, delay: 0 };
  return { count: frequency.times, delay: Math.ceil(frequency.gapMs / 1_000) };
}
