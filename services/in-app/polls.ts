/**
 * What the gateway asks of the live view: polls, many in one request, and why a message is not shown. Read only: a poll is
 * answered from the last record that was handled, and what it offers is decided again when it is to be shown.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { Message } from '../rules/message.ts';
import { RenderBudget } from '../rules/template.ts';
import { pagePattern } from '../rules/page-rules.ts';
import type { Actions } from '../runtime/status-server.ts';
import { textData } from './decide/attributes.ts';
import type { Moment } from './decide/judge.ts';
import { offersFor, type Offer } from './decide/offers.ts';
import type { Visitor } from './decide/visitor.ts';
import { explainMessage, type Explained } from './explain.ts';
import { fillContent, type FilledContent } from './fill-content.ts';
import type { InAppProcessor } from './processor.ts';

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

/** Then whatever else this process has to do: records, and whether it is ready. */
const pollsATurn = 8;

/** What a poll needs of a partition. */
type Seen = Pick<InAppProcessor, 'visitor' | 'messages'>;

export class Polls {
  readonly #partitions: number;
  readonly #processors = new Map<number, Seen>();

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  opened(partition: number, processor: Seen): void {
    this.#processors.set(partition, processor);
  }

  get actions(): Actions {
    return {
      polls: (body) => {
        const asked = JSON.parse(body.toString()) as readonly Asked[]; // the gateway's
        return this.#polls(asked);
      },
      why: (body) => Promise.resolve(this.#why(JSON.parse(body.toString()) as AskedWhy)), // likewise
    };
  }

  /** Those that come together are of several workspaces: one that fails costs no other its answer. */
  async #polls(asked: readonly Asked[]): Promise<readonly (Polled | null)[]> {
    const polled: (Polled | null)[] = [];
    for (const one of asked) {
      if (polled.length > 0 && polled.length % pollsATurn === 0) await nextTurn();
      try {
        polled.push(this.#poll(one));
      } catch {
        polled.push(null);
      }
    }
    return polled;
  }

  /** null: this process does not have the visitor, or not yet. */
  #poll(asked: Asked): Polled | null {
    const found = this.#find(asked);
    if (found === undefined) return null;
    const { visitor, messages } = found;
    const usable = asked.isToken === true ? withoutStream(messages) : messages;
    const { offers, pollSeconds, hasNews } = offersFor(visitor, usable, asked.moment);
    const isOwnJudge = asked.moment.isAnyPage === true;
    const offered = offers.flatMap((offer) => offeredTo(visitor, offer, isOwnJudge));
    return { messages: offered, pollSeconds, hasNews, linkedId: visitor.linkedId };
  }

  #why(asked: AskedWhy): Explained | null {
    const found = this.#find(asked);
    const rule = found?.messages.byId.get(asked.messageId);
    return found === undefined || rule === undefined
      ? null
      : explainMessage(found.visitor, rule, asked.moment);
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

function offeredTo(visitor: Visitor, { rule, variant }: Offer, isOwnJudge: boolean): readonly Offered[] {
  const chosen = rule.message.variants.find(({ id }) => id === variant);
  const content =
    chosen === undefined ? undefined : fillContent(chosen.content, textData(visitor), new RenderBudget());
  if (content === undefined) return [];
  const { id, version, message } = rule;
  const offered = { message_id: id, version, variant, priority: message.priority, content };
  if (!isOwnJudge) return [offered];
  return [{ ...offered, pattern: pagePattern(message.pages), frequency: frequencyOf(message) }];
}

/** As Customer.io's plugin counts: 0 is without end, the delay is in seconds (spec B). */
function frequencyOf({ frequency }: Message): { readonly count: number; readonly delay: number } {
  if (frequency.mode !== 'times') return { count: 0, delay: 0 };
  return { count: frequency.times, delay: Math.ceil(frequency.gapMs / 1_000) };
}
